"""What becomes one mail, what waits, and what never waits (D1-14, P13)."""

from datetime import UTC, datetime, time, timedelta
from threading import Event

import pytest
import time_machine
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from accounts.signals import account_mail_composed
from accounts.tests.factories import make_user
from messaging.actions import post_message
from notifications import bell
from notifications.mail import addressing, outbox
from notifications.mail.addressing import address_notifications
from notifications.models import Notification, OutgoingMail, Preference, Reaching
from notifications.owing import owe
from tickets import actions
from tickets.tests.factories import make_ticket
from tickets.tests.racing import race
from tickets.workflow import ResolutionKind, Status

pytestmark = pytest.mark.django_db(transaction=True)

Kind = Notification.Kind
NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 1, 11, 0, tzinfo=UTC)
PATIENCE = 20  # seconds


@pytest.fixture
def clock():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def talk(clock, ticket, alice):
    """Alice's ticket with Bob; she has heard of all that happened so far. She lives by UTC."""
    User.objects.filter(pk=alice.pk).update(time_zone="UTC")
    Notification.objects.all().delete()
    return ticket


@pytest.fixture
def other(talk, alice, bob):
    """Her second ticket with him, of which she has heard as much."""
    ticket = make_ticket(alice, bob, category=talk.category)
    Notification.objects.all().delete()
    return ticket


def say(ticket, by, *bodies):
    for body in bodies:
        post_message(ticket, by=by, body=body)


def resolve(ticket, by):
    actions.change_status(
        ticket, Status.RESOLVED, by=by, text="Done.", resolution=ResolutionKind.REPLACED
    )


def wish(person, kind=Kind.MESSAGE, **choice):
    choice = {"is_wanted": True, **choice}
    Preference.objects.update_or_create(user=person, kind=kind, channel="email", defaults=choice)


def mails_to(person):
    """The kinds of what each mail tells, in the order of the mails."""
    mails = OutgoingMail.objects.filter(recipient=person).order_by("pk")
    return [[each.kind for each in mail.notifications.order_by("pk")] for mail in mails]


def sweep():
    while address_notifications():
        pass


# --- Quiet hours and the daily digest -----------------------------------------------


def test_in_quiet_hours_what_may_wait_waits_and_comes_as_one_mail(talk, clock, alice, bob, sink):
    Reaching.objects.create(user=alice, quiet_from=time(22), quiet_until=time(7))
    clock.move_to(MIDNIGHT)
    say(talk, bob, "One", "Two", "Three")

    outbox.drain()
    at_night = len(sink.to(alice))
    clock.move_to(MIDNIGHT + timedelta(hours=6, minutes=59))
    outbox.drain()
    before_seven = len(sink.to(alice))
    clock.shift(60)
    outbox.drain()

    assert (at_night, before_seven, len(sink.to(alice))) == (0, 0, 1)
    assert mails_to(alice) == [["message"] * 3]
    assert OutgoingMail.objects.get(recipient=alice).ticket == talk


def test_what_nobody_may_refuse_goes_in_quiet_hours_as_well(talk, clock, alice, bob):
    Reaching.objects.create(user=alice, quiet_from=time(22), quiet_until=time(7))
    clock.move_to(MIDNIGHT)
    resolve(talk, bob)

    sweep()

    assert mails_to(alice) == [["resolved"]]


def test_who_chose_the_digest_gets_one_mail_a_day_about_all_tickets(talk, other, clock, alice, bob):
    wish(alice, is_daily=True)
    say(talk, bob, "One")
    say(other, bob, "Two")
    sweep()
    waited = mails_to(alice)

    clock.move_to(NOON + timedelta(hours=20))
    sweep()

    assert waited == []
    assert mails_to(alice) == [["message", "message"]]
    digest = OutgoingMail.objects.get(recipient=alice)
    assert (digest.ticket, digest.message_id[:8]) == (None, "<digest-")


@pytest.mark.parametrize("change", [{"is_daily": False}, {"is_wanted": False, "is_daily": True}])
def test_another_choice_strands_nothing(talk, clock, alice, bob, change):
    wish(alice, is_daily=True)
    say(talk, bob, "One")
    sweep()
    wish(alice, **change)

    clock.shift(86400)
    sweep()

    (mail,) = OutgoingMail.objects.filter(recipient=alice)
    reason = "" if "is_wanted" not in change else "The person chose not to be mailed about this."
    assert (mail.state, mail.last_answer) == ("dropped" if reason else "owed", reason)


