"""An administrator asks somebody to work here: one link by mail, once, for some days.

Only the token's hash is kept. The token itself leaves with the mail, whose content is emptied.
"""

import hashlib
import secrets
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from . import consents
from .models import AccountEvent, Invitation, Role, Standing, User
from .people import roles_given_by
from .records import note
from .signals import account_mail_composed


class InvitationRefused(Exception):
    """This invitation can't be sent or used; the text says why, to an administrator."""


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def offered_by(by: User) -> list[tuple[str, str]]:
    """The roles ``by`` may invite to, as choices."""
    return [(role.value, role.label) for role in roles_given_by(by) if role != Role.CUSTOMER]


def refusal_to_invite(email: str) -> str:
    """Why ``email`` can't be invited now; nothing if it can."""
    known = EmailAddress.objects.filter(email=email).exists()
    if known or User.objects.filter(email=email).exists():
        return _("Somebody has this address already")
    if Invitation.objects.open().filter(email=email).exists():
        return _("There is an open invitation to this address already")
    return ""


@transaction.atomic
def invite(*, email: str, first_name: str, last_name: str, role: str, by: User) -> Invitation:
    """Ask somebody to work here. Raises InvitationRefused when the address can't be asked."""
    _refuse_unless_may("accounts.add_invitation", role, by)
    email = email.lower()
    if refusal := refusal_to_invite(email):
        raise InvitationRefused(refusal)
    # One that ran out makes room for the new one.
    now = timezone.now()
    theirs = Invitation.objects.filter(email=email, accepted_at=None, revoked_at=None)
    theirs.filter(expires_at__lte=now).update(revoked_at=now)
    token, fresh = _fresh()
    try:
        with transaction.atomic():
            invitation = Invitation.objects.create(
                email=email,
                first_name=first_name,
                last_name=last_name,
                role=role,
                invited_by=by,
                **fresh,
            )
    except IntegrityError as error:  # invited since we looked, perhaps by a second click
        raise InvitationRefused(_("There is an open invitation to this address already")) from error
    _post(invitation, token)
    return invitation


@transaction.atomic
def send_again(invitation: Invitation, *, by: User) -> None:
    """A new link for as many days again; the old one is dead."""
    _refuse_unless_may("accounts.add_invitation", invitation.role, by)
    if User.objects.filter(email=invitation.email).exists():
        raise InvitationRefused(_("Somebody has this address already"))
    token, fresh = _fresh()
    _settle(invitation, invited_by=by, **fresh)
    _post(invitation, token)


@transaction.atomic
def revoke(invitation: Invitation, *, by: User) -> None:
    _refuse_unless_may("accounts.revoke_invitation", invitation.role, by)
    _settle(invitation, revoked_at=timezone.now())


def find(token_hash: str) -> Invitation | None:
    """The open invitation with this hash, unless whoever sent it may send none any more."""
    found = Invitation.objects.open().select_related("invited_by")
    invitation = found.filter(token_hash=token_hash).first()
    if invitation and _may("accounts.add_invitation", invitation.role, invitation.invited_by):
        return invitation
    return None


@transaction.atomic
def accept(invitation: Invitation, *, first_name: str, last_name: str, password: str) -> User:
    """Make the account of somebody who agreed to the terms. The link reached the mailbox, so the
    address is theirs.

    Raises InvitationRefused when the invitation was used or taken back meanwhile, or when
    somebody has made an account with the address.
    """
    # The second of two clicks waits here, and then finds it used.
    Invitation.objects.select_for_update().get(pk=invitation.pk)
    if User.objects.filter(email=invitation.email).exists():
        raise InvitationRefused(_("Somebody has this address already"))
    person = User.objects.create_user(
        invitation.email,
        password,
        first_name=first_name,
        last_name=last_name,
        role=invitation.role,
        standing=Standing.ACTIVE,
    )
    EmailAddress.objects.create(user=person, email=person.email, primary=True, verified=True)
    _settle(invitation, accepted_at=timezone.now(), accepted_by=person)
    consents.agree(person, consents.versions())
    note(person, AccountEvent.Kind.INVITED, by=invitation.invited_by, invitation=invitation.pk)
    return person


def _may(permission, role, by) -> bool:
    return by.has_perm(permission) and role in roles_given_by(by)


def _refuse_unless_may(permission, role, by):
    if not _may(permission, role, by):
        raise PermissionDenied


def _fresh():
    """A new token, and what is kept of it."""
    token = secrets.token_urlsafe(32)
    expires_at = timezone.now() + timedelta(days=settings.INVITATION_DAYS)
    return token, {"token_hash": hash_of(token), "expires_at": expires_at}


def _settle(invitation, **changes):
    """Guarded: it lands only on the invitation that was looked at, neither used nor taken back."""
    same = Invitation.objects.filter(
        pk=invitation.pk, token_hash=invitation.token_hash, accepted_at=None, revoked_at=None
    )
    if not same.update(**changes):
        raise InvitationRefused(_("This invitation has been used or taken back."))
    invitation.refresh_from_db()


def _post(invitation, token):
    facts = {
        "invitation": invitation,
        "link": settings.SITE_URL + reverse("account_invitation", args=[token]),
        "site": {"name": settings.SITE_NAME},
    }
    account_mail_composed.send(
        sender=Invitation,
        user=None,
        kind="invitation",
        email=invitation.email,
        subject=render_to_string("account/email/invitation_subject.txt", facts).strip(),
        text=render_to_string("account/email/invitation_message.txt", facts).strip(),
        html="",
        expires_at=invitation.expires_at,
    )
