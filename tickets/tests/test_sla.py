"""Which service level fits, and what becomes of the promise as a ticket goes its way."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction

from messaging.actions import post_message
from notifications.models import Notification
from tickets import actions
from tickets.models import Audience, SlaPolicy, Ticket, TicketEvent
from tickets.promise import sla
from tickets.tests.factories import make_calendar, make_category, make_policy, make_ticket
from tickets.workflow import ResolutionKind, Status, TicketRefusal

MONDAY = datetime(2026, 11, 16, 12, tzinfo=UTC)  # noon in London, where the calendars are
HOUR = timedelta(hours=1)
PROMISE = ("policy", "due_at", "due_since", "resolve_by", "resolve_left", "warn_before")


def at(hours=0):
    return time_machine.travel(MONDAY + hours * HOUR, tick=False)


def after(**span):
    return MONDAY + timedelta(**span)


def promise(ticket):
    ticket.refresh_from_db()
    return {name: getattr(ticket, name) for name in PROMISE}


@pytest.mark.parametrize(
    ("levels", "fits"),
    [
        pytest.param([], None, id="none: the setting"),
        pytest.param(["all"], "all", id="every ticket"),
        pytest.param(["all", "urgent"], "urgent", id="the priority"),
        pytest.param(["urgent", "above"], "above", id="the category above"),
        pytest.param(["above", "above urgent"], "above urgent", id="above, with the priority"),
        pytest.param(["above urgent", "own"], "own", id="its own category"),
        pytest.param(["own", "own urgent"], "own urgent", id="its own, with the priority"),
        pytest.param(["own low", "other urgent"], None, id="what is for others"),
    ],
)
def test_what_fits_most_closely_counts(alice, kettles, levels, fits):
    """D1-15: category and priority, then category, then the one above it, then priority."""
    child = make_category("Kettles", parent=kettles)
    categories = {"own": child, "above": kettles, "other": make_category("Other")}
    made = {}
    for level in levels:
        words = level.split()
        made[level] = make_policy(
            category=categories.get(words[0]),
            priority=words[-1] if words[-1] in ("urgent", "low") else "",
        )

    ticket = make_ticket(alice, category=child, priority="urgent")

    assert ticket.policy == made.get(fits)


def test_without_a_service_level_the_setting_counts_round_the_clock(alice, settings):
    """D1-15"""
    settings.FIRST_ANSWER_HOURS = 30
    with at():
        ticket = make_ticket(alice)

    assert promise(ticket) == {
        "policy": None, "due_at": after(hours=30), "due_since": MONDAY,
        "resolve_by": None, "resolve_left": None, "warn_before": None,
    }  # fmt: skip


def test_a_service_level_counts_the_hours_of_its_calendar(alice):
    """D1-15: raised at noon, open till five: eight hours are over at noon of the next day."""
    policy = make_policy(answer=8, solve=16, warn=1)

    with at():
        ticket = make_ticket(alice)

    assert promise(ticket) == {
        "policy": policy, "due_at": after(days=1), "due_since": MONDAY,
        "resolve_by": after(days=2), "resolve_left": None, "warn_before": HOUR,
    }  # fmt: skip


@pytest.mark.parametrize("stop", [Status.WAITING, Status.HOLD])
def test_the_time_to_solve_stands_still_while_the_next_step_is_not_ours(alice, bob, ada, stop):
    """D1-15"""
    make_policy(answer=4, solve=16)
    with at():
        ticket = make_ticket(alice, bob, by=ada)
    with at(2):
        until = (MONDAY + timedelta(days=9)).date()
        actions.change_status(ticket, stop, by=bob, text="The part is not here.", until=until)
    stopped = promise(ticket)
    with at(7 * 24):
        actions.change_status(ticket, Status.OPEN, by=bob)

    assert (stopped["resolve_by"], stopped["resolve_left"]) == (None, 14 * HOUR)
    assert promise(ticket)["resolve_by"] == after(days=8, hours=22)
    assert ticket.resolve_left is None
    assert ticket.due_at == after(days=7, hours=4)


def test_what_was_missed_stays_missed_over_a_pause(alice, bob, ada):
    make_policy(answer=1, solve=2)
    with at():
        ticket = make_ticket(alice, bob, by=ada)
    with at(4):
        actions.change_status(ticket, Status.WAITING, by=bob)
        actions.change_status(ticket, Status.OPEN, by=bob)

    assert promise(ticket)["resolve_by"] == after(hours=2)


@pytest.mark.parametrize("end", [Status.CLOSED, Status.WITHDRAWN])
def test_nothing_is_promised_on_what_has_ended(alice, end):
    make_policy(answer=4, solve=16, warn=1)
    ticket = make_ticket(alice, status=end)

    assert promise(ticket) == dict.fromkeys(PROMISE)


def test_who_opens_it_again_gets_the_whole_promise_anew(alice):
    policy = make_policy(answer=4, solve=5)
    with at():
        ticket = make_ticket(alice, status=Status.CLOSED)
    with at(24):
        actions.change_status(ticket, Status.OPEN, by=alice)

    assert promise(ticket) == {
        "policy": policy, "due_at": after(days=1, hours=4), "due_since": after(days=1),
        "resolve_by": after(days=1, hours=5), "resolve_left": None, "warn_before": None,
    }  # fmt: skip


def test_each_word_of_the_agent_promises_the_next(alice, bob, ada):
    make_policy(answer=4)
    with at():
        ticket = make_ticket(alice, bob, by=ada)
    with at(1):
        post_message(ticket, by=bob, body="We look into it.")
    with at(2):
        post_message(ticket, by=alice, body="Thank you.")

    assert promise(ticket)["due_at"] == after(hours=5)


def reclassified(ticket, by, priority="urgent", category=None):
    actions.classify(ticket, by=by, priority=priority, category=category or ticket.category)
    return promise(ticket)


def promised_lines(ticket):
    lines = ticket.events.filter(kind=TicketEvent.Kind.PROMISED)
    return list(lines.values_list("data", "text", "audience"))


def told(ticket, person):
    return Notification.objects.filter(
        recipient=person, event__kind=TicketEvent.Kind.PROMISED, event__ticket=ticket
    ).count()


def test_another_priority_is_another_promise_and_the_customer_hears_why(alice, bob, ada):
    """D1-15: as if it had been so from the start."""
    make_policy(answer=8, solve=40)
    urgent = make_policy(answer=2, solve=10, priority="urgent")
    with at():
        ticket = make_ticket(alice, bob, by=ada)
    with at(1):
        found = reclassified(ticket, bob)

    assert (found["policy"], found["due_at"]) == (urgent, after(hours=2))
    assert found["resolve_by"] == after(days=1, hours=2)  # ten hours from the start
    data = {
        "from": after(days=1).isoformat(),
        "to": after(hours=2).isoformat(),
        "because": "priority",
    }
    assert promised_lines(ticket) == [(data, "", Audience.EVERYONE)]
    assert (told(ticket, alice), told(ticket, bob)) == (1, 0)


def test_a_promise_made_anew_is_never_missed_already(alice, bob, ada):
    make_policy(answer=8)
    make_policy(answer=2, priority="urgent")
    with at():
        ticket = make_ticket(alice, bob, by=ada)
    with at(3):
        assert reclassified(ticket, bob)["due_at"] == after(hours=5)


def test_no_other_priority_hides_a_promise_that_was_missed(alice, bob, ada):
    make_policy(answer=1)
    make_policy(answer=40, priority="low")
    with at():
        ticket = make_ticket(alice, bob, by=ada)
    with at(2):
        assert reclassified(ticket, bob, "low")["due_at"] == after(hours=1)
    assert promised_lines(ticket) == []


def test_another_category_under_the_same_service_level_changes_nothing(alice, bob, ada):
    make_policy(answer=8)
    with at():
        ticket = make_ticket(alice, bob, by=ada)
    before = promise(ticket)
    with at(1):
        assert reclassified(ticket, bob, "normal", make_category()) == before
    assert (promised_lines(ticket), told(ticket, alice)) == ([], 0)


def test_while_it_waits_only_the_time_to_solve_is_reckoned_anew(alice, bob, ada):
    make_policy(answer=8, solve=40)
    make_policy(answer=2, solve=10, priority="urgent")
    with at():
        ticket = make_ticket(alice, bob, by=ada)
    with at(1):
        actions.change_status(ticket, Status.WAITING, by=bob)
        due_at = ticket.due_at
        found = reclassified(ticket, bob)

    assert (found["due_at"], found["resolve_by"]) == (due_at, None)
    assert found["resolve_left"] == 9 * HOUR
    assert promised_lines(ticket) == []


def test_a_moved_deadline_tells_the_customer_why(alice, bob, ticket):
    """D1-15"""
    to = ticket.due_at + timedelta(days=3)
    before = ticket.due_at

    actions.move_promise(ticket, by=bob, to=to, reason="The part comes on Friday.")

    assert promise(ticket)["due_at"] == to
    data = {"from": before.isoformat(), "to": to.isoformat(), "because": "hand"}
    assert promised_lines(ticket) == [(data, "The part comes on Friday.", Audience.EVERYONE)]
    assert told(ticket, alice) == 1


@pytest.mark.parametrize(
    ("status", "days", "reason"),
    [
        pytest.param(Status.OPEN, 1, "", id="no reason"),
        pytest.param(Status.OPEN, -1, "Because.", id="past"),
        pytest.param(Status.WAITING, 1, "Because.", id="not ours"),
    ],
)
def test_a_deadline_is_not_moved(bob, ticket, status, days, reason):
    if status != ticket.status:
        actions.change_status(ticket, status, by=bob)
    before = promise(ticket)

    to = datetime.now(UTC) + timedelta(days=days)
    with pytest.raises(TicketRefusal):
        actions.move_promise(ticket, by=bob, to=to, reason=reason)

    assert (promise(ticket), promised_lines(ticket)) == (before, [])


def test_a_removed_service_level_leaves_the_promise_and_then_the_setting(alice, bob, ada):
    policy = make_policy(answer=8)
    with at():
        ticket = make_ticket(alice, bob, by=ada)
    policy.delete()
    sla.forget()

    assert promise(ticket)["due_at"] == after(days=1)
    with at(1):
        post_message(ticket, by=bob, body="We look into it.")
    assert promise(ticket)["due_at"] == after(hours=5)


def test_known_service_levels_cost_no_query(alice, kettles, django_assert_num_queries):
    for _n in range(3):
        make_policy(category=make_category())
    sla.terms_for(kettles, "normal")

    with django_assert_num_queries(0):
        sla.terms_for(kettles, "normal")
    sla.forget()
    with django_assert_num_queries(3):  # levels with calendars, hours, holidays
        sla.terms_for(kettles, "normal")


def test_a_warning_comes_in_opening_hours(alice, bob, ada):
    """D1-15: one hour before Monday, half past nine, is an hour of Friday."""
    make_policy(answer=8, solve=16, warn=1)
    with at(hours=93.5):  # Friday, half past nine
        ticket = make_ticket(alice, bob, by=ada)

    assert ticket.due_at == after(days=6, hours=21.5)
    assert ticket.wakes_at == after(days=4, hours=4.5)


@pytest.mark.parametrize(
    "lengths",
    [
        pytest.param({"answer": 8, "warn": 8}, id="warned at the start"),
        pytest.param({"answer": 8, "warn": 9}, id="warned before the start"),
        pytest.param({"answer": 8, "solve": 7}, id="solved before the answer"),
        pytest.param({"answer": 0}, id="at once"),
    ],
)
def test_the_database_keeps_no_senseless_service_level(db, lengths):
    with pytest.raises(IntegrityError), transaction.atomic():
        make_policy(**lengths)
    make_policy(answer=8, solve=8, warn=7)

    assert SlaPolicy.objects.count() == 1


@pytest.mark.parametrize("closes", ["09:00", "08:59"])
def test_the_database_keeps_no_hours_that_close_before_they_open(db, closes):
    with pytest.raises(IntegrityError), transaction.atomic():
        make_calendar(closes=closes)
    make_calendar(closes="00:00")


def test_a_resolved_ticket_owes_no_solution(alice, bob, ada):
    make_policy(answer=4, solve=16)
    ticket = make_ticket(alice, bob, by=ada)

    actions.change_status(
        ticket, Status.RESOLVED, by=bob, text="Done.", resolution=ResolutionKind.ANSWERED
    )

    assert Ticket.objects.filter(resolve_by=None, resolve_left__gt=timedelta()).get() == ticket
