"""The complaint grade: which ticket has a case, what changes it, and what may end it."""

import pytest
import time_machine

from messaging.actions import post_message
from tickets import actions, history
from tickets.models import ComplaintCase, EscalationLevel, Stage, Ticket, TicketKind
from tickets.regulated import complaints
from tickets.tests.factories import make_category, make_ticket, make_track
from tickets.workflow import Status, TicketRefusal, TransitionRefused

from .graded import MONDAY, SOLVED, WORDS, stage_of, staged, told
from .reading import text

pytestmark = pytest.mark.django_db


# --- Which ticket has a case ------------------------------------------------------------


def test_a_complaint_in_a_regulated_category_gets_its_days(graded):
    """D4-7: acknowledged within 3 working days, answered within 20; a warning as the day begins."""
    case = ComplaintCase.objects.get()

    assert (case.stage, case.level, case.received_at) == (Stage.RECEIVED, 1, MONDAY)
    assert f"{case.acknowledge_by} {case.respond_by}" == (
        "2026-11-19 23:59:59+00:00 2026-12-14 23:59:59+00:00"
    )
    assert graded.legal_due_at == case.acknowledge_by
    assert f"{graded.legal_warn_at}" == "2026-11-18 00:00:00+00:00"
    line = graded.events.get(kind="staged")
    assert (line.audience, line.actor, line.text) == ("everyone", None, "")
    assert list(history.problems(Ticket.objects.all())) == []


@pytest.mark.parametrize(
    ("kind", "is_above", "has_case"),
    [("complaint", False, True), ("complaint", True, True), ("question", False, False)],
)
def test_which_tickets_the_law_has_rules_for(alice, track, kettles, kind, is_above, has_case):
    """Complaints, also in what is part of the category."""
    category = make_category("Spouts", parent=kettles) if is_above else kettles

    ticket = make_ticket(alice, category=category, kind=kind)

    assert ComplaintCase.objects.filter(ticket=ticket).exists() == has_case
    assert (ticket.legal_due_at is not None) == has_case


def classify(ticket, by, category=None, kind=None):
    category = category or ticket.category
    actions.classify(ticket, by=by, priority=ticket.priority, category=category, kind=kind)


def test_moved_into_such_a_category_it_counts_from_when_it_was_raised(alice, bob, ada):
    plain, regulated = make_category(), make_category()
    make_track(regulated)
    with time_machine.travel(MONDAY, tick=False):
        ticket = make_ticket(alice, assignee=bob, category=plain, by=ada)

    classify(ticket, bob, regulated)

    assert ComplaintCase.objects.get().received_at == MONDAY
    assert f"{ticket.legal_due_at:%d %b}" == "19 Nov"


@pytest.mark.parametrize("away", ["another category", "a question"])
@pytest.mark.parametrize("step", [None, "acknowledged", "escalated", "coded"])
def test_moved_away_the_case_goes_unless_something_was_done(graded, bob, codes, away, step):
    if step == "acknowledged":
        complaints.advance(graded, Stage.ACKNOWLEDGED, by=bob)
    elif step == "escalated":
        complaints.escalate(graded, EscalationLevel.MANAGEMENT, by=bob, text="He asked for it.")
    elif step == "coded":
        complaints.code(graded, by=bob, cause=codes["cause"], remedy=None)

    if away == "a question":
        classify(graded, bob, kind=TicketKind.QUESTION)
    else:
        classify(graded, bob, make_category())

    assert ComplaintCase.objects.exists() == bool(step)
    assert (graded.legal_due_at is None) == (step is None)
    assert (staged(graded)[-1] is None) == (step is None)


def test_another_procedure_begins_anew(graded, bob):
    other = make_category()
    make_track(other, acknowledge=1, respond=5, days="calendar")

    classify(graded, bob, other)

    assert f"{graded.legal_due_at:%d %b}" == "17 Nov"
    assert staged(graded) == ["received", "received"]


def test_what_has_ended_gets_no_case(alice, bob, ada):
    regulated = make_category()
    make_track(regulated)
    ticket = make_ticket(alice, assignee=bob, by=ada, status=Status.RESOLVED)

    classify(ticket, bob, regulated)

    assert not ComplaintCase.objects.exists()


# --- Level and codes --------------------------------------------------------------------


