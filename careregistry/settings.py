"""The one settings module. Everything local comes from the environment (or ``.env``).

``docs/configuration.md`` lists every variable. Secrets have no default.
"""

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONE, SELF

from .environment import (
    Environment,
    address,
    confirmation,
    database,
    hosts,
    log_level,
    mail_server,
    own_hosts,
    sender,
    site,
    time_zone,
)

BASE_DIR = Path(__file__).resolve().parent.parent

env = Environment()
env.read_env(BASE_DIR / ".env")  # a missing file is fine; the real environment wins

SECRET_KEY = env("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])  # those of before, newest first
HISTORY_KEY = env("HISTORY_KEY")  # signs the history; a backup must keep it
DEBUG = env.bool("DEBUG", default=False)
DATA_DIR = Path(env("DATA_DIR", default=str(BASE_DIR / "data"))).resolve()
DATA_DIR.mkdir(mode=0o750, parents=True, exist_ok=True)
BACKUP_DIR = env("BACKUP_DIR", default="")  # where the operator's own job puts its backups
PORT = env.int("PORT", default=8000)

SITE_NAME = "Customer Care Registry"
# The one source of links in mail, of the hosts we answer to and of whether this is production.
SITE_URL = env("SITE_URL", cast=site, default=f"http://localhost:{PORT}")
PRODUCTION = SITE_URL.startswith("https://") and not DEBUG
ALLOWED_HOSTS = [urlsplit(SITE_URL).hostname, *env("ALLOWED_HOSTS", cast=own_hosts, default=[])]
if not PRODUCTION:
    ALLOWED_HOSTS += ["localhost", "127.0.0.1", "[::1]"]

INSTALLED_APPS = [
    "careregistry.apps.CareRegistryConfig",
    "careregistry.apps.CareRegistryAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "careregistry.apps.CareRegistryStaticFilesConfig",
    "django.forms",
    "accounts",
    "tickets",
    "messaging",
    "notifications",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.google",
    "allauth.usersessions",
    "bootstrap",
    "channels",
    "crispy_forms",
    "crispy_bootstrap5",
    "csp",
    "django_filters",
    "django_htmx",
    "phonenumber_field",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "careregistry.middleware.StaticFilesMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.TimeZoneMiddleware",
    "accounts.middleware.SessionClockMiddleware",
    "accounts.middleware.GateMiddleware",
    "careregistry.middleware.PrivacyHeadersMiddleware",
    "careregistry.middleware.WrongMethodMiddleware",
]

ROOT_URLCONF = "careregistry.urls"
WSGI_APPLICATION = "careregistry.wsgi.application"
ASGI_APPLICATION = "careregistry.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # First what the operator says in their own words, like legal/terms.html.
        "DIRS": [DATA_DIR / "templates", BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "careregistry.context_processors.site",
                "notifications.bell.header",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

# --- Data -------------------------------------------------------------------

SQLITE = f"sqlite:///{DATA_DIR / 'db.sqlite3'}"
DATABASES = {"default": env("DATABASE_URL", cast=database, default=SQLITE, parse_default=True)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        # A write transaction asks for the lock when it begins, so it waits instead of failing.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # FULL: what a page called "saved" is on the disk, also when the power fails.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
else:
    # The choices of a select are few: one answer, not a cursor that is declared, read and closed.
    DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = True
    # Under ASGI every request has its own thread, so connections live in a pool.
    DATABASES["default"]["OPTIONS"] = {
        "pool": {
            "min_size": 1,
            "max_size": env.int("DATABASE_POOL_SIZE", default=8),
            "timeout": 10,
            # After an outage the pool waits longer and longer: begin anew with the next request.
            "reconnect_timeout": 5,
        }
    }

REDIS_URL = env("REDIS_URL", default="")
# Hardly used: what must hold over all processes has rows of its own. It lives in the database, as
# Redis may be down.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "shared_cache",
    }
}
CHANNEL_LAYERS = {
    "default": (
        {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            # Each socket waits 5 seconds at a time for its bell: the client must wait longer.
            "CONFIG": {
                "hosts": [
                    {"address": REDIS_URL, "socket_timeout": 15, "socket_connect_timeout": 2}
                ],
                "expiry": 20,
            },
        }
        if REDIS_URL
        else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    )
}

# --- People -----------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.RoleBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "accounts.validators.MinimumLengthValidator"},
    {"NAME": "accounts.validators.MaximumLengthValidator"},
    {"NAME": "accounts.validators.CommonPasswordValidator"},
]
INVITATION_DAYS = env.int("INVITATION_DAYS", default=7)
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "account_login"

ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "accounts.forms.doors.LoginForm",
    "change_password": "accounts.forms.doors.ChangePasswordForm",
    "reset_password": "accounts.forms.doors.ResetPasswordForm",
    "reset_password_from_key": "accounts.forms.doors.NewPasswordForm",
    "confirm_password_reset_code": "accounts.forms.doors.ResetCodeForm",
    "request_login_code": "accounts.forms.doors.RequestCodeForm",
    "confirm_login_code": "accounts.forms.doors.LoginCodeForm",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
