"""Second factors: codes of an app, passkeys, and recovery codes for when those are lost (SEC-C17).

How codes and keys are computed is the library's; which of them are good, what is written down and
who is told is said here.
"""

import logging
from urllib.parse import urlsplit

from allauth.account.adapter import get_adapter
from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.stages import AuthenticateStage
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.utils import decrypt
from allauth.mfa.webauthn.internal.auth import WebAuthn
from cryptography.fernet import InvalidToken
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from qrcode import make as draw
from qrcode.image.svg import SvgPathFillImage

from . import signed_in
from .models import AccountEvent, Role, User
from .people import AccountRefusal, may_change
from .records import note
from .sealing import seal, unseal

Type = Authenticator.Type

SESSION_KEY = "has_second_factor"
MOST_PASSKEYS = 10

logger = logging.getLogger(__name__)


class FactorAdapter(DefaultMFAAdapter):
    """Secrets are encrypted at rest with a key that is not in the database, and passkeys belong
    to the address people use, whatever host a request claims to be for."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": gettext_lazy("Invalid code!")
    }

    def encrypt(self, text):
        return seal(text, "accounts.factors")

    def decrypt(self, encrypted_text):
        return unseal(encrypted_text, "accounts.factors")

    def build_totp_svg(self, url):
        """On white, or cameras can't read it on a dark page."""
        return draw(url, image_factory=SvgPathFillImage).to_string(encoding="unicode")

    def get_public_key_credential_rp_entity(self):
        return {"id": urlsplit(settings.SITE_URL).hostname, "name": settings.SITE_NAME}


class SecondStep(AuthenticateStage):
    def is_resumable(self, request):
        """The sign-in page stays a way out: with it one begins anew, perhaps as somebody else."""
        return False


# --- What somebody has ----------------------------------------------------------


def of(user: User) -> QuerySet[Authenticator]:
    """What is asked for at the sign-in. Recovery codes are a way around it, no factor."""
    return Authenticator.objects.filter(user=user).exclude(type=Type.RECOVERY_CODES).order_by("pk")


def app_of(user: User) -> Authenticator | None:
    return of(user).filter(type=Type.TOTP).first()


def name_of(factor: Authenticator) -> str:
    return _("Authenticator app") if factor.type == Type.TOTP else factor.wrap().name


def codes_of(user: User) -> list[str]:
    """The recovery codes that were not used yet. Raises InvalidToken if their key is gone."""
    kept = Authenticator.objects.filter(user=user, type=Type.RECOVERY_CODES).first()
    return kept.wrap().get_unused_codes() if kept else []


def count_codes(user: User) -> int:
    kept = Authenticator.objects.filter(user=user, type=Type.RECOVERY_CODES).first()
    return settings.MFA_RECOVERY_CODE_COUNT - kept.data["used_mask"].bit_count() if kept else 0


# --- Whom it is demanded from -----------------------------------------------------


def is_demanded_from(user: User) -> bool:
    return settings.REQUIRE_STAFF_MFA and user.role != Role.CUSTOMER


def is_owed(request) -> bool:
    """Whether the person has to set one up before anything else. That they have one stands in
    the session: while it is demanded they can't lose the last, unless all their sessions end."""
    if not is_demanded_from(request.user) or request.session.get(SESSION_KEY):
        return False
    if not of(request.user).exists():
        return True
    request.session[SESSION_KEY] = True
    return False


# --- Using one ----------------------------------------------------------------


def step_of(secret: str, code: str) -> int | None:
    """The time step that ``code`` is for, if it is this one, the one before or the one after."""
    for step in totp.yield_hotp_counters_from_time():
        if compare_user_code(
            actual=code, expected=totp.format_hotp_value(totp.hotp_value(secret, step))
        ):
            return step
    return None


