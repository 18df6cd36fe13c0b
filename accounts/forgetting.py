"""The accounts app's part of an erasure: what becomes of the person's own rows and files."""

import re
from functools import reduce
from operator import or_

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from . import exports
from .models import (
    AccountEvent,
    Address,
    AgentProfile,
    Application,
    Consent,
    DataExport,
    Invitation,
    KnownDevice,
    LoginRecord,
    SignUp,
    Standing,
    User,
)

NAME = "Erased person"


def forget(user: User, addresses: set[str]) -> None:
    """Make ``user`` nobody: a row that others point to, without anything that says who it was."""
    _forget_in_activity_log(user, addresses)
    _forget_records(user, addresses)
    _forget_application(user)
    photo = user.photo
    if photo:
        transaction.on_commit(lambda: photo.storage.delete(photo.name), robust=True)
    user.first_name, user.last_name = NAME, ""
    user.email = f"erased-{user.pk}@erased.invalid"  # a domain that can never exist
    user.phone = user.language = user.time_zone = user.photo = ""
    user.standing = Standing.ERASED
    user.is_superuser = user.must_change_password = False
    user.last_login = user.password_changed_at = user.erase_at = None
    user.set_unusable_password()
    user.save()


def _forget_records(user, addresses):
    theirs = [EmailAddress, UserSession, Authenticator, SocialAccount, KnownDevice, Address]
    for model in theirs:
        model.objects.filter(user=user).delete()
    AgentProfile.objects.filter(agent=user).delete()
    AgentProfile.objects.filter(substitute=user).update(substitute=None)
    LoginRecord.objects.filter(user=user).purge()
    Consent.objects.filter(user=user).purge()
    SignUp.objects.filter(email__in=addresses).delete()
    Invitation.objects.filter(Q(email__in=addresses) | Q(accepted_by=user)).delete()
    exports.drop(DataExport.objects.filter(Q(user=user) | Q(asked_by=user)))
    AccountEvent.objects.filter(user=user).forget_reasons()


def _forget_application(user):
    """That they asked, and how it was decided, is statistics. What was written is theirs."""
    asked = Application.objects.filter(applicant=user)
    asked.update(why="", reason="")
    asked.filter(decided_at=None).update(
        decision=Application.Decision.EXPIRED, decided_at=timezone.now()
    )


def _forget_in_activity_log(user, addresses):
    """Lines about the person lose their words; in all others the name is replaced."""
    _lines_about(user, addresses).update(object_repr=NAME, change_message="")
    names = {*addresses, user.get_full_name()} if user.last_name else addresses
    anywhere = reduce(
        or_, (Q(object_repr__icontains=n) | Q(change_message__icontains=n) for n in names)
    )
    said = re.compile("|".join(map(re.escape, names)), re.IGNORECASE)
    for entry in LogEntry.objects.filter(anywhere).iterator():
        entry.object_repr = said.sub(NAME, entry.object_repr)
        entry.change_message = said.sub(NAME, entry.change_message)
        entry.save(update_fields=["object_repr", "change_message"])


def forget_invitations(invitations) -> int:
    """Nobody accepted them, so neither the rows nor the activity log name the invited any more."""
    _lines_of(invitations).update(object_repr=_("Invitation"), change_message="")
    return invitations.delete()[0]


def _lines_about(user, addresses):
    return _lines_of(
        User.objects.filter(pk=user.pk),
        Application.objects.filter(applicant=user),
        Invitation.objects.filter(Q(email__in=addresses) | Q(accepted_by=user)),
        DataExport.objects.filter(user=user),
    )


def _lines_of(*rows):
    """What the activity log says of them."""
    lines = Q()
    for found in rows:
        kind = ContentType.objects.get_for_model(found.model)
        keys = [str(pk) for pk in found.values_list("pk", flat=True)]
        lines |= Q(content_type=kind, object_id__in=keys)
    return LogEntry.objects.filter(lines)
