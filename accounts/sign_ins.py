"""The record of sign-ins, and what its owner can say about one (D0-8, SEC-H6).

It never holds a password, a code or a token; of an address without an account not even the
address.
"""

from datetime import timedelta
from typing import Literal

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.password_reset_by_code import PasswordResetVerificationProcess
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.auth import logout
from django.core.exceptions import PermissionDenied
from django.core.signing import Signer
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from . import signed_in
from .devices import device_in_words, recognise
from .models import AccountEvent, LoginRecord, User
from .records import note
from .signals import signed_in_from_new_device

Kind = LoginRecord.Kind
Method = LoginRecord.Method

METHODS = {
    "password": Method.PASSWORD,
    "code": Method.CODE,
    "socialaccount": Method.GOOGLE,
    "mfa": Method.PASSKEY,
}
# As long as a session can last: nobody is still in by an older sign-in.
DISPUTABLE_FOR = timedelta(seconds=settings.SESSION_COOKIE_AGE)
signer = Signer(salt="accounts.sign_ins.not_me")


# --- What is written ----------------------------------------------------------


def write(request, user: User | None, kind: Kind, **facts) -> LoginRecord:
    """``facts``: ``method``, ``is_new_device``."""
    return LoginRecord.objects.create(
        user=user,
        kind=kind,
        ip=_address_of(request),
        device=device_in_words(request.headers.get("User-Agent", "")),
        **facts,
    )


def _address_of(request) -> str | None:
    try:
        return get_adapter().get_client_ip(request)
    except PermissionDenied:  # the library's word for "the web server does not say"
        return None


@transaction.atomic
def note_sign_in(request, response, user: User) -> None:
    """Write down that ``user`` came in, and announce a browser they never used before."""
    # Of the first sign-in of all there is nothing to compare with.
    is_new = not recognise(request, response, user) and not user.is_first_sign_in
    how = method_of(request, user)
    record = write(request, user, Kind.SIGNED_IN, method=how, is_new_device=is_new)
    if is_new:
        signed_in_from_new_device.send(sender=LoginRecord, record=record)


def note_refusal(request, user: User | None, method: Method | Literal[""] = "") -> None:
    """``user``: whose account it was; nobody's if there is none."""
    write(request, user, Kind.REFUSED, method=method)


def note_sign_out(request, user: User) -> None:
    signed_in.forget(request.session.session_key)
    write(request, user, Kind.SIGNED_OUT)


def method_of(request, user: User) -> Method:
    """The newest first factor of this session; a sign-up needs none."""
    for step in reversed(get_authentication_records(request, user)):
        is_second_factor = step["method"] == "mfa" and not step.get("passwordless")
        if step["method"] in METHODS and not is_second_factor:
            return METHODS[step["method"]]
    return Method.SIGN_UP


# --- What its owner reads -----------------------------------------------------


def newest_of(user: User, *, size: int, before: LoginRecord | None = None) -> list[LoginRecord]:
    records = user.login_records.order_by("-at", "-pk")
    if before:
        records = records.filter(Q(at__lt=before.at) | Q(at=before.at, pk__lt=before.pk))
    return list(records[:size])


def with_disputes(records: list[LoginRecord]) -> list[tuple[LoginRecord, str]]:
    """Each with the page where one says that it was somebody else, if that can still be said."""
    return [(each, path_to_dispute(each) if is_disputable(each) else "") for each in records]


def is_disputable(record: LoginRecord) -> bool:
    return record.kind == Kind.SIGNED_IN and record.at > timezone.now() - DISPUTABLE_FOR


def path_to_dispute(record: LoginRecord) -> str:
    """Where one says "This was not me", signed in or not."""
    return reverse("account_not_me", args=[signer.sign(record.pk)])


def disputed(token: str) -> LoginRecord | None:
    """The sign-in that ``token`` is about, while something can be done about it.

    Raises BadSignature when it is none of ours.
    """
    found = LoginRecord.objects.select_related("user").filter(pk=signer.unsign(token)).first()
    if found is None or not is_disputable(found) or not found.user.is_active:
        return None
    is_settled = AccountEvent.objects.filter(user=found.user, data__not_me=found.pk).exists()
    return None if is_settled else found


# --- This was not me ----------------------------------------------------------


@transaction.atomic
def throw_out(record: LoginRecord, request) -> None:
    """Its owner says that ``record`` was somebody else: nobody stays in, nobody gets in.

    Every session ends, the password works no more, and the browser of ``request`` is asked for
    the code that has just gone to the owner's mailbox.
    """
    user = record.user
    logout(request)
    signed_in.end(signed_in.sessions_of(user))
    user.set_unusable_password()  # which ends every session once more, listed or not
    user.save(update_fields=["password"])
    user.known_devices.all().delete()
    _close_other_doors(user, since=record.at)
    note(user, AccountEvent.Kind.PASSWORD_CHANGED, by=user, not_me=record.pk)
    PasswordResetVerificationProcess.initiate(request=request, user=user, email=user.email)


def _close_other_doors(user, since):
    """Ways in without the password that were added since. One-time codes of an app are no way
    in: who set them up still has to show them.

    Recovery codes go whenever they were made. Whoever got in may have done so with one, or have
    made new ones, and alone they would be a second step that only a stranger can take. New ones
    instead could be shown to nobody here: the owner makes them once they are in by their app or
    passkey, and who lost those as well asks an administrator, as always.
    """
    theirs = Authenticator.objects.filter(user=user)
    Type = Authenticator.Type
    closed = {
        Type.WEBAUTHN: theirs.filter(type=Type.WEBAUTHN, created_at__gte=since),
        Type.RECOVERY_CODES: theirs.filter(type=Type.RECOVERY_CODES),
    }
    for kind, ways in closed.items():
        if ways.delete()[0]:
            note(user, AccountEvent.Kind.SECOND_FACTOR_REMOVED, by=user, type=kind)
    if SocialAccount.objects.filter(user=user, date_joined__gte=since).delete()[0]:
        note(user, AccountEvent.Kind.GOOGLE_DISCONNECTED, by=user)
