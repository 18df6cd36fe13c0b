"""The one settings module. Everything local comes from the environment (or ``.env``).

``docs/configuration.md`` lists every variable. Secrets have no default.
"""

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
env.read_env(BASE_DIR / ".env")  # a missing file is fine; the real environment wins

SECRET_KEY = env("SECRET_KEY")
HISTORY_KEY = env("HISTORY_KEY")  # signs the history; a backup must keep it
DEBUG = env.bool("DEBUG", default=False)
DATA_DIR = Path(env("DATA_DIR", default=str(BASE_DIR / "data"))).resolve()
DATA_DIR.mkdir(mode=0o750, parents=True, exist_ok=True)
PORT = env.int("PORT", default=8000)

SITE_NAME = "Customer Care Registry"
# The one source of links in mail, of the hosts we answer to and of whether this is production.
SITE_URL = env("SITE_URL", default=f"http://localhost:{PORT}").rstrip("/")
PRODUCTION = SITE_URL.startswith("https://") and not DEBUG
ALLOWED_HOSTS = [urlsplit(SITE_URL).hostname, *env.list("ALLOWED_HOSTS", default=[])]
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
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.GateMiddleware",
    "careregistry.middleware.PrivacyHeadersMiddleware",
]

ROOT_URLCONF = "careregistry.urls"
WSGI_APPLICATION = "careregistry.wsgi.application"
ASGI_APPLICATION = "careregistry.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "careregistry.context_processors.site",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

# --- Data -------------------------------------------------------------------

DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'db.sqlite3'}")}
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
        "pool": {"min_size": 1, "max_size": env.int("DATABASE_POOL_SIZE", default=8), "timeout": 10}
    }

REDIS_URL = env("REDIS_URL", default="")
# Only the sign-in limits use the cache. They must hold over all processes and while Redis is
# down, so they live in the database.
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
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "account_login"

ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "accounts.forms.doors.LoginForm",
    "signup": "accounts.forms.doors.SignupForm",
    "change_password": "accounts.forms.doors.ChangePasswordForm",
    "reset_password": "accounts.forms.doors.ResetPasswordForm",
    "reset_password_from_key": "accounts.forms.doors.NewPasswordForm",
    "confirm_email_verification_code": "accounts.forms.doors.EmailCodeForm",
    "confirm_password_reset_code": "accounts.forms.doors.ResetCodeForm",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ALLAUTH_USER_CODE_FORMAT = {"numeric": True, "length": 8, "dashed": False}
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_MAX_ATTEMPTS = 5
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT = 600
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_LOGIN_TIMEOUT = 3600  # from the sign-up to the last of its codes
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_PASSWORD_RESET_BY_CODE_MAX_ATTEMPTS = 5
ACCOUNT_PASSWORD_RESET_BY_CODE_TIMEOUT = 600
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # otherwise a stranger could make us write to anyone
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_NOTIFICATIONS = True  # "your password was changed"
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_SESSION_REMEMBER = None

# Added to the accounts library's own; kept in the shared cache.
ACCOUNT_RATE_LIMITS = {"ticket_draft": "30/h/ip"}

# --- Tickets ----------------------------------------------------------------

# Until service levels exist, one promise: a person answers within these hours.
FIRST_ANSWER_HOURS = env.int("FIRST_ANSWER_HOURS", default=4)
WAITING_DAYS = env.int("WAITING_DAYS", default=7)  # how long a ticket waits for its requester
CLOSE_AFTER_DAYS = 7  # a resolved ticket closes by itself
REOPEN_DAYS = 7
RATING_DAYS = 30
TICKETS_PER_HOUR = env.int("TICKETS_PER_HOUR", default=30)  # for one person
DRAFT_DAYS = 30

MAX_TEXT_LENGTH = 50_000
MAX_UPLOAD_BYTES = 10 * 1024 * 1024
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
if env("EMAIL_URL", default=""):
    vars().update(env.email("EMAIL_URL", backend="notifications.backends.SmtpBackend"))
else:
    # Nowhere to send to: every mail becomes a file a person can open.
    EMAIL_BACKEND = "notifications.backends.FolderBackend"
EMAIL_TIMEOUT = 30
DEFAULT_FROM_EMAIL = env(
    "DEFAULT_FROM_EMAIL", default=f"{SITE_NAME} <care@{urlsplit(SITE_URL).hostname}>"
)
SERVER_EMAIL = DEFAULT_FROM_EMAIL
MAIL_MAX_TRIES = 10
MAIL_GIVE_UP_AFTER = timedelta(hours=48)

CELERY_BROKER_URL = env("CELERY_BROKER_URL", default=REDIS_URL or "filesystem://localhost/")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_PUBLISH_RETRY = False  # a lost bell is harmless, a waiting page is not
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
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
    "summarise-days": {"task": "tickets.tasks.summarise_days", "schedule": 300.0},
    "drop-old-drafts": {"task": "tickets.tasks.drop_old_drafts", "schedule": 3600.0},
    "anchor-history": {"task": "tickets.tasks.anchor_history", "schedule": 86400.0},
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
TIME_ZONE = env("TIME_ZONE", default="UTC")
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
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = int(timedelta(days=14).total_seconds())
CSRF_FAILURE_VIEW = "careregistry.views.csrf_failure"
if PRODUCTION:
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds())
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
    SECURE_SSL_REDIRECT = env.bool("SSL_REDIRECT", default=True)
    SECURE_REDIRECT_EXEMPT = [r"^health/"]
    CSRF_TRUSTED_ORIGINS = [SITE_URL]
    if env.bool("BEHIND_PROXY", default=False):
        # Only behind a proxy that sets this header itself; anybody else could forge it.
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env("LOG_LEVEL", default="INFO")},
    "loggers": {"django.server": {"propagate": True}},
}
