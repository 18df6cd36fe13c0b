"""Day before month, as in British English."""

from django.conf.locale.en_GB.formats import *  # noqa: F403