CODE_SECONDS = 600  # a code from a mail works that long
ALLAUTH_USER_CODE_FORMAT = {"numeric": True, "length": 8, "dashed": False}
ACCOUNT_LOGIN_TIMEOUT = 3600  # from the first code to the last of those asked for again
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
# The session counts these, and many at once would pass: LIMITS ends a code after five.
ACCOUNT_PASSWORD_RESET_BY_CODE_MAX_ATTEMPTS = 6
ACCOUNT_PASSWORD_RESET_BY_CODE_TIMEOUT = CODE_SECONDS
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_MAX_ATTEMPTS = 6
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = CODE_SECONDS
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # otherwise a stranger could make us write to anyone
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_NOTIFICATIONS = True  # "your password was changed"
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_SESSION_REMEMBER = None

APPLICATION_DAYS = env.int("APPLICATION_DAYS", default=30)  # then a role request ends by itself
REAPPLY_DAYS = env.int("REAPPLY_DAYS", default=30)  # after a declined one, until the next

# How a new person proves the address: code, link, or none in a closed network.
ACCOUNT_CONFIRMATION = env("ACCOUNT_CONFIRMATION", cast=confirmation, default="code")
SIGN_UP_LIFE = timedelta(hours=24)  # of a link, and of what was typed
# Everybody is asked to agree again when one of these changes.
TERMS_VERSION = env("TERMS_VERSION", default="1")
PRIVACY_VERSION = env("PRIVACY_VERSION", default="1")

# Sign-in with Google exists once both are set.
GOOGLE_CLIENT_ID = env("GOOGLE_CLIENT_ID", default="")
GOOGLE_CLIENT_SECRET = env("GOOGLE_CLIENT_SECRET", default="")
SOCIALACCOUNT_ADAPTER = "accounts.social.SocialAdapter"
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True  # the adapter says who is meant
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_PROVIDERS = {
    "google": {
        "SCOPE": ["openid", "email", "profile"],
        "AUTH_PARAMS": {"prompt": "select_account"},
        "OAUTH_PKCE_ENABLED": True,
    }
}

# Second factor. Codes of an app, passkeys (which are both factors at once), and recovery codes.
REQUIRE_STAFF_MFA = env.bool("REQUIRE_STAFF_MFA", default=False)  # of agents and administrators
MFA_ADAPTER = "accounts.factors.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_FORMS = {
    "authenticate": "accounts.forms.factors.AuthenticateForm",
    "authenticate_webauthn": "accounts.forms.factors.SecondStepPasskeyForm",
}
MFA_TOTP_ISSUER = SITE_NAME
MFA_TOTP_TOLERANCE = 1  # clocks may be 30 seconds apart
MFA_RECOVERY_CODE_COUNT = 10
MFA_PASSKEY_LOGIN_ENABLED = True

# How often, within how long: accounts/limits.py counts in the database.
LIMITS = {
    "sign_in_pair": (5, timedelta(minutes=5)),  # wrong passwords: one account, one address
    "sign_in_account": (50, timedelta(hours=1)),  # one account from all addresses
    "sign_in_address": (
        env.int("WRONG_PASSWORDS_PER_ADDRESS", default=100),
        timedelta(hours=1),
    ),
    "password_asked": (10, timedelta(minutes=10)),  # of somebody who is signed in
    "second_factor": (5, timedelta(minutes=5)),  # wrong codes of one account
    "second_factor_day": (50, timedelta(days=1)),
    "passkey_address": (200, timedelta(minutes=10)),  # asked for, not wrong: nobody guesses keys
    "code_tries": (5, timedelta(seconds=CODE_SECONDS)),
    "code_pause": (1, timedelta(minutes=1)),  # from one code to the next
    "code_recipient": (5, timedelta(hours=1)),
    "code_address": (env.int("CODES_PER_ADDRESS", default=20), timedelta(hours=1)),
    "ticket_draft": (30, timedelta(hours=1)),
    "rating_address": (30, timedelta(hours=1)),  # by the link in the mail, without signing in
    "concern": (10, timedelta(hours=1)),
    "participant": (20, timedelta(hours=1)),  # addresses typed, whether or not anybody has them
    "sms_person": (20, timedelta(days=1)),  # each costs money
    "sms_code_number": (3, timedelta(hours=1)),
    "sms_code_person": (5, timedelta(days=1)),
    "sms_code_address": (10, timedelta(hours=1)),
}
# The accounts library's own limits: ours stand in their place.
ACCOUNT_RATE_LIMITS = dict.fromkeys(
    (
        "login", "signup", "confirm_email", "reset_password", "reset_password_from_key",
        "request_login_code", "change_password", "reauthenticate", "login_failed",
    )
)  # fmt: skip