def test_the_customer_reads_who_decides_and_why(login, graded, alice, bob):
    level = EscalationLevel.MANAGEMENT

    event = complaints.escalate(graded, level, by=bob, text="You asked for our director.")

    assert (event.kind, event.audience, event.data) == (
        "escalated",
        "everyone",
        {"from": 1, "to": 2},
    )
    assert ComplaintCase.objects.get().level == level
    page = login(alice).get(graded.get_absolute_url())
    assert "Bob Baker took the complaint to the management." in text(page, "#log")
    assert "You asked for our director." in text(page, "#log")
    assert "Who decides: Management" in text(page, "#complaint")
    assert told(alice, graded) == 1
    with pytest.raises(TicketRefusal, match="another level"):
        complaints.escalate(graded, level, by=bob, text="Again.")
    complaints.escalate(graded, EscalationLevel.TEAM, by=bob, text="She gave it back.")
    assert ComplaintCase.objects.get().level == EscalationLevel.TEAM


def test_after_the_response_it_may_still_go_outside(answered, alice, bob):
    actions.change_status(answered, Status.CLOSED, by=alice)

    complaints.escalate(answered, EscalationLevel.EXTERNAL, by=bob, text="The Ombudsman asked us.")

    assert ComplaintCase.objects.get().level == EscalationLevel.EXTERNAL


@pytest.mark.plan("SEC-A5")
def test_codes_are_for_staff(login, graded, alice, bob, codes):
    event = complaints.code(graded, by=bob, cause=codes["cause"], remedy=None)

    assert (event.kind, event.audience) == ("coded", "staff")
    assert event.data == {"cause": [None, codes["cause"].pk]}
    assert complaints.code(graded, by=bob, cause=codes["cause"], remedy=None) is None
    page = login(alice).get(graded.get_absolute_url()).text
    assert "Defect" not in page
    assert "changed cause" not in page
    page = login(bob).get(graded.workspace_url)
    assert "Defect" in text(page, "#complaint")
    assert "Bob Baker changed cause or remedy." in text(page, "#log")


# --- What may end it --------------------------------------------------------------------


@pytest.mark.parametrize("to", [Status.RESOLVED, Status.CLOSED])
@pytest.mark.parametrize("name", ["bob", "ada"])
def test_staff_end_it_after_the_response(request, login, graded, codes, name, to):
    """D4-7: nothing is filed away that the law wants answered."""
    person = request.getfixturevalue(name)
    words = SOLVED if to == Status.RESOLVED else {}

    with pytest.raises(TransitionRefused, match="needs its final response first"):
        actions.change_status(graded, to, by=person, **words)
    assert to not in graded.next_statuses(person)
    complaints.respond(graded, by=person, text=WORDS, **codes)

    actions.change_status(graded, to, by=person, **words)
    assert graded.status == to


def test_a_reply_does_not_resolve_it_either(graded, bob, codes):
    solved = {"body": "Paid back.", "then": Status.RESOLVED, "resolution": "refunded"}

    with pytest.raises(TransitionRefused):
        post_message(graded, by=bob, **solved)
    complaints.respond(graded, by=bob, text=WORDS, **codes)
    post_message(graded, by=bob, **solved)

    assert graded.status == Status.RESOLVED


@pytest.mark.parametrize("to", [Status.CLOSED, Status.WITHDRAWN])
def test_its_customer_ends_it_at_any_time(graded, alice, to):
    actions.change_status(graded, to, by=alice)

    assert graded.status == to


def test_opened_again_the_same_day_still_counts(graded, alice):
    due_at = graded.legal_due_at
    actions.change_status(graded, Status.CLOSED, by=alice)

    actions.change_status(graded, Status.OPEN, by=alice)

    assert (graded.legal_due_at, stage_of(graded)) == (due_at, Stage.RECEIVED)


def test_opened_again_after_the_response_the_law_asks_for_no_more(answered, alice, bob):
    actions.change_status(answered, Status.RESOLVED, by=bob, **SOLVED)

    actions.change_status(answered, Status.OPEN, by=alice)

    assert (answered.legal_due_at, stage_of(answered)) == (None, Stage.RESPONDED)
    actions.change_status(answered, Status.RESOLVED, by=bob, **SOLVED)


def test_opened_again_it_has_its_case_again(graded, bob, alice):
    """D4-7: what was set aside as a question, and resolved, does not slip through."""
    classify(graded, bob, kind=TicketKind.QUESTION)
    actions.change_status(graded, Status.RESOLVED, by=bob, **SOLVED)
    classify(graded, bob, kind=TicketKind.COMPLAINT)
    assert not ComplaintCase.objects.exists()

    actions.change_status(graded, Status.OPEN, by=alice)

    assert stage_of(graded) == Stage.RECEIVED
    assert graded.legal_due_at
