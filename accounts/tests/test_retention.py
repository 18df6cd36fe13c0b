"""SEC-H3: how long things are kept; nothing is removed without a rule."""

import logging
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from accounts import retention, tasks
from accounts.models import Application, Invitation, KnownDevice, LoginRecord, SignUp, User
from accounts.tests.factories import make_agent
from messaging.inbound import ledger
from messaging.models import InboundMail
from notifications.models import (
    AddressTrouble,
    OutgoingMail,
    ShortMessage,
    Webhook,
    WebhookDelivery,
)
from tickets import history
from tickets.models import Ticket
from tickets.tests.factories import make_ticket
from tickets.workflow import Status

pytestmark = pytest.mark.django_db


def ago(days):
    return timezone.now() - timedelta(days=days)


@pytest.fixture
def old(alice, carol, bob, ada, kettles):
    """Of everything that a rule is about: one that is old enough, and one a day younger."""
    for days in (366, 364):
        LoginRecord.objects.create(user=alice, kind="signed_in", at=ago(days), device="x")
        OutgoingMail.objects.create(
            recipient=alice, email=alice.email, subject="Hello", created_at=ago(days),
            state="sent", sent_at=ago(days),
        )  # fmt: skip
        AddressTrouble.objects.create(email=f"{days}@example.org", last_bounced_at=ago(days))
    crm = Webhook.objects.create(name="CRM", url="https://crm.example.com/")
    for state, days in (("failed", 91), ("failed", 89), ("owed", 91)):
        WebhookDelivery.objects.create(
            webhook=crm, event="webhook.test", cause=f"{state}:{days}", about="test",
            state=state, created_at=ago(days),
        )  # fmt: skip
        ShortMessage.objects.create(
            channel="sms", recipient=alice, number="+447400123456", state=state,
            created_at=ago(days), expires_at=ago(days),
        )  # fmt: skip
    for days in (366, 364):
        mail = ledger.store(b"From: alice@example.org\n\nHello", source="pipe")
        received = {"received_at": ago(days), "fate": "ticketed", "person": alice}
        InboundMail.objects.filter(pk=mail.pk).update(**received)
    for days in (181, 179):
        Application.objects.create(
            applicant=alice, role="agent", why="Why", reason="No", decision="declined",
            decided_at=ago(days), decided_by=ada,
        )  # fmt: skip
        Invitation.objects.create(
            email=f"late{days}@example.org", first_name="Late", invited_by=ada, role="agent",
            token_hash=str(days), expires_at=ago(days),
        )  # fmt: skip
    for hours in (25, 23):
        SignUp.objects.create(email="new@example.org", role="customer", secret_at=ago(hours / 24))
    for days in (366, 364):
        KnownDevice.objects.create(user=alice, token_hash=str(days), seen_at=ago(days))
    for days in (731, 729):
        ticket = make_ticket(carol, bob, by=ada, status=Status.CLOSED, category=kettles)
        Ticket.objects.filter(pk=ticket.pk).update(closed_at=ago(days))


def counts(**options) -> dict[str, int]:
    return {each.rule.name: each.count for each in retention.keep_rules(**options)}


def table(*args) -> list[list[str]]:
    out = StringIO()
    call_command("retention", *args, stdout=out)
    return [line.split()[:3] for line in out.getvalue().splitlines()]


ONE_EACH = {
    "sign_ins": 1, "applications": 1, "invitations": 1, "devices": 1, "unconfirmed": 1,
    "tickets": 1, "mails": 1, "mails_in": 1, "bounces": 1, "webhooks": 1,
    "short_messages": 1,
}  # fmt: skip


def test_each_rule_touches_what_is_old_enough_once(old, settings):
    settings.RETENTION_DAYS = settings.RETENTION_DAYS | {"tickets": 730}

    assert counts() == ONE_EACH
    assert counts() == dict.fromkeys(ONE_EACH, 0)


def test_what_becomes_of_them(old, settings):
    settings.RETENTION_DAYS = settings.RETENTION_DAYS | {"tickets": 730}

    counts()

    assert LoginRecord.objects.count() == 1
    assert list(Application.objects.values_list("why", "reason").order_by("pk")) == [
        ("", ""),
        ("Why", "No"),
    ]
    mails = OutgoingMail.objects.filter(state="sent").order_by("pk")
    assert list(mails.values_list("email", "subject")) == [
        ("", ""),
        ("alice@example.org", "Hello"),
    ]
    deliveries = WebhookDelivery.objects.order_by("pk").values_list("cause", flat=True)
    assert list(deliveries) == ["failed:89", "owed:91"]
    assert list(Ticket.objects.order_by("pk").values_list("subject", flat=True)) == [
        "Erased",
        "Kettle stopped heating",
    ]
    assert list(history.problems(Ticket.objects.all())) == []
    assert SignUp.objects.get().secret_at > ago(1)
    assert Invitation.objects.get().email == "late179@example.org"
    assert KnownDevice.objects.get().token_hash == "364"


