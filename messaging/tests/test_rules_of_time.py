"""Rules that act as time passes: each moment once, in spite of clocks that jump."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command

from careregistry.tests.plans import plan_of
from messaging import ruling
from messaging.actions import post_message
from tickets import actions
from tickets.automation import clockwork, rules
from tickets.models import ClockHand, RuleRun, TicketEvent
from tickets.tests.factories import make_ticket
from tickets.tests.ruled import make_rule, runs
from tickets.workflow import Status

pytestmark = pytest.mark.django_db

MONDAY = datetime(2026, 11, 16, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def at(moment=MONDAY, **span):
    return time_machine.travel(moment + timedelta(**span), tick=False)


def run(**span):
    with at(**span):
        return ruling.run()


@pytest.fixture
def on_monday(alice, bob, ada, kettles):
    """Alice's ticket with Bob, raised on Monday at noon."""
    with at():
        return make_ticket(requester=alice, assignee=bob, category=kettles, by=ada)


def a_day_old(**fields):
    """A rule that was switched on an hour before Monday noon."""
    with at(hours=-1):
        return make_rule(fields.pop("trigger", "old"), after=DAY, **fields)


def acts(rule):
    return runs(rule=rule, state="done")


@pytest.mark.parametrize("trigger", ["old", "silent"])
def test_its_moment_comes_once(on_monday, trigger):
    """P5"""
    rule = a_day_old(trigger=trigger)
    run(days=1, seconds=-1)
    assert runs() == []

    run(days=1)
    run(days=1, seconds=1)
    run(days=30)

    assert acts(rule) == [("done", "an internal note")]


def test_a_word_begins_the_silence_anew_and_age_goes_on(on_monday, alice):
    old, silent = a_day_old(), a_day_old(trigger="silent")
    with at(hours=20):
        post_message(on_monday, by=alice, body="Hello?")

    run(days=1)
    assert (len(acts(old)), len(acts(silent))) == (1, 0)
    run(days=1, hours=20)

    assert (len(acts(old)), len(acts(silent))) == (1, 1)


def test_a_word_that_comes_before_the_act_stops_it(on_monday, alice):
    rule = a_day_old(trigger="silent")
    with at(days=1):
        rules.look(MONDAY + DAY)
        post_message(on_monday, by=alice, body="Hello?")

    run(days=1)

    assert runs(rule=rule) == []


def test_a_rule_that_writes_to_the_silent_acts_once_in_each_silence(on_monday, alice):
    """What the registry writes ends no silence, so nobody is written to for ever."""
    rule = a_day_old(trigger="silent", message="Do you still need us?")
    for days in range(1, 6):
        run(days=days)
    assert len(acts(rule)) == 1

    with at(days=6):
        post_message(on_monday, by=alice, body="Yes!")
    for days in range(7, 12):
        run(days=days)

    assert len(acts(rule)) == 2


def test_two_rules_that_move_the_silent_to_and_fro_stop(on_monday):
    there = a_day_old(trigger="silent", statuses=["open"], move_to=Status.WAITING)
    back = a_day_old(trigger="silent", statuses=["waiting"], move_to=Status.OPEN)

    for days in range(1, 20):
        run(days=days)

    assert (len(acts(there)), len(acts(back))) == (1, 1)


def test_what_has_ended_is_left_alone(on_monday, alice):
    rule = a_day_old()
    with at(hours=1):
        actions.change_status(on_monday, Status.CLOSED, by=alice)

    run(days=1)

    assert runs(rule=rule) == []


def test_a_rule_looks_from_the_moment_it_is_switched_on(on_monday):
    """What was old before is left alone, also after a time in which it was off."""
    rule = a_day_old()
    with at(hours=1):
        rules.switch(rule, on=False)
    with at(days=2):
        rules.switch(rule, on=True)

    run(days=3)

    assert runs(rule=rule) == []


def test_more_than_a_batch_is_found_in_one_go(on_monday, alice, monkeypatch):
    """Also several of one moment at the edge of a batch."""
    monkeypatch.setattr(rules, "BATCH", 2)
    rule = a_day_old()
    with at():
        for _number in range(3):
            make_ticket(requester=alice)
    with at(seconds=1):
        make_ticket(requester=alice)

    assert run(days=1, minutes=1) == 5
    assert len(acts(rule)) == 5


# --- Clocks that jump ------------------------------------------------------------------


@pytest.fixture
def steady(db):
    ClockHand.objects.create(pk=1, looked_at=MONDAY, steady_since=MONDAY - DAY)


def tick(**span):
    """A minute of the worker: both jobs."""
    with at(**span):
        clockwork.tick()
        ruling.tick()


def test_while_time_passes_steadily_the_job_looks(on_monday, steady):
    rule = a_day_old()
    for minutes in range(0, 24 * 60 + 1, 20):
        tick(minutes=minutes)

    assert len(acts(rule)) == 1


def test_a_clock_that_is_wrong_for_a_moment_sets_nothing_off(on_monday, steady):
    rule = a_day_old()
    tick()

    tick(days=40)
    with at(days=40, minutes=1):
        ruling.tick()
    tick(minutes=1)

    assert runs(rule=rule) == []


def test_what_came_due_without_a_worker_is_done_after_an_hour(on_monday, steady):
    rule = a_day_old()
    tick()

    tick(days=2)
    assert acts(rule) == []
    for minutes in (20, 40, 60):
        tick(days=2, minutes=minutes)

    assert len(acts(rule)) == 1


def test_a_clock_that_goes_back_goes_on_from_there(alice):
    """What it did too early is not done again; what comes is done in its time."""
    rule = a_day_old()
    run(days=300)
    run()
    with at(minutes=1):
        make_ticket(requester=alice)

    run(days=1, minutes=1)

    assert len(acts(rule)) == 1


# --- Cost and dry run --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trigger", "index"), [("old", "ticket_created"), ("silent", "ticket_last_event")]
)
def test_an_index_finds_the_moment(trigger, index):
    """Whatever the number of tickets, a minute costs those of a minute."""
    rule = a_day_old(trigger=trigger)

    assert index in plan_of(rules._due_by_time(rule, MONDAY))


def test_the_dry_run_lists_what_time_would_do_and_writes_nothing(on_monday):
    rule = a_day_old()

    with at(days=1):
        listed = StringIO()
        call_command("run_rules", "--dry-run", stdout=listed)

    assert listed.getvalue() == f"{on_monday} {rule}: an internal note\n"
    assert not RuleRun.objects.exists()
    assert not TicketEvent.objects.filter(kind="note").exists()
