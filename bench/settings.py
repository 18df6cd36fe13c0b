"""The product's settings, with the yardstick's addresses beside its own."""

import os

from careregistry.settings import *  # noqa: F403
from careregistry.settings import DATA_DIR, LIMITS, MIDDLEWARE, STORAGES

ROOT_URLCONF = "bench.urls"
STATIC_ROOT = DATA_DIR / "static"
# The same hashed addresses; compressing the files takes long and changes no page.
STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
# One person raises hundreds of tickets here.
TICKETS_PER_HOUR = 1_000_000
LIMITS = {purpose: (1_000_000, period) for purpose, (_amount, period) in LIMITS.items()}
if os.environ.get("COUNT_QUERIES"):
    # Another server than the one that is timed, so that counting costs nothing there.
    MIDDLEWARE = ["bench.counting.count_queries", *MIDDLEWARE]
