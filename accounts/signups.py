"""Getting an account: ask, prove that the address is yours, and only then be somebody.

An unclaimed person, known by address only, is claimed by the same proof; so are their tickets.
"""

from datetime import timedelta

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse

from . import consents
from .actions import confirm
from .models import Role, SignUp, Standing, User

CODE, LINK, NONE = "code", "link", "none"


class Taken(Exception):
    """The address has an account by now."""


def way() -> str:
    """How people prove their address here."""
    return settings.ACCOUNT_CONFIRMATION


def needs_proof(email: str) -> bool:
    """Whether whoever signs up with ``email`` has to prove it. In a closed network as well, if
    somebody is known by it: their tickets must not go to the first who types it."""
    return way() != NONE or _unclaimed().filter(email=email).exists()


def by_link() -> bool:
    return way() == LINK


def secret_life() -> timedelta:
    """How long the code or link in a mail works."""
    return settings.SIGN_UP_LIFE if by_link() else timedelta(seconds=settings.CODE_SECONDS)


# --- Asking -------------------------------------------------------------------


def ask(*, email: str, password: str, **wishes) -> SignUp:
    """Keep what somebody typed, and write to the address. ``wishes``: names and role.

    A taken address is no different to whoever asks: its owner gets another mail.
    """
    SignUp.objects.lapsed().delete()
    sign_up = SignUp(
        email=email, password=make_password(password), agreed=consents.versions(), **wishes
    )
    send_secret(sign_up)
    return sign_up


@transaction.atomic
def send_secret(sign_up: SignUp, *, again: bool = False) -> None:
    """A new code or link; those before it are dead."""
    facts = _fresh_secret(sign_up)
    sign_up.save()
    kind = "email_confirmation_link" if by_link() else "email_confirmation"
    if is_taken(sign_up.email):
        kind, facts = "account_already_exists", {}
    if kind != "account_already_exists" or not again:
        get_adapter().send_mail(f"account/email/{kind}", sign_up.email, facts)


def _fresh_secret(sign_up):
    if not by_link():
        return {"code": sign_up.new_code()}
    path = reverse("account_confirm_by_link", args=[sign_up.new_link_token()])
    return {"link": settings.SITE_URL + path, "expires_at": sign_up.secret_at + secret_life()}


def is_taken(email: str) -> bool:
    """Whether ``email`` belongs to somebody, whatever became of them."""
    return (
        User.objects.filter(email=email).exclude(pk__in=_unclaimed()).exists()
        or EmailAddress.objects.filter(email=email, verified=True).exists()
    )


def _unclaimed():
    return User.objects.filter(standing=Standing.UNCLAIMED, deleted_at=None)


# --- Proving ------------------------------------------------------------------


def find_by_link(token: str) -> SignUp | None:
    """The open sign-up whose newest link has this token."""
    key, _, secret = token.partition(".")
    try:
        sign_up = SignUp.objects.open().filter(pk=key).first()
    except (ValueError, ValidationError):  # no key of ours
        return None
    is_it = sign_up and not sign_up.is_used_up and sign_up.has_secret(secret)
    return sign_up if is_it and sign_up.lives_for(secret_life()) else None


@transaction.atomic
def finish(sign_up: SignUp) -> User:
    """The secret of ``sign_up`` came back: make the account. Raises Taken, also the second time."""
    # All that wait for this address, in one order: two at once must not wait for each other.
    waiting = SignUp.objects.select_for_update().filter(email=sign_up.email).order_by("pk")
    if sign_up not in list(waiting):
        raise Taken
    person = claim(
        sign_up.email,
        first_name=sign_up.first_name,
        last_name=sign_up.last_name,
        role=Role(sign_up.role),
        password=sign_up.password,
    )
    consents.agree(person, sign_up.agreed, at=sign_up.created_at)
    waiting.delete()
    return person


@transaction.atomic
def claim(email: str, *, is_verified: bool = True, **facts) -> User:
    """The account of whoever proved ``email``: the unclaimed person's, or a new one.

    Raises Taken. ``facts``: names, role and the password's hash.
    """
    person = _unclaimed().select_for_update().filter(email=email).first() or User(email=email)
    for name, value in facts.items():
        setattr(person, name, value)
    try:
        with transaction.atomic():
            person.save()
            EmailAddress.objects.filter(user=person).delete()
            EmailAddress.objects.create(
                user=person, email=email, primary=True, verified=is_verified
            )
    except IntegrityError as taken:
        raise Taken from taken
    confirm(person)
    return person


def join_unproved(*, email: str, password: str, **wishes) -> User:
    """In a closed network: an account at once. Raises Taken."""
    if is_taken(email) or needs_proof(email):
        raise Taken
    password = make_password(password)  # takes its time: before anybody has to wait for us
    with transaction.atomic():
        person = claim(email, is_verified=False, password=password, **wishes)
        consents.agree(person, consents.versions())
    return person
