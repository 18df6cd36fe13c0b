"""Verbs that change who someone is. The same for pages, admin and commands."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from .applications import ApplicationRefused, apply, settle
from .models import Application, Role, Standing, User
from .signals import user_confirmed


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
        apply(user, user.role)


@transaction.atomic
def decide(
    application: Application, decision: Application.Decision, *, by: User, reason=""
) -> None:
    """Accept or decline ``application``, once. Raises DecisionRefused when it is no longer open."""
    if not by.has_perm("accounts.decide_application"):
        raise PermissionDenied
    if application.applicant_id == by.pk:
        raise DecisionRefused(_("Nobody decides on their own request."))
    try:
        was_open = settle(application, decision, by=by, reason=reason)
    except ApplicationRefused as refusal:
        raise DecisionRefused(str(refusal)) from refusal
    if not was_open:
        raise DecisionRefused(_("This request has been decided already."))
