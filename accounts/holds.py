"""Legal hold: while somebody says why, nothing of a person is erased or retired."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from .models import AccountEvent, Standing, User
from .people import AccountRefusal, may_change
from .records import note


@transaction.atomic
def hold(person: User, *, by: User, reason: str) -> None:
    _lock(person, by)
    if person.standing == Standing.ERASED:
        raise AccountRefusal(_("This account was erased."))
    if person.legal_hold:
        raise AccountRefusal(_("This account is on legal hold already."))
    _set(person, reason)
    note(person, AccountEvent.Kind.HELD, by=by, reason=reason)


@transaction.atomic
def release(person: User, *, by: User) -> None:
    """End the hold. What the person or a rule asked for meanwhile happens when its job runs."""
    _lock(person, by)
    if not person.legal_hold:
        raise AccountRefusal(_("This account is not on legal hold."))
    _set(person, "")
    note(person, AccountEvent.Kind.RELEASED, by=by)


def _lock(person, by):
    if not (by.has_perm("accounts.hold_user") and may_change(by, person)):
        raise PermissionDenied
    person.refresh_from_db(from_queryset=User.objects.select_for_update(no_key=True))


def _set(person, reason):
    person.legal_hold = reason
    person.save(update_fields=["legal_hold"])
