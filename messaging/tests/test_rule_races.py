"""Workers against each other, and against people, at the same moment."""

from datetime import timedelta
from functools import partial

import pytest

from messaging import ruling
from messaging.actions import post_message
from notifications.models import Notification
from tickets import history
from tickets.automation import rules
from tickets.models import RuleRun, Ticket, TicketEvent
from tickets.tests.factories import make_ticket
from tickets.tests.racing import race
from tickets.tests.ruled import make_rule, runs

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]

MANY = 20


@pytest.fixture
def tickets(alice, settings):
    settings.TICKETS_PER_HOUR = 1000
    return [make_ticket(requester=alice) for _number in range(MANY)]


def written_by(rule):
    return TicketEvent.objects.filter(data__by_rule=rule.pk).values_list("ticket", flat=True)


@pytest.mark.plan("SEC-E2")
def test_three_workers_do_each_act_once_and_in_order(tickets, alice):
    """P5: exactly once, whatever the number of workers; two rules of one cause keep their order."""
    first = make_rule("wrote", set_priority="high", message="We see.", position=1)
    second = make_rule("wrote", priorities=["high"], set_priority="urgent", position=2)
    for ticket in tickets:
        post_message(ticket, by=alice, body="Hello?")
    Notification.objects.all().delete()

    settled = race(*[ruling.run] * 3)

    assert sum(settled) == 2 * MANY
    assert {state for state, _answer in runs()} == {"done"}
    assert len(runs()) == 2 * MANY
    assert sorted(written_by(first)) == sorted([ticket.pk for ticket in tickets] * 2)
    assert sorted(written_by(second)) == sorted(ticket.pk for ticket in tickets)
    assert Notification.objects.filter(kind="message").count() == MANY
    assert list(history.problems(Ticket.objects.all())) == []


def test_three_schedulers_find_each_moment_once(tickets):
    """P5"""
    rule = make_rule("old", after=timedelta(minutes=6))
    later = tickets[-1].created_at + rule.after

    race(*[partial(rules.look, later)] * 3)

    assert runs() == [("owed", "")] * MANY


def test_people_write_while_rules_assign_and_classify(tickets, alice, bob, dave):
    """Nothing waits for ever, no line is lost."""
    make_rule("wrote", assign_to=bob, add_tags="seen")
    make_rule("wrote", assign_to=dave, add_tags="seen")

    def write():
        for ticket in tickets:
            post_message(Ticket.objects.get(pk=ticket.pk), by=alice, body="Hello?")

    outcomes = race(write, write, ruling.run, ruling.run)
    ruling.run()

    assert [each for each in outcomes if isinstance(each, Exception)] == []
    assert {state for state, _answer in runs()} == {"done"}
    assert TicketEvent.objects.filter(kind="message").count() == 2 * MANY
    assert list(history.problems(Ticket.objects.all())) == []


def test_what_only_shows_at_the_end_holds_up_no_other(tickets, alice, monkeypatch, caplog):
    """P5: a row that points nowhere is refused when all is to be kept."""
    broken = make_rule("wrote", note="First.")
    working = make_rule("wrote", set_priority="low")
    nowhere = partial(RuleRun.objects.create, rule_id=999_999)
    monkeypatch.setitem(ruling.VERBS, "note", lambda rule, run: nowhere(ticket=run.ticket))

    post_message(tickets[0], by=alice, body="Hello?")
    ruling.run()

    assert runs(rule=broken) == [("owed", "It could not be done. The worker’s log says why.")]
    assert runs(rule=working) == [("done", "priority: Low")]
    assert "IntegrityError" in caplog.text
