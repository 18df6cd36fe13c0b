"""What administrators do to accounts: make, suspend, let in again, change the role, bin, restore.

Each is one transaction with its line in the account's history. Whoever acts is an active
administrator and never acts on themselves, so there is always one left.
"""

from allauth.account.models import EmailAddress
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from . import signed_in
from .models import AccountEvent, AgentProfile, Role, Standing, User
from .records import note
from .signals import (
    agent_leaving,
    erasure_stopped,
    open_work_asked,
    role_changed,
    user_reactivated,
    user_suspended,
)

Kind = AccountEvent.Kind


class AccountRefusal(Exception):
    """This can't be done to the account now; the text says why, to a person."""


class Handover(models.TextChoices):
    """Where the open work of an agent who leaves goes, when it is no one colleague's."""

    POOL = "pool", gettext_lazy("Nobody for now: unassigned")
    SPREAD = "spread", gettext_lazy("Several: who knows most")


def may_change(by: User, person: User) -> bool:
    """Administrators look after everybody else and themselves; after each other, superusers."""
    return by.is_superuser or not person.is_admin or person.pk == by.pk


def roles_given_by(by: User) -> list[Role]:
    """The roles ``by`` may give to somebody."""
    return list(Role) if by.is_superuser else [Role.CUSTOMER, Role.AGENT]


def open_work_of(person: User) -> int:
    """How much somebody else will have to do when ``person`` leaves."""
    return sum(count for _receiver, count in open_work_asked.send(sender=User, user=person))


@transaction.atomic
def create(person: User, *, by: User) -> None:
    """Let in ``person``, not saved yet, with a password that ``by`` made up: they choose their
    own before anything else."""
    if not by.has_perm("accounts.add_user") or person.role not in roles_given_by(by):
        raise PermissionDenied
    person.standing = Standing.ACTIVE
    person.must_change_password = True
    person.save()
    EmailAddress.objects.create(user=person, email=person.email, primary=True, verified=True)
    note(person, Kind.CREATED, by=by, role=person.role)


@transaction.atomic
def suspend(
    person: User, *, by: User, reason: str, handover: Handover | User = Handover.POOL
) -> None:
    """Shut the door on ``person`` at once; their open work goes to ``handover``."""
    _lock(person, by, "accounts.suspend_user", handover)
    if person.standing != Standing.ACTIVE:
        raise AccountRefusal(_("Only an active account can be suspended."))
    _change(person, standing=Standing.SUSPENDED)
    _take_leave(person, person.role, by, handover)
    event = note(person, Kind.SUSPENDED, by=by, reason=reason)
    user_suspended.send(sender=User, user=person, event=event)


@transaction.atomic
def reactivate(person: User, *, by: User) -> None:
    _lock(person, by, "accounts.suspend_user")
    if person.standing != Standing.SUSPENDED:
        raise AccountRefusal(_("This account is not suspended."))
    _change(person, standing=Standing.ACTIVE)
    event = note(person, Kind.REACTIVATED, by=by)
    user_reactivated.send(sender=User, user=person, event=event)


@transaction.atomic
def change_role(
    person: User, role: Role, *, by: User, handover: Handover | User = Handover.POOL
) -> None:
    """Give ``person`` another role; they sign in anew, as what they are now."""
    _lock(person, by, "accounts.change_role", handover)
    if role not in roles_given_by(by):
        raise PermissionDenied
    if person.standing != Standing.ACTIVE:
        raise AccountRefusal(_("Only an active account can get another role."))
    before = Role(person.role)
    if role == before:
        raise AccountRefusal(_("%(person)s has this role already.") % {"person": person})
    _change(person, role=role, is_superuser=False)
    _take_leave(person, before, by, handover)
    event = note(person, Kind.ROLE_CHANGED, by=by, **{"from": before, "to": role})
    role_changed.send(sender=User, user=person, event=event)


@transaction.atomic
def bin_user(person: User, *, by: User, handover: Handover | User = Handover.POOL) -> None:
    """Take ``person`` out of every list and shut the door. Nothing of theirs is lost."""
    _lock(person, by, "accounts.bin_user", handover)
    if person.deleted_at is None:
        _change(person, deleted_at=timezone.now())
        _take_leave(person, person.role, by, handover)
        note(person, Kind.BINNED, by=by)


@transaction.atomic
def restore_user(person: User, *, by: User) -> None:
    _lock(person, by, "accounts.bin_user")
    if person.erase_at:
        _change(person, erase_at=None)
        event = note(person, Kind.ERASURE_STOPPED, by=by)
        erasure_stopped.send(sender=User, user=person, event=event)
    if person.deleted_at:
        _change(person, deleted_at=None)
        note(person, Kind.RESTORED, by=by)


def shut_out(person: User) -> None:
    """Sign ``person`` out everywhere; nobody counts on them to stand in, also if they come back."""
    signed_in.end(signed_in.sessions_of(person))
    AgentProfile.objects.filter(substitute=person).update(substitute=None)


def _lock(person, by, permission, handover=None):
    """Bring ``person`` up to date and judge whether ``by`` may do this to them.

    All who have a part in it are locked: of two superusers who shut each other out, the second is
    refused, and nobody gets the work of others while they leave themselves. It is people first, by
    number, and then their tickets, whose lines may be written about them meanwhile.
    """
    heir = handover if isinstance(handover, User) else None
    part = Q(pk__in={each.pk for each in (person, by, heir) if each})
    if handover == Handover.SPREAD:
        part |= Q(pk__in=User.objects.agents().values("pk"))
    locked = User.objects.select_for_update(no_key=True).filter(part).order_by("pk")
    now = {each.pk: each for each in locked}
    person.refresh_from_db()
    if person.pk == by.pk:
        raise AccountRefusal(_("You can’t do this to your own account."))
    if not (now[by.pk].has_perm(permission) and may_change(now[by.pk], person)):
        raise PermissionDenied
    if person.standing == Standing.ERASED:
        raise AccountRefusal(_("This account was erased."))
    if heir and not (now[heir.pk].is_approved and now[heir.pk].is_agent and heir.pk != person.pk):
        raise AccountRefusal(_("%(person)s can’t take their tickets.") % {"person": heir})


def _change(person, **changes):
    for field, value in changes.items():
        setattr(person, field, value)
    person.save(update_fields=changes)


def _take_leave(person, role, by, handover):
    """Everything that ``person`` had in hand with ``role`` stops here."""
    shut_out(person)
    if role == Role.AGENT:
        agent_leaving.send(sender=User, user=person, by=by, handover=handover)
