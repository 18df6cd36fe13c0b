"""Leaving: asked for, waited for, and then everything of a person is erased for good.

The person decides, or an administrator. Until the day has come it can be stopped. The worker
erases; each app does its own part in the one transaction.
"""

import json
import logging
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.dispatch import receiver
from django.utils import timezone
from django.utils.translation import gettext as _

from . import forgetting
from .bells import ring
from .models import AccountEvent, Role, Standing, User
from .people import AccountRefusal, may_change, open_work_of, shut_out
from .records import note
from .signals import erasing, erasure_asked, erasure_stopped, open_requests_asked

Kind = AccountEvent.Kind
logger = logging.getLogger(__name__)


def open_requests_of(user: User) -> list[str]:
    """What ``user`` asked for and would be ended by their leaving, in words."""
    return [
        words
        for _receiver, found in open_requests_asked.send(sender=User, user=user)
        for words in found
    ]


def refusal_for(user: User) -> str:
    """Why ``user`` can't be deleted as things stand, in words; empty if they can."""
    try:
        _refuse_unless_free_to_go(user)
    except AccountRefusal as refusal:
        return str(refusal)
    return ""


@transaction.atomic
def ask(user: User, *, by: User, at_once: bool = False) -> None:
    """Erase ``user`` after the waiting time, or ``at_once`` if an administrator says so.

    The owner is signed out everywhere and stops it by signing in. An administrator shuts the
    door; ``stop`` opens it again. Raises AccountRefusal.
    """
    own = by.pk == user.pk
    if not own:
        _refuse_unless_may_erase(user, by)
    _lock(user)
    _refuse_unless_free_to_go(user)
    if user.legal_hold and not own:
        raise AccountRefusal(_("This account is on legal hold. Release it first."))
    now = timezone.now()
    user.erase_at = now if at_once and not own else now + timedelta(days=settings.ERASURE_DAYS)
    if not own:
        user.deleted_at = user.deleted_at or now
    user.save(update_fields=["erase_at", "deleted_at"])
    shut_out(user)
    event = note(user, Kind.ERASURE_ASKED, by=by, at_once=at_once)
    if at_once:
        ring("accounts.tasks.erase_due")
    else:
        erasure_asked.send(sender=User, user=user, event=event)


@transaction.atomic
def stop(user: User, *, by: User) -> None:
    """Keep ``user`` after all. Raises AccountRefusal when nothing is to be stopped."""
    if by.pk != user.pk:
        _refuse_unless_may_erase(user, by)
    _lock(user)
    if user.erase_at is None:
        raise AccountRefusal(_("Nobody asked to delete this account."))
    user.erase_at = user.deleted_at = None
    user.save(update_fields=["erase_at", "deleted_at"])
    event = note(user, Kind.ERASURE_STOPPED, by=by)
    erasure_stopped.send(sender=User, user=user, event=event)


@receiver(user_logged_in)
def keep_whoever_comes_back(sender, request, user, **kwargs):
    """Who signs in again wants to stay. The page after it says so, and a mail."""
    if user.erase_at:
        stop(user, by=user)
        if hasattr(request, "_messages"):
            messages.success(request, _("Welcome back. Your account will not be deleted."))


def erase_due() -> None:
    """Erase everybody whose day has come and whom no legal hold keeps."""
    due = User.objects.filter(erase_at__lte=timezone.now(), legal_hold="")
    for user in due.exclude(standing=Standing.ERASED):
        try:
            erase(user, by=_who_asked(user))
        except AccountRefusal as refusal:
            logger.warning("Person %s is not erased: %s", user.pk, refusal)
        except Exception:  # one who can't be erased must not keep the others
            logger.exception("Person %s can't be erased.", user.pk)


def erase(user: User, *, by: User | None) -> None:
    """Erase ``user`` from every table and the file store, for good; ``by`` is who asked.

    Raises AccountRefusal when a hold or their work keeps them, or when they came back.
    """
    addresses = _addresses_of(user)
    sessions = list(_sessions_of(user, addresses))  # reads every session, so before any lock
    with transaction.atomic():
        day = user.erase_at
        _lock(user)
        if user.erase_at != day:
            raise AccountRefusal(_("It was stopped in time."))
        if user.legal_hold:
            raise AccountRefusal(_("This account is on legal hold. Release it first."))
        _refuse_unless_free_to_go(user)
        erasing.send(sender=User, user=user, by=by, addresses=addresses)
        Session.objects.filter(pk__in=sessions).delete()
        forgetting.forget(user, addresses)
        note(user, Kind.ERASED, by=by)


def _lock(user):
    # Weaker than FOR UPDATE: lines that name the person may still be written beside us.
    user.refresh_from_db(from_queryset=User.objects.select_for_update(no_key=True))


def _refuse_unless_may_erase(user, by):
    if not (by.has_perm("accounts.erase_user") and may_change(by, user)):
        raise PermissionDenied


def _refuse_unless_free_to_go(user):
    if user.standing == Standing.ERASED:
        raise AccountRefusal(_("This account was erased."))
    if open_work_of(user):
        raise AccountRefusal(
            _("Tickets are assigned to this account. An administrator gives them to others first.")
        )
    others = User.objects.admins().exclude(pk=user.pk)
    if user.is_superuser and not others.filter(is_superuser=True).exists():
        raise AccountRefusal(_("This is the last account that may do everything. Make another."))
    if user.role == Role.ADMIN and user.is_approved and not others.exists():
        raise AccountRefusal(_("This is the last administrator. Make another one first."))


def _who_asked(user) -> User | None:
    asked = AccountEvent.objects.filter(user=user, kind=Kind.ERASURE_ASKED).select_related("by")
    newest = asked.order_by("-pk").first()
    return newest and newest.by


def _addresses_of(user) -> set[str]:
    return {user.email, *EmailAddress.objects.filter(user=user).values_list("email", flat=True)}


def _sessions_of(user, addresses):
    """The keys of all sessions that know ``user``: theirs, and begun sign-ups and resets."""
    for session in Session.objects.iterator():
        held = session.get_decoded()
        words = json.dumps(held, default=str)
        if held.get(SESSION_KEY) == str(user.pk) or any(a in words for a in addresses):
            yield session.pk
