from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from notifications.models import Notification, OutgoingMail, ShortMessage, WebhookDelivery
from notifications.owing import owe
from notifications.webhooks.events import owe_test

from .receiver import make_webhook

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
    assert words.splitlines() == [
        "1 mails are owed again.",
        "0 pushes and SMS are owed again.",
        "0 deliveries of webhooks are owed again.",
    ]
    assert (failed.state, failed.tries) == ("owed", 0)


@pytest.fixture
def refused(failed):
    """A delivery of a webhook that was given up, with the id of a mail that was as well."""
    webhook, _secret = make_webhook("https://crm.example.com/?key=31415926")
    owe_test(webhook)
    WebhookDelivery.objects.update(id=failed.pk, state=State.FAILED, tries=10, last_answer="503")
    return WebhookDelivery.objects.get()


def test_list_shows_webhooks_too(refused):
    """The address of a receiver may hold a secret, so it is named by its name."""
    lines = run("list").splitlines()

    assert lines[1:] == [f"w{refused.pk}\tfailed\t10 tries\tCRM\twebhook.test\t\t503"]
    assert run("list", "--state", "owed") == ""


@pytest.mark.parametrize(
    ("names", "states"),
    [
        ([], ("owed", "owed")),
        (["w{}"], ("failed", "owed")),
        (["{}"], ("owed", "failed")),
        (["{}", "w{}"], ("owed", "owed")),
    ],
)
def test_retry_of_either(failed, refused, names, states):
    run("retry", *(name.format(failed.pk) for name in names))

    failed.refresh_from_db()
    refused.refresh_from_db()
    assert (failed.state, refused.state) == states


@pytest.mark.parametrize("name", ["x7", "w", "7w", "-1"])
def test_what_is_no_id_is_said(refused, name):
    with pytest.raises(CommandError, match="is no id"):
        run("retry", "--", name)

    refused.refresh_from_db()
    assert refused.state == "failed"


@pytest.fixture
def unpushed(failed):
    """A push that was given up, with the id of a mail that was as well."""
    return ShortMessage.objects.create(
        pk=failed.pk, channel="push", recipient=failed.recipient,
        notification=Notification.objects.get(),
        state=State.FAILED, tries=3, last_answer="403", expires_at=timezone.now(),
    )  # fmt: skip


def test_list_shows_pushes_and_sms_too(unpushed):
    name, *words = run("list", "--state", "failed").splitlines()[-1].split("\t")

    assert name == f"s{unpushed.pk}"
    assert words == ["failed", "3 tries", unpushed.recipient.email, "Push", "", "403"]


@pytest.mark.parametrize(
    ("names", "states"),
    [
        ([], ("owed", "owed")),
        (["s{}"], ("failed", "owed")),
        (["{}"], ("owed", "failed")),
    ],
)
def test_retry_of_pushes_and_sms(failed, unpushed, names, states):
    run("retry", *(name.format(failed.pk) for name in names))

    failed.refresh_from_db()
    unpushed.refresh_from_db()
    assert (failed.state, unpushed.state) == states
