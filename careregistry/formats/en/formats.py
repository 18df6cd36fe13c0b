"""Day before month, as in British English."""

from django.conf.locale.en_GB.formats import *  # noqa: F403

# The clock as everywhere on our own pages.
TIME_FORMAT = "H:i"
DATETIME_FORMAT = "j M Y, H:i"
SHORT_DATETIME_FORMAT = "d/m/Y H:i"