# --- Privacy ----------------------------------------------------------------

EXPORT_DIR = DATA_DIR / "exports"
EXPORT_DAYS = env.int("EXPORT_DAYS", default=7)  # how long an archive can be downloaded
ERASURE_DAYS = env.int("ERASURE_DAYS", default=14)  # how long somebody can change their mind
# How many days each kind of record is kept; 0 is for good. accounts/retention.py has the rules.
RETENTION_DAYS = {
    "sign_ins": env.int("RETENTION_SIGN_INS_DAYS", default=365),
    "unconfirmed": env.int("RETENTION_UNCONFIRMED_DAYS", default=1),
    "applications": env.int("RETENTION_APPLICATIONS_DAYS", default=180),
    "invitations": env.int("RETENTION_INVITATIONS_DAYS", default=180),
    "devices": env.int("RETENTION_DEVICES_DAYS", default=365),
    "mails": env.int("RETENTION_MAILS_DAYS", default=365),
    "mails_in": env.int("RETENTION_MAILS_IN_DAYS", default=365),
    "bounces": env.int("RETENTION_BOUNCES_DAYS", default=365),
    "webhooks": env.int("RETENTION_WEBHOOKS_DAYS", default=90),
    "short_messages": env.int("RETENTION_SHORT_MESSAGES_DAYS", default=90),
    "tickets": env.int("RETENTION_TICKETS_DAYS", default=0),
}

# --- Tickets ----------------------------------------------------------------

# Where no service level fits, a person answers within these hours, day and night.
FIRST_ANSWER_HOURS = env.int("FIRST_ANSWER_HOURS", default=4)
WAITING_DAYS = env.int("WAITING_DAYS", default=7)  # how long a ticket waits for its requester
CLOSE_AFTER_DAYS = env.int("CLOSE_AFTER_DAYS", default=7)  # a resolved ticket closes by itself
REMIND_DAYS_BEFORE = env.int("REMIND_DAYS_BEFORE", default=2)  # of both
UNASSIGNED_HOURS = env.int("UNASSIGNED_HOURS", default=2)  # until administrators are alarmed
ABSENCE_GRACE_HOURS = env.int("ABSENCE_GRACE_HOURS", default=4)  # of who is back tomorrow
REOPEN_DAYS = 7
RATING_DAYS = 30
# Whether a customer may let others take part, by their address: it tells which have an account.
REQUESTERS_ADD_PARTICIPANTS = env.bool("REQUESTERS_ADD_PARTICIPANTS", default=False)
TICKETS_PER_HOUR = env.int("TICKETS_PER_HOUR", default=30)  # for one person
DRAFT_DAYS = 30
BIN_DAYS = env.int("BIN_DAYS", default=30)  # until a deleted ticket can be removed for good

MAX_TEXT_LENGTH = 50_000
MAX_UPLOAD_BYTES = 10 * 1024 * 1024
MAX_PHOTO_BYTES = 5 * 1024 * 1024
MAX_UPLOADS = 10
MAX_UPLOADS_BYTES = 25 * 1024 * 1024
# Above what a form can bring at all, so that too large a file still gets its error on the form.
MAX_REQUEST_BYTES = MAX_UPLOADS * MAX_UPLOAD_BYTES + 16 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_PERMISSIONS = 0o640
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o750
MEDIA_ROOT = DATA_DIR / "files"  # never served by path: a view asks visible_to first
PHONENUMBER_DEFAULT_REGION = env("PHONE_REGION", default=None)
PHONENUMBER_DEFAULT_FORMAT = "INTERNATIONAL"

# --- Mail and work in the background ----------------------------------------

MAIL_DIR = DATA_DIR / "mail"
if smtp := env("EMAIL_URL", cast=mail_server, default=""):
    vars().update(smtp)
else:
    # Nowhere to send to: every mail becomes a file a person can open.
    EMAIL_BACKEND = "notifications.mail.backends.FolderBackend"
