"""People, their requests and the log of the administrator console."""

from . import activity, applications, people  # noqa: F401 -- importing registers them
