from .applications import Application, Invitation
from .people import MAY_SIGN_IN, NAMES, PRIVATE, Role, Standing, User
from .profiles import MAX_CAPACITY, Address, AgentProfile, Weekday, WorkingHours
from .records import (
    AccountEvent,
    Attempt,
    Consent,
    DataExport,
    KnownDevice,
    LoginRecord,
)
from .signups import SignUp

__all__ = [
    "MAX_CAPACITY",
    "MAY_SIGN_IN",
    "NAMES",
    "PRIVATE",
    "AccountEvent",
    "Address",
    "AgentProfile",
    "Application",
    "Attempt",
    "Consent",
    "DataExport",
    "Invitation",
    "KnownDevice",
    "LoginRecord",
    "Role",
    "SignUp",
    "Standing",
    "User",
    "Weekday",
    "WorkingHours",
]
