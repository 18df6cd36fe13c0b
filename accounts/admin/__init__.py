"""People, their requests and the log of the administrator console."""

from . import activity, applications, library, people  # noqa: F401 -- importing registers them
