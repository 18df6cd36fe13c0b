"""Verbs that change who someone is. The same for pages, admin and commands."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from .models import Application, Role, Standing, User
from .signals import application_decided, application_received, user_confirmed


class DecisionRefused(Exception):
    """The application can't be decided like this; the text says why, to a person."""


@transaction.atomic
def confirm(user: User) -> None:
    """``user`` proved that the address is theirs: a customer is let in, staff begin to wait."""
    waits = user.role != Role.CUSTOMER
    claimed = User.objects.filter(pk=user.pk, standing=Standing.UNCLAIMED).update(
        standing=Standing.PENDING if waits else Standing.ACTIVE
    )
    user.refresh_from_db(fields=["standing"])
    if not claimed:
        return
    user_confirmed.send(sender=User, user=user)
    if waits:
        application = Application.objects.create(applicant=user, role=user.role)
        application_received.send(sender=Application, application=application)


@transaction.atomic
def decide(
    application: Application, decision: Application.Decision, *, by: User, reason=""
) -> None:
    """Accept or decline ``application``, once. Raises DecisionRefused when it is no longer open."""
    if not by.has_perm("accounts.decide_application"):
        raise PermissionDenied
    if application.applicant_id == by.pk:
        raise DecisionRefused(_("Nobody decides on their own request."))
    open_one = Application.objects.filter(pk=application.pk, decided_at=None)
    if not open_one.update(
        decision=decision, decided_at=timezone.now(), decided_by=by, reason=reason
    ):
        raise DecisionRefused(_("This request has been decided already."))
    accepted = decision == Application.Decision.ACCEPTED
    User.objects.filter(pk=application.applicant_id, standing=Standing.PENDING).update(
        standing=Standing.ACTIVE if accepted else Standing.DECLINED
    )
    application.refresh_from_db()
    application_decided.send(sender=Application, application=application)


@transaction.atomic
def bin_user(user: User, *, by: User) -> None:
    """Take ``user`` out of every list and shut the door. Nothing of theirs is lost."""
    if user.pk == by.pk:
        raise DecisionRefused(_("You can't delete your own account here."))
    _refuse_unless_may_bin(user, by)
    User.objects.filter(pk=user.pk, deleted_at=None).update(deleted_at=timezone.now())


@transaction.atomic
def restore_user(user: User, *, by: User) -> None:
    _refuse_unless_may_bin(user, by)
    User.objects.filter(pk=user.pk).update(deleted_at=None)


def _refuse_unless_may_bin(user, by):
    """Administrators are the business of superusers."""
    if not by.has_perm("accounts.bin_user") or (user.is_admin and not by.is_superuser):
        raise PermissionDenied