def test_another_hour_of_the_digest_delays_by_a_day_at_most(talk, clock, alice, bob):
    wish(alice, is_daily=True)
    say(talk, bob, "One")
    sweep()

    for hour in range(9, 21):  # each time it is due, she puts it off by an hour
        clock.move_to(datetime(2026, 1, 11, hour - 1, tzinfo=UTC))
        Reaching.objects.update_or_create(user=alice, defaults={"digest_at": time(hour)})
        sweep()

    assert mails_to(alice) == [["message"]]


def test_what_waits_of_a_ticket_goes_before_what_may_not_wait(talk, other, clock, alice, bob):
    """P2: the order on a ticket holds, also with digests."""
    wish(alice, is_daily=True)
    say(other, bob, "Elsewhere")
    say(talk, bob, "One", "Two")
    sweep()
    resolve(talk, bob)

    sweep()

    assert mails_to(alice) == [["message", "message"], ["resolved"]]
    assert Notification.objects.get(recipient=alice, mail=None).event.ticket == other


def test_a_ticket_waits_for_the_digest_that_tells_of_it(talk, other, clock, alice, bob, sink):
    """P2: the server puts the digest off, and with it what comes after on its tickets."""
    wish(alice, is_daily=True)
    say(talk, bob, "One")
    say(other, bob, "Two")
    sweep()
    clock.shift(86400)
    sink.handler.answers[alice.email] = ["450 Later"]
    outbox.drain()
    resolve(talk, bob)
    outbox.drain()
    held_back = len(sink.to(alice))

    clock.shift(15)
    outbox.drain()

    first, second = sink.to(alice)
    assert held_back == 0
    assert "Two" in first.text
    assert "Two" not in second.text


def test_a_digest_waits_for_what_came_before_on_its_tickets(talk, other, clock, alice, bob, sink):
    sink.handler.answers[alice.email] = ["450 Later"] * 2
    say(talk, bob, "First of all")
    outbox.drain()
    wish(alice, is_daily=True)
    say(talk, bob, "One")
    say(other, bob, "Two")
    sweep()
    OutgoingMail.objects.update(next_try_at=NOON + timedelta(days=1, hours=1))
    clock.move_to(NOON + timedelta(days=1))

    outbox.drain()
    held_back = len(sink.to(alice))
    clock.shift(3600)
    sink.handler.answers.clear()
    outbox.drain()

    assert held_back == 0
    assert ["First of all" in mail.text for mail in sink.to(alice)] == [True, False]


def test_what_waits_goes_before_all_of_what_takes_it_along(
    talk, other, clock, alice, bob, settings
):
    """P2: also if that has taken something along itself that is older."""
    settings.MAILS_PER_HOUR = 1
    wish(alice, is_daily=True)
    say(other, bob, "First")
    sweep()
    wish(alice, is_daily=False)
    wish(alice, Kind.STATUS_CHANGED, is_daily=True)
    until = timezone.localdate() + timedelta(days=2)
    actions.change_status(talk, Status.HOLD, by=bob, text="It is on its way.", until=until)
    OutgoingMail.objects.create(recipient=alice, email=alice.email)  # all that goes this hour
    clock.shift(60)
    say(talk, bob, "Second")
    sweep()
    before = mails_to(alice)

    clock.move_to(NOON + timedelta(hours=1))
    sweep()

    assert before == [[]]
    assert mails_to(alice) == [[], ["status_changed"], ["message", "message"]]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no locks of rows")
def test_what_is_read_at_this_moment_is_neither_waited_for_nor_taken_along(talk, clock, alice, bob):
    """Its reader may wait for what this worker holds: then neither would ever go on."""
    wish(alice, is_daily=True)
    say(talk, bob, "One", "Two")
    sweep()
    resolve(talk, bob)
    is_held, is_done = Event(), Event()

    @transaction.atomic
    def read():
        bell.read(Notification.objects.filter(recipient=alice).earliest("pk"))
        is_held.set()
        return is_done.wait(PATIENCE)

    def address():
        assert is_held.wait(PATIENCE)
        address_notifications()
        is_done.set()

    assert race(read, address) == [True, None]
    assert mails_to(alice) == [["message"], ["resolved"]]
    clock.shift(86400)
    sweep()
    assert OutgoingMail.objects.filter(state="dropped").count() == 1


# --- Not too many within the hour -----------------------------------------------------


def test_what_is_too_many_within_the_hour_comes_as_one_mail(talk, clock, alice, bob, settings):
    """P13"""
    settings.MAILS_PER_HOUR = 3
    say(talk, bob, *"abcdefg")

    sweep()
    at_once = mails_to(alice)
    clock.shift(3599)
    sweep()
    just_before = mails_to(alice)
    clock.shift(1)
    sweep()

    assert at_once == just_before == [["message"]] * 3
    assert mails_to(alice) == [*at_once, ["message"] * 4]