EMAIL_TIMEOUT = 30
EMAIL_OAUTH_MAILBOX = env("EMAIL_OAUTH_MAILBOX", default="")  # whose token sends mail as well
DEFAULT_FROM_EMAIL = env(
    "DEFAULT_FROM_EMAIL",
    cast=sender,
    default=f"{SITE_NAME} <care@{urlsplit(SITE_URL).hostname}>",
)
SERVER_EMAIL = DEFAULT_FROM_EMAIL
# The mailbox to which answers come; each goes to this address with a signed part of its own.
REPLY_ADDRESS = env("REPLY_ADDRESS", cast=address, default="")
# Of a mail, a push, an SMS, and a delivery of a webhook.
OUTBOX_MAX_TRIES = 10
OUTBOX_GIVE_UP_AFTER = timedelta(hours=48)
# To one person, over all features; what is more waits and comes as one mail.
MAILS_PER_HOUR = env.int("MAILS_PER_HOUR", default=30)
BOUNCES_TO_FLAG = 3  # mails that came back for good, until an address gets no more
REFUSALS_TO_STOP = 5  # on end, to different people, until the server is left alone for a while
AUTOMATIC_ANSWERS_PER_HOUR = 5  # in one ticket to one person
# file: writes each into DATA_DIR/sms; https://account:secret@host/?from=+15550100 is a gateway.
SMS_URL = env("SMS_URL", default="")
SMS_DIR = DATA_DIR / "sms"
# The key browsers know our pushes by; make run writes one. Without it nobody is offered push.
PUSH_KEY = env("PUSH_KEY", default="")
# Mail that comes in. What is larger is kept unread, and its sender told.
MAX_MAIL_BYTES = 25 * 1024 * 1024
MAIL_LIMITS = {}  # see messaging.inbound.parsed.Limits
MAIL_SILENT_MINUTES = env.int("MAIL_SILENT_MINUTES", default=30)  # then administrators hear of it

# Hosts in the operator's own network that webhooks may call, also by http.
WEBHOOK_INTERNAL_HOSTS = env("WEBHOOK_INTERNAL_HOSTS", cast=hosts, default=[])
# Nor by the environment: whoever signs in may name the address of a push service. Tests do.
PUSH_INTERNAL_HOSTS = []
WEBHOOK_CONNECT_SECONDS = 10
WEBHOOK_ANSWER_SECONDS = 30
WEBHOOK_OFF_AFTER = timedelta(days=3)  # of failing; then it is switched off

CELERY_BROKER_URL = env("CELERY_BROKER_URL", default=REDIS_URL or "filesystem://localhost/")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_PUBLISH_RETRY = False  # a lost bell is harmless, a waiting page is not
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
WORKER_NICENESS = 10  # pages come first
if CELERY_BROKER_URL.startswith("filesystem"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(DATA_DIR / "queue"),
        "data_folder_out": str(DATA_DIR / "queue"),
        "control_folder": str(DATA_DIR / "queue-control"),
        "polling_interval": 0.2,
    }
else:
    # One quick try: a page rings the worker, and must not wait for a broker that is down.
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "socket_timeout": 5,
        "socket_connect_timeout": 1,
        "max_retries": 0,
    }
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule")
CELERY_BEAT_SCHEDULE = {
    "send-owed-mail": {"task": "notifications.tasks.send_owed_mail", "schedule": 15.0},
    "send-short-messages": {
        "task": "notifications.short_messages.tasks.send_short_messages",
        "schedule": 15.0,
    },
    "forget-browsers": {
        "task": "notifications.short_messages.tasks.forget_browsers",
        "schedule": 86400.0,
    },
    "call-webhooks": {"task": "notifications.webhooks.tasks.call_webhooks", "schedule": 15.0},
    "summarise-days": {"task": "tickets.tasks.summarise_days", "schedule": 300.0},
    "measure-usual-times": {"task": "tickets.tasks.measure_usual_times", "schedule": 3600.0},
    "run-the-clock": {"task": "tickets.tasks.run_the_clock", "schedule": 60.0},
    "route-tickets": {"task": "tickets.tasks.route_tickets", "schedule": 60.0},
    "tell-of-mended-problems": {
        "task": "tickets.tasks.tell_of_mended_problems",
        "schedule": 60.0,
    },
    "run-rules": {"task": "messaging.tasks.run_rules", "schedule": 60.0},
    "poll-mail": {"task": "messaging.tasks.poll_mail", "schedule": 60.0},
    "process-mail": {"task": "messaging.tasks.process_mail", "schedule": 60.0},
    "remove-left-mails": {"task": "messaging.tasks.remove_left_mails", "schedule": 86400.0},
    "drop-old-drafts": {"task": "tickets.tasks.drop_old_drafts", "schedule": 3600.0},
    "anchor-history": {"task": "tickets.tasks.anchor_history", "schedule": 86400.0},
    "make-exports": {"task": "accounts.tasks.make_exports", "schedule": 60.0},
    "drop-old-exports": {"task": "accounts.tasks.drop_old_exports", "schedule": 3600.0},
    "erase-due": {"task": "accounts.tasks.erase_due", "schedule": 3600.0},
    "keep-retention": {"task": "accounts.tasks.keep_retention", "schedule": 86400.0},
    "remove-left-photos": {"task": "accounts.tasks.remove_left_files", "schedule": 86400.0},
    "remove-left-files": {"task": "tickets.tasks.remove_left_files", "schedule": 86400.0},
    "forget-old-attempts": {"task": "accounts.tasks.forget_old_attempts", "schedule": 86400.0},
    "expire-applications": {"task": "accounts.tasks.expire_applications", "schedule": 86400.0},
}
FAULT_POINTS = False  # named places that fail on demand exist in tests only

