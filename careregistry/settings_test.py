"""Settings for the tests: the same product, with quick hashing and no outside."""

import os
import tempfile
from pathlib import Path

from channels_redis.core import RedisChannelLayer

os.environ.setdefault("SECRET_KEY", "test-only-" + "s" * 50)
os.environ.setdefault("HISTORY_KEY", "test-only-" + "h" * 50)
# One folder for the whole run: xdist's workers are children and inherit it.
os.environ.setdefault("DATA_DIR", tempfile.mkdtemp(prefix="ccr-test-"))
os.environ.setdefault("SITE_URL", "http://localhost:8000")
os.environ.setdefault("EMAIL_URL", "smtp://localhost:1025")

from .settings import *  # noqa: F403
from .settings import DATA_DIR, DATABASES, REDIS_URL

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, as the shared in-memory database answers races with "table is locked".
    DATABASES["default"]["TEST"] = {"NAME": str(Path(DATA_DIR) / "test.sqlite3")}
    # It need not survive a power cut.
    DATABASES["default"]["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"
else:
    DATABASES["default"]["OPTIONS"] = {}  # a pool would outlive the test database
    # A database in which every migration ran already, to copy.
    DATABASES["default"]["TEST"] = {"TEMPLATE": os.environ.get("TEST_TEMPLATE")}
if not REDIS_URL:
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
else:
    # A socket that was refused goes when its wait for a bell is over: 5 seconds, in each test.
    RedisChannelLayer.brpop_timeout = 0.2
CELERY_BROKER_URL = os.environ.get("CELERY_BROKER_URL", "memory://")
CELERY_BROKER_TRANSPORT_OPTIONS = {}
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = True
FAULT_POINTS = True
