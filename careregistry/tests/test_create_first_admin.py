import io
import sys

import pytest
from allauth.account.models import EmailAddress
from django.core.management import CommandError, call_command

from accounts.models import Role, Standing, User
from accounts.tests.factories import make_admin, make_user

WORDS = ["--email=Ruth@Example.org", "--first-name=Ruth", "--password-stdin"]


@pytest.fixture
def typed(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("a long walk home\n"))


@pytest.mark.plan("SEC-C19")
def test_makes_the_first_administrator_who_can_sign_in(db, typed, client):
    call_command("create_first_admin", *WORDS)

    ruth = User.objects.get()
    assert (ruth.email, ruth.role, ruth.standing) == (
        "ruth@example.org",
        Role.ADMIN,
        Standing.ACTIVE,
    )
    assert ruth.is_superuser
    assert EmailAddress.objects.filter(user=ruth, verified=True, primary=True).exists()
    assert client.login(email="ruth@example.org", password="a long walk home")


@pytest.mark.plan("SEC-C19")
@pytest.mark.parametrize("standing", [Standing.ACTIVE, Standing.SUSPENDED])
def test_works_once(db, typed, standing):
    make_admin(standing=standing)

    with pytest.raises(CommandError, match="There is an administrator already"):
        call_command("create_first_admin", *WORDS)

    assert User.objects.count() == 1


def test_somebody_who_only_asked_to_be_one_is_not_in_the_way(db, typed):
    make_user(role=Role.ADMIN, standing=Standing.PENDING)

    call_command("create_first_admin", *WORDS)

    assert User.objects.admins().count() == 1


@pytest.mark.parametrize(
    ("word", "password", "reason"),
    [
        ("--email=ruth", "a long walk home", "valid email"),
        ("--email=ruth@example.org", "short", "at least 8 characters"),
    ],
)
def test_says_what_is_wrong(db, monkeypatch, word, password, reason):
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{password}\n"))

    with pytest.raises(CommandError, match=reason):
        call_command("create_first_admin", word, "--first-name=Ruth", "--password-stdin")

    assert not User.objects.exists()
