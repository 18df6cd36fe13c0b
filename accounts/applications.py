"""Asking to work here: how a request begins, ends, and is made once more.

An administrator's decision is ``actions.decide``.
"""

from datetime import timedelta

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from . import signed_in
from .models import AccountEvent, Application, Role, Standing, User
from .records import note
from .signals import application_decided, application_received

Decision = Application.Decision

LINK_LIFE = timedelta(days=365)  # how long the link in the mail works once it does


class ApplicationRefused(Exception):
    """It can't be asked for or changed now; the text says why, to a person."""


# --- Asking -------------------------------------------------------------------


@transaction.atomic
def apply(user: User, role: Role, *, why: str = "") -> Application:
    """``user`` asks for ``role``. Whether they may, the caller has found out."""
    application = Application.objects.create(applicant=user, role=role, why=why)
    note(user, AccountEvent.Kind.APPLIED, by=user, application=application.pk, role=role)
    application_received.send(sender=Application, application=application)
    return application


def may_join(person: User) -> bool:
    """Customers may. Superusers have every verb, but are administrators."""
    return person.has_perm("accounts.add_application") and not person.is_admin


@transaction.atomic
def join(customer: User, *, why: str) -> Application:
    """An active customer asks to become an agent, and stays a customer until somebody accepts."""
    if not may_join(_lock(customer.pk)):
        raise PermissionDenied
    newest = Application.objects.newest_of(customer)
    if newest and newest.is_open:
        raise ApplicationRefused(_("You have asked already."))
    if refusal := why_not_now(newest):
        raise ApplicationRefused(refusal)
    return apply(customer, Role.AGENT, why=why)


def why_not_now(newest: Application | None) -> str:
    """Why whose last request was ``newest`` has to wait for the next, or nothing."""
    if newest is None or newest.again_at is None or newest.again_at <= timezone.now():
        return ""
    day = date_format(timezone.localtime(newest.again_at), "j F Y")
    return _("You can ask again from %(day)s on.") % {"day": day}


def explain(application: Application, *, why: str) -> None:
    """Its applicant says why, or says it better. Raises ApplicationRefused once it is decided."""
    if not Application.objects.filter(pk=application.pk, decided_at=None).update(why=why):
        raise ApplicationRefused(_("Your request has been decided in the meantime."))


def _lock(pk) -> User:
    """The person as they are now. Whatever is done about them waits until this is done, so it
    comes before any other lock."""
    return User.objects.select_for_update().get(pk=pk)


def _change(person, **changes):
    for field, value in changes.items():
        setattr(person, field, value)
    person.save(update_fields=changes)


# --- The end of it ------------------------------------------------------------


def settle(application: Application, decision: Decision, *, by: User | None, reason="") -> bool:
    """Close ``application`` and open or shut the door. False: that was done before.

    Inside a transaction. Raises ApplicationRefused if nobody can be let in any more.
    """
    person = _lock(application.applicant_id)
    open_one = Application.objects.filter(pk=application.pk, decided_at=None)
    if not open_one.update(
        decision=decision, decided_at=timezone.now(), decided_by=by, reason=reason
    ):
        return False
    is_accepted = decision == Decision.ACCEPTED
    if is_accepted:
        _let_in(person, Role(application.role))
    elif person.standing == Standing.PENDING:  # a customer who asked stays a customer
        _change(person, standing=Standing.DECLINED)
    kind = AccountEvent.Kind.ACCEPTED if is_accepted else AccountEvent.Kind.DECLINED
    codes = {"application": application.pk, "role": application.role, "decision": decision}
    note(person, kind, by=by, reason=reason, **codes)
    application.refresh_from_db()
    application_decided.send(sender=Application, application=application)
    return True


def _let_in(person, role):
    is_customer = person.standing == Standing.ACTIVE and person.role == Role.CUSTOMER
    if person.deleted_at or not (is_customer or person.standing == Standing.PENDING):
        raise ApplicationRefused(_("This account has changed since. The request can be declined."))
    if is_customer:
        signed_in.end(signed_in.sessions_of(person))  # they sign in anew, as what they are now
    _change(person, standing=Standing.ACTIVE, role=role)


def expire() -> None:
    """Close what nobody decided within APPLICATION_DAYS. To run again is harmless."""
    since = timezone.now() - timedelta(days=settings.APPLICATION_DAYS)
    for application in Application.objects.pending().filter(created_at__lte=since):
        with transaction.atomic():  # each for itself: a decision may come in between
            settle(application, Decision.EXPIRED, by=None)


# --- Once more ----------------------------------------------------------------

_signer = Signer(salt="accounts.apply-again")


def path_to_apply_again(application: Application) -> str:
    """Where its applicant asks once more. Who can't sign in is known by our signature alone."""
    if application.applicant.is_approved:
        return reverse("account_apply")
    return reverse("account_apply_again", args=[_signer.sign(str(application.pk))])


def find_by_link(signed: str) -> Application | None:
    try:
        pk = _signer.unsign(signed)
    except BadSignature:
        return None
    return Application.objects.select_related("applicant").filter(pk=pk).first()


def why_not_again(application: Application) -> str:
    """Why the link of ``application`` does not work now, or nothing."""
    person, again_at = application.applicant, application.again_at
    is_newest = application == Application.objects.newest_of(person)
    is_shut_out = person.standing == Standing.DECLINED and person.deleted_at is None
    if not (is_newest and is_shut_out and again_at and timezone.now() < again_at + LINK_LIFE):
        return _("This link has been used, or is no longer valid.")
    return why_not_now(application)


@transaction.atomic
def apply_again(application: Application, *, why: str) -> Application:
    """Whoever was declined asks for the same role once more, and waits. Works once."""
    person = application.applicant = _lock(application.applicant_id)
    if refusal := why_not_again(application):
        raise ApplicationRefused(refusal)
    _change(person, standing=Standing.PENDING)
    return apply(person, Role(application.role), why=why)
