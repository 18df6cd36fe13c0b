"""What the accounts app knows about a person, as they get it in their archive.

Left out: secrets (password, codes, keys), which prove nothing to anybody else; names of other
people; and whether a legal hold stands, which is between the organisation and the law.
"""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.dispatch import receiver
from django.utils.translation import gettext as _

from .archive import Part
from .models import (
    AccountEvent,
    Address,
    AgentProfile,
    Application,
    Consent,
    Invitation,
    KnownDevice,
    LoginRecord,
    WorkingHours,
)
from .signals import exporting

UNSAID = (AccountEvent.Kind.HELD, AccountEvent.Kind.RELEASED)

# The name of each part in the archive: its rows of ``user``, and which of their columns.
PARTS = {
    "email_addresses": (
        lambda user: EmailAddress.objects.filter(user=user),
        ("email", "verified", "primary"),
    ),
    "addresses": (
        lambda user: Address.objects.filter(user=user),
        ("label", "street", "extra", "postal_code", "city", "region", "country", "is_default"),
    ),
    "consents": (
        lambda user: Consent.objects.filter(user=user),
        ("document", "version", "at"),
    ),
    "sign_ins": (
        lambda user: LoginRecord.objects.filter(user=user),
        ("kind", "method", "at", "ip", "device", "is_new_device"),
    ),
    "sessions": (
        lambda user: UserSession.objects.filter(user=user),
        ("created_at", "last_seen_at", "ip", "user_agent"),
    ),
    "known_devices": (
        lambda user: KnownDevice.objects.filter(user=user),
        ("seen_at", "address"),
    ),
    "second_factors": (
        lambda user: Authenticator.objects.filter(user=user),
        ("type", "created_at", "last_used_at"),
    ),
    "connected_accounts": (
        lambda user: SocialAccount.objects.filter(user=user),
        ("provider", "uid", "date_joined", "last_login", "extra_data"),
    ),
    "applications": (
        lambda user: Application.objects.filter(applicant=user),
        ("role", "why", "created_at", "decision", "decided_at", "reason"),
    ),
    "invitations": (
        lambda user: Invitation.objects.filter(accepted_by=user),
        ("email", "first_name", "last_name", "role", "created_at", "accepted_at"),
    ),
    "how_i_work": (
        lambda user: AgentProfile.objects.filter(agent=user),
        ("capacity", "availability", "out_until", "out_since", "signature"),
    ),
    "working_hours": (
        lambda user: WorkingHours.objects.filter(profile__agent=user),
        ("weekday", "opens", "closes"),
    ),
}


@receiver(exporting)
def export_account(sender, user, **kwargs):
    row = {
        "first_name": user.first_name,
        "last_name": user.last_name,
        "email": user.email,
        "phone": str(user.phone),
        "language": user.language,
        "time_zone": user.time_zone,
        "role": user.role,
        "standing": user.standing,
        "created_at": user.created_at,
        "last_sign_in": user.last_login,
        "password_changed_at": user.password_changed_at,
        "to_be_erased_at": user.erase_at,
        "photo": "photo.webp" if user.photo else "",
    }
    return Part("account", [row], [("photo.webp", user.photo)] if user.photo else [])


@receiver(exporting)
def export_account_history(sender, user, **kwargs):
    events = AccountEvent.objects.filter(user=user).exclude(kind__in=UNSAID).order_by("pk")
    rows = (
        {
            "at": event.at,
            "what": event.kind,
            "by": _by(event, user),
            "reason": event.reason,
            "details": event.data,
        }
        for event in events.iterator()
    )
    return Part("account_history", rows)


def _by(event, user) -> str:
    if event.by_id is None:
        return _("the registry")
    return _("you") if event.by_id == user.pk else _("an administrator")


def _export(name):
    """Make the receiver for one entry of PARTS."""
    rows_of, columns = PARTS[name]

    def export(sender, user, **kwargs):
        return Part(name, rows_of(user).order_by("pk").values(*columns).iterator())

    exporting.connect(export, weak=False, dispatch_uid=f"export {name}")


for _name in PARTS:
    _export(_name)
