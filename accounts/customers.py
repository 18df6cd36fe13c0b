"""Customers as those who work here meet them: by an exact address, never by looking around."""

from django.contrib.auth.hashers import make_password
from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

from .models import Role, Standing, User
from .people import AccountRefusal


def is_customer(person: User) -> bool:
    """Whether a ticket can be theirs though somebody else raises it."""
    standing = person.standing in (Standing.ACTIVE, Standing.UNCLAIMED)
    return person.role == Role.CUSTOMER and standing and person.deleted_at is None


def find(email: str, *, by: User) -> User | None:
    """The customer who has exactly this address; None if nobody has it.

    Raises AccountRefusal when it belongs to somebody for whom nothing can be raised.
    """
    if not by.has_perm("accounts.know_user"):
        raise PermissionDenied
    person = owner_of(email)
    if person is None:
        return None
    if person.pk == by.pk:
        raise AccountRefusal(_("Raise your own complaint on the site, like everybody"))
    if person.role != Role.CUSTOMER:
        raise AccountRefusal(_("A colleague has this address. They raise their own complaints"))
    if not is_customer(person):
        raise AccountRefusal(_("The account with this address is closed"))
    return person


def find_confirmed(email: str) -> User | None:
    """The customer who signs in here and has exactly this address; None for anybody else, so
    that nothing is told of staff, of closed accounts or of who never confirmed it."""
    person = owner_of(email)
    return User.objects.customers().filter(pk=person.pk).first() if person else None


def owner_of(email: str) -> User | None:
    """Whoever has this address, in any role and standing."""
    email = email.lower()
    proved = User.objects.filter(emailaddress__email=email, emailaddress__verified=True)
    return User.objects.filter(email=email).first() or proved.first()


def know(email: str, *, first_name: str, by: User) -> User:
    """The customer with this address, from now on at least: somebody new is known by it alone,
    can't sign in and sees nothing until they sign up with it. Raises AccountRefusal.
    """
    return find(email, by=by) or meet(email, first_name=first_name)


def meet(email: str, *, first_name: str) -> User:
    """Somebody new, by ``know``'s rules, who wrote or was written down."""
    facts = {"first_name": first_name, "password": make_password(None)}
    return User.objects.get_or_create(email=email.lower(), defaults=facts)[0]
