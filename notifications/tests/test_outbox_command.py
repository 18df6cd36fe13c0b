from io import StringIO

import pytest
from django.core.management import call_command

from notifications.models import Notification, OutgoingMail
from notifications.receivers import owe

State = OutgoingMail.State


def run(*arguments):
    out = StringIO()
    call_command("outbox", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def failed(alice):
    """A welcome that was refused."""
    mail = OutgoingMail.objects.create(
        recipient=alice, email=alice.email, state=State.FAILED, tries=3, last_answer="550 No"
    )
    owe(Notification.Kind.WELCOME, alice, cause="user:1")
    Notification.objects.update(mail=mail)
    return mail


def test_list_shows_state_tries_and_answer(failed):
    OutgoingMail.objects.create(email="carol@example.org", content={"text": "31415926"})

    lines = run("list").splitlines()

    assert lines[0].startswith(f"{failed.pk + 1}\towed\t0 tries\tcarol@example.org\t\tnext try 20")
    assert lines[1] == f"{failed.pk}\tfailed\t3 tries\talice@example.org\t\t\t550 No"
    assert "31415926" not in "".join(lines)


def test_list_of_one_state(failed):
    assert run("list", "--state", "owed") == ""
    assert run("list", "--state", "failed").count("\n") == 1


@pytest.mark.parametrize("is_named", [False, True])
def test_retry(failed, is_named):
    words = run("retry", *([str(failed.pk)] if is_named else []))

    failed.refresh_from_db()
    assert words == "1 mails are owed again.\n"
    assert (failed.state, failed.tries) == ("owed", 0)