def test_invitations_that_nobody_accepted_go_with_their_names(login, ada):
    """Taken back or run out; also what the activity log says of them. Accepted ones stay."""
    console, add = login(ada), reverse("admin:accounts_invitation_add")
    for name in ("open", "back", "over", "used"):
        typed = {
            "email": f"{name}@example.org",
            "first_name": name,
            "last_name": "",
            "role": "agent",
        }
        console.post(add, typed)
    invited = {each.first_name: each for each in Invitation.objects.all()}
    now = timezone.now()
    for name, change in {
        "open": {"created_at": ago(500)},
        "back": {"revoked_at": ago(181)},
        "over": {"expires_at": ago(181)},
        "used": {"expires_at": ago(181), "accepted_at": now, "accepted_by": make_agent()},
    }.items():
        Invitation.objects.filter(pk=invited[name].pk).update(**change)

    assert counts()["invitations"] == 2

    kept = Invitation.objects.order_by("pk").values_list("first_name", flat=True)
    assert list(kept) == ["open", "used"]
    logged = LogEntry.objects.order_by("pk").values_list("object_repr", flat=True)
    assert list(logged) == [
        "open@example.org (Agent)", "Invitation", "Invitation", "used@example.org (Agent)",
    ]  # fmt: skip


def test_what_somebody_is_held_for_stays(alice, ada, carol):
    """Of an invitation: who was invited, and who invited them."""
    KnownDevice.objects.create(user=alice, token_hash="x", seen_at=ago(400))
    for number, (email, by) in enumerate([(alice.email, ada), ("new@example.org", carol)]):
        Invitation.objects.create(
            email=email, first_name="X", invited_by=by, token_hash=number, expires_at=ago(400)
        )
    User.objects.filter(pk__in=[alice.pk, carol.pk]).update(legal_hold="A claim.")
    assert (counts()["invitations"], counts()["devices"]) == (0, 0)

    User.objects.update(legal_hold="")

    assert (counts()["invitations"], KnownDevice.objects.count()) == (2, 0)


def test_a_dry_run_counts_and_changes_nothing(old, settings):
    settings.RETENTION_DAYS = settings.RETENTION_DAYS | {"tickets": 730}

    assert counts(dry_run=True) == ONE_EACH
    assert counts(dry_run=True) == ONE_EACH


def test_the_command_prints_the_table(old):
    dry = table("--dry-run")

    assert dry == [
        ["rule", "days", "rows"],
        ["sign_ins", "365", "1"],
        ["unconfirmed", "1", "1"],
        ["applications", "180", "1"],
        ["invitations", "180", "1"],
        ["devices", "365", "1"],
        ["tickets", "off", "0"],
        ["mails_in", "365", "1"],
        ["mails", "365", "1"],
        ["bounces", "365", "1"],
        ["webhooks", "90", "1"],
        ["short_messages", "90", "1"],
        ["Nothing", "was", "changed."],
    ]
    assert table() == dry[:-1]
    assert LoginRecord.objects.count() == 1


@pytest.mark.parametrize("days", [0, -1])
def test_nothing_is_removed_without_a_rule(old, settings, days):
    """Off, whatever is set; and a negative number is no reason to remove what is young."""
    settings.RETENTION_DAYS = dict.fromkeys(settings.RETENTION_DAYS, days)

    assert counts() == dict.fromkeys(ONE_EACH, 0)
    assert LoginRecord.objects.count() == 2


def test_the_words_of_tickets_stay_unless_somebody_says_so(old):
    """The rule is off as delivered."""
    assert counts()["tickets"] == 0
    assert not Ticket.objects.filter(subject="Erased").exists()


def test_the_daily_job_follows_the_rules_and_leaves_a_line_each(old, caplog):
    caplog.set_level(logging.INFO, "accounts.retention")

    tasks.keep_retention()

    assert "Retention, sign_ins (365 days): 1 rows." in caplog.messages
    assert "@" not in caplog.text


def test_many_rows_go_in_batches(alice, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    for _ in range(5):
        LoginRecord.objects.create(user=alice, kind="signed_in", at=ago(400))

    assert counts()["sign_ins"] == 5
    assert not LoginRecord.objects.exists()


def test_every_rule_has_its_days_and_every_setting_its_rule(settings):
    assert {rule.name for rule in retention.RULES} == set(settings.RETENTION_DAYS)
