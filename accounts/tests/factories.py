"""People for tests. All share the password ``PASSWORD``."""

from itertools import count

from allauth.account.models import EmailAddress

from accounts.models import Role, Standing, User

PASSWORD = "three small words"
_numbers = count(1)


def make_user(first_name="Nadia", *, role=Role.CUSTOMER, standing=Standing.ACTIVE, **fields):
    """A person who confirmed their address, unless ``standing`` says they have not."""
    email = fields.pop("email", None) or f"{first_name.lower()}{next(_numbers)}@example.org"
    user = User.objects.create_user(
        email, PASSWORD, first_name=first_name, role=role, standing=standing, **fields
    )
    EmailAddress.objects.create(
        user=user, email=user.email, primary=True, verified=standing != Standing.UNCLAIMED
    )
    return user


def make_agent(first_name="Noor", **fields):
    return make_user(first_name, role=Role.AGENT, **fields)


def make_admin(first_name="Ruth", **fields):
    return make_user(first_name, role=Role.ADMIN, **fields)
