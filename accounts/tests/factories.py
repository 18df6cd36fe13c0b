"""People for tests. All share the password ``PASSWORD``."""

from itertools import count

from allauth.account.models import EmailAddress

from accounts import consents
from accounts.models import Application, Role, Standing, User

PASSWORD = "three small words"
_numbers = count(1)


def make_user(first_name="Nadia", *, role=Role.CUSTOMER, standing=Standing.ACTIVE, **fields):
    """A person who confirmed their address and agreed to the terms, or is unclaimed."""
    email = fields.pop("email", None) or f"{first_name.lower()}{next(_numbers)}@example.org"
    password = None if standing == Standing.UNCLAIMED else PASSWORD
    user = User.objects.create_user(
        email, password, first_name=first_name, role=role, standing=standing, **fields
    )
    if standing != Standing.UNCLAIMED:
        EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
        consents.agree(user, consents.versions())
    return user


def make_agent(first_name="Noor", **fields):
    return make_user(first_name, role=Role.AGENT, **fields)


def make_admin(first_name="Ruth", **fields):
    return make_user(first_name, role=Role.ADMIN, **fields)


def make_application(first_name="Ines", role=Role.AGENT, *, applicant=None, **fields):
    """Somebody waits for a decision; ``fields`` may say that it has come."""
    applicant = applicant or make_user(first_name, role=role, standing=Standing.PENDING)
    return Application.objects.create(applicant=applicant, role=role, **fields)
