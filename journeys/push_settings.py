"""The product's settings, with a push service that stands on this machine."""

from careregistry.settings import *  # noqa: F403

PUSH_INTERNAL_HOSTS = ["127.0.0.1"]
