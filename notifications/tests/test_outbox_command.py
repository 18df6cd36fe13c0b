import sqlite3
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from notifications.models import Notification, OutgoingMail, ShortMessage, WebhookDelivery
from notifications.owed import LEASE
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
    facts = f"{failed.pk}\tfailed\t3 tries\talice@example.org\tAccount confirmed\t\t550 No"
    assert lines[1] == facts
    assert "31415926" not in "".join(lines)


def test_what_is_leased_is_being_sent(alice, clock):
    """Nothing else can be said of what a killed worker held, until its lease ends."""
    until = timezone.now() + LEASE
    OutgoingMail.objects.create(email=alice.email, subject="Hi", leased_until=until)
    leased = run("list").split("\t")[5]
    clock.shift(LEASE + timedelta(seconds=1))

    assert leased == "being sent"
    assert run("list").split("\t")[5].startswith("next try 20")


def test_what_was_sent_was_tried(alice):
    """D2-4: ``tries`` are those in vain; people count the one that was not."""
    facts = {"recipient": alice, "email": alice.email, "subject": "Hi"}
    OutgoingMail.objects.create(**facts, state=State.SENT, sent_at=timezone.now())

    assert run("list").split("\t")[1:5] == ["sent", "1 try", "alice@example.org", "Hi"]


def test_what_a_mail_tells_is_named_once(failed, alice):
    owe(Notification.Kind.WELCOME, alice, cause="user:2")
    owe(Notification.Kind.SUSPENDED, alice, cause="user:3")
    Notification.objects.update(mail=failed)

    assert run("list").split("\t")[4] == "Account suspended, Account confirmed"


def test_list_of_one_state(failed):
    assert run("list", "--state", "owed") == ""
    assert run("list", "--state", "failed").count("\n") == 1


@pytest.mark.parametrize("is_named", [False, True])
def test_retry(failed, is_named):
    words = run("retry", *([str(failed.pk)] if is_named else []))

    failed.refresh_from_db()
    assert words.splitlines() == [
        "Mails owed again: 1",
        "Pushes and SMS owed again: 0",
        "Deliveries of webhooks owed again: 0",
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


@pytest.mark.parametrize("name", ["x7", "w", "7w", "-1", "9" * 30])
def test_what_is_no_id_is_said(refused, name):
    with pytest.raises(CommandError, match="is no id"):
        run("retry", "--", name)

    refused.refresh_from_db()
    assert refused.state == "failed"


def test_what_is_not_there_is_said(failed, refused):
    """A typing error must not look like success."""
    with pytest.raises(CommandError, match=r"^There is no 99998, s7, so nothing is owed"):
        run("retry", str(failed.pk), f"w{refused.pk}", "99998", "s7")

    failed.refresh_from_db()
    refused.refresh_from_db()
    assert (failed.state, refused.state) == ("failed", "failed")


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


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL takes any number of keys")
def test_retry_of_more_than_a_statement_has_variables(refused, unpushed):
    """SQLite takes 250,000 at most; here 50."""
    deliveries = [
        WebhookDelivery(
            webhook=refused.webhook, event=refused.event, cause=f"test:{number}", state=State.FAILED
        )
        for number in range(60)
    ]
    WebhookDelivery.objects.bulk_create(deliveries)
    pushes = [
        ShortMessage(
            channel="push", recipient=unpushed.recipient, notification=unpushed.notification,
            state=State.FAILED, expires_at=timezone.now(),
        )
        for _ in range(60)
    ]  # fmt: skip
    ShortMessage.objects.bulk_create(pushes)
    before = connection.connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 50)

    try:
        words = run("retry")
    finally:
        connection.connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, before)

    assert words.splitlines()[1:] == [
        "Pushes and SMS owed again: 61",
        "Deliveries of webhooks owed again: 61",
    ]
