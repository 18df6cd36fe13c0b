"""People, their requests and the log of the administrator console."""

from . import (  # noqa: F401 -- importing registers them
    activity,
    applications,
    consents,
    invitations,
    library,
    people,
    privacy,
    profiles,
    records,
)