@transaction.atomic
def use_code(user: User, code: str) -> Authenticator | None:
    """What ``code`` is good for, if anything. Then it is used up: no code works twice, in
    whichever process and however many at once."""
    kept = Authenticator.objects.select_for_update().filter(user=user)
    for factor in kept.exclude(type=Type.WEBAUTHN).order_by("pk"):
        use = _use_app_code if factor.type == Type.TOTP else _use_recovery_code
        try:
            if use(factor, code):
                return factor
        except InvalidToken:
            logger.error("Second factor %s: made with a SECRET_KEY we no longer have", factor.pk)
    return None


def _use_app_code(factor, code):
    step = step_of(decrypt(factor.data["secret"]), code)
    if step is None or step <= factor.data.get("last_step", 0):
        return False
    factor.data["last_step"] = step
    factor.save(update_fields=["data"])
    return True


def _use_recovery_code(factor, code):
    if not factor.wrap().validate_code(code):
        return False
    _tell(factor.user, "recovery_code_used", left=count_codes(factor.user))
    return True


# --- Changing them --------------------------------------------------------------


@transaction.atomic
def add_app(user: User, secret: str, code: str) -> bool:
    """Whether recovery codes were made with it. ``code``, which proved ``secret``, is used up."""
    _lock(user)
    if app_of(user):  # the same form, at the same moment, was quicker
        return False
    factor = totp.TOTP.activate(user, secret).instance
    _use_app_code(factor, code)
    return _added(factor)


@transaction.atomic
def add_passkey(user: User, name: str, credential: dict) -> bool:
    """Whether recovery codes were made with it."""
    _lock(user)
    return _added(WebAuthn.add(user, name, credential).instance)


@transaction.atomic
def renew_codes(user: User) -> None:
    """New recovery codes; the old ones work no more."""
    _lock(user)
    if of(user).exists():
        _make_codes(user)
        _tell(user, "recovery_codes_made")


@transaction.atomic
def remove(factor: Authenticator) -> None:
    """Its owner wants it no more. Raises AccountRefusal for the last one that is demanded."""
    user = factor.user
    _lock(user)
    others = of(user).exclude(pk=factor.pk)
    if is_demanded_from(user) and not others.exists():
        raise AccountRefusal(
            _("Your organisation demands a second factor. Set up another one first.")
        )
    name, kind = name_of(factor), factor.type
    factor.delete()
    if not others.exists():
        Authenticator.objects.filter(user=user).delete()
    note(user, AccountEvent.Kind.SECOND_FACTOR_REMOVED, by=user, type=kind)
    _tell(user, "factor_removed", factor=name)


@transaction.atomic
def take_away(person: User, *, by: User | None, reason: str) -> None:
    """``person`` lost theirs: their password alone lets them in again, and they are told so.

    ``by``: an administrator, or nobody for whoever runs the machine.
    """
    if by and not _may_take_away(by, person):
        raise PermissionDenied
    _lock(person)
    if not Authenticator.objects.filter(user=person).delete()[0]:
        raise AccountRefusal(_("This account has no second factor."))
    signed_in.end(signed_in.sessions_of(person))
    note(person, AccountEvent.Kind.SECOND_FACTOR_REMOVED, by=by, reason=reason)
    _tell(person, "factor_taken_away")


def _may_take_away(by, person):
    return by.has_perm("accounts.remove_factor") and may_change(by, person) and by != person


def _lock(user):
    """One change of somebody's factors after the other."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)


def _added(factor):
    user = factor.user
    note(user, AccountEvent.Kind.SECOND_FACTOR_ADDED, by=user, type=factor.type)
    _tell(user, "factor_added", factor=name_of(factor))
    return _brings_codes(user)


def _brings_codes(user):
    """The first factor does. Left over from an earlier one, who knows who has them."""
    if of(user).count() > 1:
        return False
    _make_codes(user)
    return True


def _make_codes(user):
    Authenticator.objects.filter(user=user, type=Type.RECOVERY_CODES).delete()
    RecoveryCodes.activate(user)
    note(user, AccountEvent.Kind.RECOVERY_CODES_MADE, by=user)


def _tell(user, kind, **facts):
    facts["timestamp"] = timezone.now()
    get_adapter().send_mail(f"mfa/email/{kind}", user.email, facts)