# --- Pages ------------------------------------------------------------------

LANGUAGE_CODE = "en"  # each word of a dialect would be looked up in the language as well
FORMAT_MODULE_PATH = "careregistry.formats"
# What people can ask to be written to in. Pages are English until there are translations.
LANGUAGES = [
    (code, code)
    for code in (
        "en", "ar", "bn", "de", "es", "fr", "hi", "id", "it", "ja", "ko", "nl",
        "pl", "pt", "ru", "sw", "ta", "te", "tr", "uk", "ur", "vi", "zh-hans",
    )
]  # fmt: skip
TIME_ZONE = env("TIME_ZONE", cast=time_zone, default="UTC")
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage",
        # Collected by whoever owns the code, read by whoever runs it.
        "OPTIONS": {"file_permissions_mode": 0o644, "directory_permissions_mode": 0o755},
    },
}
WHITENOISE_ALLOW_ALL_ORIGINS = False

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],  # Bootstrap draws ticks and chevrons as data images
        "font-src": [SELF],
        "connect-src": [SELF, SITE_URL.replace("http", "ws", 1)],
        "manifest-src": [SELF],
        # Browsers ask here as well before they follow the form that leads to Google.
        "form-action": [SELF, *(["https://accounts.google.com"] if GOOGLE_CLIENT_ID else [])],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_ENGINE = "accounts.sessions"
SESSION_LIFETIME = timedelta(days=14)
STAFF_SESSION_LIFETIME = timedelta(hours=24)
STAFF_SESSION_IDLE = timedelta(hours=12)
SESSION_COOKIE_AGE = int(SESSION_LIFETIME.total_seconds())
DEVICE_COOKIE_NAME = "device"  # a browser that somebody has signed in with before
CSRF_FAILURE_VIEW = "careregistry.views.csrf_failure"
if PRODUCTION:
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    DEVICE_COOKIE_NAME = "__Host-device"
    SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds())
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
    SECURE_SSL_REDIRECT = env.bool("SSL_REDIRECT", default=True)
    SECURE_REDIRECT_EXEMPT = [r"^health/"]
    CSRF_TRUSTED_ORIGINS = [SITE_URL]
    if env.bool("BEHIND_PROXY", default=False):
        # Only behind a proxy that sets this header itself; anybody else could forge it.
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

_TO_ROOT = {"handlers": [], "propagate": True}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "careregistry.logs.DiscreetFormatter",
            "fmt": "{asctime} {levelname} {name} {message}",
            "style": "{",
            "masks_addresses": env.bool("LOG_MASK_ADDRESSES", default=PRODUCTION),
        }
    },
    "filters": {"refusals": {"()": "careregistry.logs.NoTracebackOfRefusals"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["refusals"],
        }
    },
    "root": {"handlers": ["console"], "level": env("LOG_LEVEL", cast=log_level, default="INFO")},
    # One handler for all: Django and the web server bring others, which say more. The worker's
    # are kept away in celery.py. Requests are logged by the proxy: paths hold links that let in.
    "loggers": {
        "django": _TO_ROOT,
        "django.server": _TO_ROOT,
        "uvicorn": _TO_ROOT,
        "uvicorn.error": _TO_ROOT,  # named, so that it keeps the level it was started with
        "uvicorn.access": {"handlers": [], "propagate": False},
    },
}