def test_others_do_not_wait_for_who_gets_many(talk, clock, alice, bob, carol, settings):
    settings.MAILS_PER_HOUR = 1
    theirs = make_ticket(carol, bob, category=talk.category)
    Notification.objects.all().delete()
    say(talk, bob, "One", "Two")
    say(theirs, bob, "Three")

    sweep()

    assert (mails_to(alice), mails_to(carol)) == ([["message"]], [["message"]])


def test_codes_and_what_nobody_may_refuse_are_never_held_back(talk, alice, bob, settings, sink):
    """P10: a limit locks nobody out. They count, though: what may wait has had its share."""
    settings.MAILS_PER_HOUR = 1
    for _turn in range(2):
        account_mail_composed.send(
            sender=None, user=alice, kind="code", email=alice.email, subject="Code",
            text="31415926", html="", expires_at=None,
        )  # fmt: skip
    say(talk, bob, "One")
    resolve(talk, bob)

    outbox.drain()

    assert [mail["Subject"] for mail in sink.to(alice)].count("Code") == 2
    assert mails_to(alice) == [[], [], ["message"], ["resolved"]]  # the message went before it


def test_nothing_waits_longer_than_an_hour_for_room(talk, clock, alice, bob, settings):
    """However much goes that nobody may put off."""
    settings.MAILS_PER_HOUR = 1
    say(talk, bob, "One", "Two")
    sweep()
    for minutes in (20, 40, 59):
        clock.move_to(NOON + timedelta(minutes=minutes))
        owe(Kind.WELCOME, alice, cause=f"user:{minutes}")
        sweep()
    before = mails_to(alice)

    clock.move_to(NOON + timedelta(hours=1))
    sweep()

    assert before == [["message"], *[["welcome"]] * 3]
    assert mails_to(alice) == [*before, ["message"]]


def test_no_limit(talk, alice, bob, settings):
    settings.MAILS_PER_HOUR = 0
    say(talk, bob, *"abcdefg")

    sweep()

    assert mails_to(alice) == [["message"]] * 7


def test_who_has_very_much_waiting_gets_several_mails(talk, clock, alice, settings):
    settings.MAILS_PER_HOUR = 1
    wish(alice, is_daily=True)
    event = talk.events.filter(kind="status").last()
    for number in range(250):
        owe(Kind.MESSAGE, alice, cause=f"test:{number}", event=event)
    sweep()

    clock.shift(86400)
    sweep()

    assert [len(mail) for mail in mails_to(alice)] == [100, 100, 50]


def test_also_of_what_goes_before_something_else(talk, clock, alice, bob):
    wish(alice, is_daily=True)
    event = talk.events.filter(kind="status").last()
    for number in range(150):
        owe(Kind.MESSAGE, alice, cause=f"test:{number}", event=event)
    sweep()
    resolve(talk, bob)

    sweep()

    assert [len(mail) for mail in mails_to(alice)] == [100, 50, 1]


# --- What is not wanted ----------------------------------------------------------------


def test_what_is_not_wanted_says_so_in_the_outbox(talk, alice, bob, sink):
    """Why was she not told?"""
    wish(alice, is_wanted=False)
    say(talk, bob, "One")

    outbox.drain()

    (mail,) = OutgoingMail.objects.filter(recipient=alice)
    assert sink.to(alice) == []
    assert (mail.state, mail.ticket, mail.last_answer) == (
        "dropped",
        talk,
        "The person chose not to be mailed about this.",
    )


@pytest.mark.parametrize("is_daily", [True, False])
def test_what_was_read_before_the_digest_is_left_out(talk, clock, alice, bob, is_daily):
    """D1-14: in the bell, or on the ticket's page; whatever she chose since."""
    wish(alice, is_daily=True)
    say(talk, bob, "One", "Two")
    sweep()
    first = Notification.objects.filter(recipient=alice).earliest("pk")
    Notification.objects.filter(pk=first.pk).update(read_at=timezone.now())
    wish(alice, is_daily=is_daily)

    clock.shift(86400)
    sweep()

    mails = OutgoingMail.objects.filter(recipient=alice).order_by("pk")
    assert list(mails.values_list("state", "last_answer")) == [
        ("owed", ""),
        ("dropped", "The person had read it before."),
    ]
    first.refresh_from_db()
    assert first.mail == mails[1]


def test_what_was_read_goes_before_nothing(talk, clock, alice, bob):
    """What may not wait takes with it what else waits of the ticket, but nothing that was read."""
    wish(alice, is_daily=True)
    say(talk, bob, "One", "Two")
    sweep()
    first = Notification.objects.filter(recipient=alice).earliest("pk")
    Notification.objects.filter(pk=first.pk).update(read_at=timezone.now())
    resolve(talk, bob)

    sweep()

    assert mails_to(alice) == [["message"], ["resolved"]]


