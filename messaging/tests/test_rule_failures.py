"""Rules that can't do what they say: what stays, and when they try again."""

from datetime import timedelta
from itertools import pairwise

import pytest
import time_machine
from django.utils import timezone

from messaging import ruling
from messaging.actions import post_message
from tickets import actions, fields, removal
from tickets.models import RuleRun, Tag, TicketEvent
from tickets.tests.factories import make_ticket
from tickets.tests.ruled import lines_by, make_rule, runs
from tickets.workflow import Status

pytestmark = pytest.mark.django_db


Kind = TicketEvent.Kind


def write(desk):
    post_message(desk.ticket, by=desk.alice, body="Hello?")


def test_what_is_refused_is_kept_with_the_reason_and_nothing_is_half_done(desk):
    """P5: a visible dead letter, and the others go on."""
    failing = make_rule("raised", note="Wait.", move_to=Status.WAITING)
    working = make_rule("raised", note="Go on.")

    new = make_ticket(requester=desk.alice)
    ruling.run()

    assert runs(rule=failing) == [("failed", f"{new} cannot go from New to Waiting on customer.")]
    assert (lines_by(failing), lines_by(working)) == ([], [Kind.NOTE])
    assert ruling.run() == 0


def test_the_agent_who_left_is_given_nothing(desk):
    make_rule("wrote", assign_to=desk.dave)
    desk.dave.standing = "suspended"
    desk.dave.save()

    write(desk)
    ruling.run()

    assert runs() == [("failed", "Dave Dunn can't be given this ticket.")]


def test_what_nobody_foresaw_is_logged_and_the_others_go_on(desk, monkeypatch, caplog):
    """P5"""
    broken = make_rule("wrote", note="First.")
    working = make_rule("wrote", set_priority="low")
    monkeypatch.setitem(ruling.VERBS, "note", lambda rule, run: 1 / 0)

    write(desk)
    ruling.run()

    assert runs(rule=broken) == [("owed", "It could not be done. The worker’s log says why.")]
    assert "ZeroDivisionError" in caplog.text
    assert lines_by(working) == [Kind.CLASSIFIED]


@pytest.fixture
def broken_rule(desk, monkeypatch):
    """One whose note can’t be written, as often as ``broken_rule.tries`` says."""
    rule = make_rule("wrote", note="First.")
    rule.tries = []

    def fail(rule_, run):
        rule.tries.append(timezone.now())
        raise ZeroDivisionError

    monkeypatch.setitem(ruling.VERBS, "note", fail)
    write(desk)
    return rule


def tried_until(hours):
    """The job of each minute, as far as it has anything to do."""
    begin = timezone.now()
    for minutes in range(0, hours * 60, 5):
        with time_machine.travel(begin + timedelta(minutes=minutes), tick=False):
            ruling.run()


def test_what_failed_is_tried_again_each_time_after_longer_and_then_no_more(broken_rule, caplog):
    tried_until(hours=24)

    waits = [later - sooner for sooner, later in pairwise(broken_rule.tries)]
    assert len(waits) == 4
    assert waits == sorted(waits)
    assert waits[0] < timedelta(minutes=6) < timedelta(hours=6) <= waits[-1]
    assert runs() == [("failed", "It could not be done. The worker’s log says why.")]
    assert RuleRun.objects.get().tries == 5


def test_what_works_the_next_time_is_done_once(broken_rule, monkeypatch, caplog):
    ruling.run()
    monkeypatch.undo()

    tried_until(hours=24)

    assert runs() == [("done", "an internal note")]
    assert lines_by(broken_rule) == [Kind.NOTE]


def test_administrators_see_on_the_dashboard_that_rules_fail(broken_rule, login, desk, caplog):
    words = "Within a week rules could not do what they should (1)."
    console = login(desk.ada)
    assert words not in console.get("/admin/").text
    ruling.run()
    assert words in console.get("/admin/").text

    tried_until(hours=24)

    with time_machine.travel(timezone.now() + timedelta(hours=24)):
        console = login(desk.ada)
        assert words in console.get("/admin/").text
        listed = console.get("/admin/tickets/rulerun/?trouble=yes").context["cl"].result_list
    assert [run.rule for run in listed] == [broken_rule]
    with time_machine.travel(timezone.now() + timedelta(days=9)):
        assert words not in login(desk.ada).get("/admin/").text


def test_a_ticket_in_the_bin_is_left_alone(desk):
    rule = make_rule("wrote")
    write(desk)
    actions.bin_ticket(desk.ticket, by=desk.ada)

    ruling.run()

    assert lines_by(rule) == runs() == []


def test_the_trace_goes_with_a_ticket_that_is_removed_for_good(desk, settings):
    settings.BIN_DAYS = 0
    make_rule("wrote", note="Look.", tell_agent=True)
    write(desk)
    ruling.run()
    actions.bin_ticket(desk.ticket, by=desk.ada)

    removal.remove_for_good(desk.ticket, by=desk.ada)

    assert runs() == []


def test_the_tag_a_rule_looks_for_outlives_the_tickets(desk):
    """Without it the rule would act on every ticket."""
    fields.tag(desk.ticket, ["recall", "kitchen"])
    rule = make_rule(tags=[Tag.objects.get(name="recall")])

    fields.erase(desk.ticket)

    assert [tag.name for tag in Tag.objects.all()] == ["recall"]
    assert rule.tags.count() == 1