@pytest.mark.parametrize("kind", ["message", "resolved"])
def test_what_does_not_wait_is_mailed_though_it_was_read(talk, alice, bob, kind):
    """She had the page before her when it happened, and wants the mail, or can't refuse it."""
    say(talk, bob, "One") if kind == "message" else resolve(talk, bob)
    Notification.objects.filter(recipient=alice).update(read_at=timezone.now())

    sweep()

    assert mails_to(alice) == [[kind]]
    assert OutgoingMail.objects.get(recipient=alice).state == "owed"


def test_what_she_read_before_it_was_looked_at_waits_like_the_rest(talk, clock, alice, bob):
    wish(alice, is_daily=True)
    say(talk, bob, "One")
    Notification.objects.filter(recipient=alice).update(read_at=timezone.now())
    sweep()
    at_first = mails_to(alice)

    clock.shift(86400)
    sweep()

    assert at_first == []
    assert OutgoingMail.objects.get(recipient=alice).state == "dropped"


# --- What can't be judged ---------------------------------------------------------------


@pytest.fixture
def alices_fails(monkeypatch):
    """Whatever is asked about when her mails may go."""

    def wait_of(notification, *rest, judge=addressing.wait_of):
        if notification.recipient.email == "alice@example.org":
            raise ZeroDivisionError
        return judge(notification, *rest)

    monkeypatch.setattr(addressing, "wait_of", wait_of)


def test_a_time_zone_that_is_no_more_is_the_desks(talk, clock, alice, bob):
    User.objects.filter(pk=alice.pk).update(time_zone="US/Pacific-New")
    Reaching.objects.create(user=alice, quiet_from=time(22), quiet_until=time(7))
    say(talk, bob, "One")

    sweep()

    assert mails_to(alice) == [["message"]]
    assert User.objects.get(pk=alice.pk).zone == timezone.get_default_timezone()


def test_what_can_not_be_judged_goes_at_once_and_holds_up_nobody(
    talk, alice, bob, carol, alices_fails, sink, caplog
):
    """P11: it is not lost, and loud in the log."""
    theirs = make_ticket(carol, bob, category=talk.category)
    Notification.objects.all().delete()
    say(talk, bob, "One", "Two")
    say(theirs, bob, "Three")

    outbox.drain()

    assert [mails_to(person) for person in (alice, carol)] == [[["message"]] * 2, [["message"]]]
    assert [len(sink.to(person)) for person in (alice, carol)] == [2, 1]
    assert caplog.text.count("It can't be judged when notification") == 2


def test_beside_it_others_get_one_mail_for_all_that_waited(talk, clock, alice, bob, carol, request):
    for person in (alice, carol):
        wish(person, is_daily=True)
    theirs = make_ticket(carol, bob, category=talk.category)
    Notification.objects.all().delete()
    say(talk, bob, "One")
    say(theirs, bob, *"abc")
    sweep()
    request.getfixturevalue("alices_fails")

    clock.shift(86400)
    sweep()

    assert (mails_to(alice), mails_to(carol)) == ([["message"]], [["message"] * 3])
    assert OutgoingMail.objects.count() == 2


def test_a_database_that_is_away_is_no_fault_of_theirs(talk, alice, bob, monkeypatch):
    def wait_of(*_anything):
        raise OperationalError

    monkeypatch.setattr(addressing, "wait_of", wait_of)
    say(talk, bob, "One")

    with pytest.raises(OperationalError):
        sweep()

    assert not OutgoingMail.objects.exists()


# --- What it costs ----------------------------------------------------------------------


@pytest.mark.parametrize("waits", [False, True])
def test_many_cost_no_more_queries_than_one(talk, clock, bob, waits):
    def cost(count):
        people = [make_user(time_zone="UTC") for _ in range(count)]
        for person in people:
            wish(person, is_daily=waits)
            theirs = make_ticket(person, bob, category=talk.category)
            Notification.objects.filter(mail=None).delete()
            owe(Kind.MESSAGE, *people, cause=f"test:{count}", event=theirs.events.first())
        with CaptureQueriesContext(connection) as queries:
            address_notifications()
        return len(queries)

    assert cost(1) == cost(3)


def test_what_was_looked_at_before_lights_up_no_telephone_again(
    talk, clock, alice, bob, monkeypatch
):
    told = []
    monkeypatch.setattr(
        "notifications.mail.addressing.fan_out", lambda news, *rest: told.append(news)
    )
    wish(alice, is_daily=True)
    say(talk, bob, "One")
    sweep()
    clock.shift(86400)
    sweep()

    assert [[each.kind for each in news] for news in told] == [["message"], []]
