"""Rules of operators: what sets them off, what they do, once, and what is seen of it."""

from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from messaging import ruling, tasks
from messaging.actions import post_message, post_note
from notifications.models import Notification
from tickets import actions, fields, history
from tickets.automation import clockwork, rules
from tickets.models import RuleRun, Tag, Ticket, TicketEvent
from tickets.tests.factories import make_category, make_ticket
from tickets.tests.ruled import lines_by, make_rule, runs
from tickets.workflow import Part, ResolutionKind, Status, TicketRefusal, next_statuses

pytestmark = pytest.mark.django_db


Kind = TicketEvent.Kind
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def told(kind):
    """Who is owed a mail of this kind."""
    owed = Notification.objects.filter(kind=kind).order_by("pk")
    return [notification.recipient.first_name for notification in owed]


def is_whole():
    return list(history.problems(Ticket.objects.all())) == []


def raise_another(desk):
    make_ticket(requester=desk.alice)


def write(desk):
    post_message(desk.ticket, by=desk.alice, body="Hello?")


def answer(desk):
    post_message(desk.ticket, by=desk.bob, body="Hello!")


def note(desk):
    post_note(desk.ticket, by=desk.bob, body="Hm.")


def move(desk):
    actions.change_status(desk.ticket, Status.WAITING, by=desk.bob)


def resolve(desk):
    solved = {"text": "Replaced.", "resolution": ResolutionKind.REPLACED}
    actions.change_status(desk.ticket, Status.RESOLVED, by=desk.bob, **solved)


def hand_on(desk):
    actions.assign(desk.ticket, to=desk.dave, by=desk.ada)


def classify(desk):
    actions.classify(desk.ticket, by=desk.bob, priority="low", category=desk.ticket.category)


def rate(desk):
    if desk.ticket.is_live:
        resolve(desk)
    actions.rate(desk.ticket, by=desk.alice, rating=1)


def miss(desk):
    past = desk.ticket.created_at
    row = Ticket.objects.filter(pk=desk.ticket.pk)
    row.update(due_at=past, wakes_at=past, clocked_until=LONG_AGO)
    clockwork.run()


HAPPENS = [
    ("raised", raise_another, write),
    ("wrote", write, answer),
    ("answered", answer, write),
    ("answered", resolve, move),
    ("assigned", hand_on, move),
    ("moved", move, write),
    ("classified", classify, move),
    ("rated", rate, resolve),
    ("missed", miss, classify),
]


# --- When ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trigger", "cause", "other"), HAPPENS, ids=[f"{t}-{c.__name__}" for t, c, _o in HAPPENS]
)
def test_a_cause_sets_a_rule_off_once_and_nothing_else_does(desk, trigger, cause, other):
    """P5"""
    rule = make_rule(trigger)
    other(desk)
    note(desk)
    ruling.run()
    assert lines_by(rule) == []

    desk.ticket.refresh_from_db()
    cause(desk)
    assert (ruling.run(), ruling.run()) == (1, 0)

    assert lines_by(rule) == [Kind.NOTE]
    assert runs() == [("done", "an internal note")]
    assert is_whole()


def test_a_rule_acts_only_while_it_is_switched_on(desk):
    rule = make_rule("wrote", is_active=False)
    write(desk)
    rules.switch(rule, on=True)
    rules.forget()
    write(desk)
    rules.switch(rule, on=False)  # before the worker came to it

    ruling.run()

    assert lines_by(rule) == runs() == []


def test_a_look_goes_with_its_cause(desk, django_capture_on_commit_callbacks, monkeypatch):
    """P5: the row is the promise, and the bell rings once it is kept."""
    make_rule("wrote")
    rung = []
    monkeypatch.setattr("accounts.bells._ring", rung.append)

    with pytest.raises(TicketRefusal), django_capture_on_commit_callbacks(execute=True):
        post_message(desk.ticket, by=desk.alice, body="Yes", then=Status.HOLD)
    assert (runs(), rung) == ([], [])
    with django_capture_on_commit_callbacks(execute=True):
        write(desk)

    assert runs() == [("owed", "")]
    assert rung.count("messaging.tasks.run_rules") == 1


def test_the_job_sees_to_what_is_owed(desk):
    rule = make_rule("wrote")
    write(desk)

    tasks.run_rules()

    assert lines_by(rule) == [Kind.NOTE]


def test_what_a_rule_writes_sets_no_rule_off(desk):
    """Two rules that would call each other for ever: the one that was called acts, once."""
    alarm = make_rule("classified", priorities=["low"], set_priority="urgent")
    calm = make_rule("classified", priorities=["urgent"], set_priority="low", position=0)

    classify(desk)
    ruling.run()

    assert (lines_by(alarm), lines_by(calm)) == ([Kind.CLASSIFIED], [Kind.CLASSIFIED])
    desk.ticket.refresh_from_db()
    assert desk.ticket.priority == "low"
    assert RuleRun.objects.filter(state="owed").count() == ruling.run() == 0


def test_rules_act_in_their_order_each_on_what_the_one_before_left(desk):
    second = make_rule("wrote", position=2, tags=[Tag.objects.create(name="recall")], note="Two.")
    make_rule("wrote", position=1, words="recall", add_tags="recall", note="One.")
    third = make_rule("wrote", position=3, tags=[Tag.objects.create(name="lamps")], note="Three.")

    post_message(desk.ticket, by=desk.alice, body="Is there a recall?")
    ruling.run()

    notes = desk.ticket.events.filter(kind=Kind.NOTE).order_by("number")
    assert list(notes.values_list("text", flat=True)) == ["One.", "Two."]
    assert lines_by(second) == [Kind.NOTE]
    assert not RuleRun.objects.filter(rule=third).exists()  # no trace of what did not apply


# --- Then ---------------------------------------------------------------------------


def test_a_rule_does_all_it_says_as_nobody(desk):
    """Each line names the rule, and the trace says what came of it."""
    rule = make_rule(
        "wrote",
        assign_to=desk.dave,
        set_priority="urgent",
        set_category=make_category("Recalls"),
        add_tags="burnt, recall",
        note="Ask for the serial number.",
        message="Please unplug it.",
        move_to=Status.WAITING,
    )
    fields.tag(desk.ticket, ["kitchen"])

    write(desk)
    ruling.run()

    ticket = Ticket.objects.get(pk=desk.ticket.pk)
    assert (ticket.assignee, ticket.priority, ticket.status) == (desk.dave, "urgent", "waiting")
    assert ticket.category.name == "Recalls"
    assert [tag.name for tag in ticket.tags.all()] == ["burnt", "kitchen", "recall"]
    kinds = [Kind.ASSIGNED, Kind.CLASSIFIED, Kind.NOTE, Kind.MESSAGE, Kind.STATUS]
    assert lines_by(rule) == kinds
    assert runs() == [
        (
            "done",
            "agent: Dave Dunn; priority: Urgent; category: Recalls; tags: burnt, recall; "
            "an internal note; a message to the customer; status: Waiting on customer",
        )
    ]
    assert is_whole()


def test_a_message_of_a_rule_is_mailed_but_is_no_answer(desk):
    """No promise is kept by it, and nobody is taken for having answered."""
    make_rule("wrote", message="We have got it.")
    write(desk)
    before = Ticket.objects.values("due_at", "first_responded_at", "last_message_by").get()
    Notification.objects.all().delete()

    ruling.run()

    assert Ticket.objects.values(*before).get() == before
    assert Ticket.objects.get().message_count == 3
    assert told("message") == ["Alice"]


@pytest.mark.parametrize(
    ("status", "moves"),
    [
        (Status.NEW, [Status.RESOLVED]),
        (Status.OPEN, [Status.WAITING, Status.RESOLVED]),
        (Status.WAITING, [Status.OPEN, Status.RESOLVED]),
        (Status.HOLD, [Status.OPEN, Status.WAITING, Status.RESOLVED]),
        (Status.RESOLVED, []),
        (Status.CLOSED, []),
        (Status.WITHDRAWN, []),
    ],
)
def test_where_a_rule_may_move_a_ticket(status, moves):
    assert next_statuses(status, Part.RULE) == moves


def test_to_resolve_is_to_say_so(desk):
    rule = make_rule("wrote", words="thanks", message="Glad to help.", move_to=Status.RESOLVED)

    post_message(desk.ticket, by=desk.alice, body="Thanks!")
    ruling.run()

    desk.ticket.refresh_from_db()
    assert (desk.ticket.status, desk.ticket.resolution_kind) == ("resolved", "other")
    assert desk.ticket.status_event.text == "Glad to help."
    assert lines_by(rule) == [Kind.STATUS]


def test_nothing_left_to_do_leaves_no_trace(desk):
    make_rule("wrote", set_priority=desk.ticket.priority, assign_to=desk.bob)

    write(desk)

    assert ruling.run() == 1
    assert runs() == []


def test_a_rule_tells_staff_who_may_see_the_ticket(desk, carol):
    """SEC-D19: once each; who may not see it hears nothing, and its requester never."""
    make_rule("wrote", tell=[desk.ada, desk.dave, desk.bob], tell_agent=True)

    write(desk)
    ruling.run()

    assert sorted(told("ruled")) == ["Ada", "Bob"]


def test_an_administrator_is_not_told_of_their_own_complaint(desk):
    make_rule("raised", tell=[desk.ada], tell_agent=True)

    make_ticket(requester=desk.ada)
    ruling.run()

    assert told("ruled") == []


# --- Seen ---------------------------------------------------------------------------


def test_staff_read_which_rule_it_was_and_the_customer_reads_the_registry(desk, login):
    """Also who is told by the trace: "rule X did this"."""
    rule = make_rule(
        "wrote", message="We have got it.", set_priority="urgent", assign_to=desk.dave, note="See!"
    )
    write(desk)
    ruling.run()

    theirs = login(desk.alice).get(desk.ticket.get_absolute_url()).text
    ours = login(desk.dave).get(desk.ticket.workspace_url).text
    console = reverse("admin:tickets_ticket_change", args=[desk.ticket.pk])
    facts = login(desk.ada).get(console).text

    assert "We have got it." in theirs
    assert "The registry" in theirs
    assert rule.name not in theirs
    assert ours.count(f"Rule “{rule.name}” did this") == 4
    assert facts.count(f"(rule “{rule.name}”)") == 4


def test_nobody_by_the_name_of_no_rule_moves_nothing_that_time_does_not(desk):
    """Only a rule of operators may do what rules may."""
    with pytest.raises(TicketRefusal):
        actions.change_status(desk.ticket, Status.WAITING, by=None)

    actions.change_status(desk.ticket, Status.WAITING, by=None, rule=make_rule())


@pytest.mark.parametrize("count", [1, 3])
def test_the_names_of_rules_cost_one_query(desk, login, count):
    for _number in range(count):
        make_rule("wrote")
    write(desk)
    ruling.run()
    client = login(desk.bob)

    with CaptureQueriesContext(connection) as asked:
        client.get(desk.ticket.workspace_url)

    of_rules = [query for query in asked if '"tickets_rule"' in query["sql"]]
    assert len(of_rules) == 1


# --- By hand ------------------------------------------------------------------------


def test_the_dry_run_lists_what_would_be_done_and_writes_nothing(desk):
    rule = make_rule("wrote", words="hello", set_priority="urgent")
    make_rule("wrote", words="goodbye")
    write(desk)
    before = rows()

    listed, done = StringIO(), StringIO()
    call_command("run_rules", "--dry-run", stdout=listed)
    assert rows() == before
    call_command("run_rules", stdout=done)

    assert listed.getvalue() == f"{desk.ticket} {rule}: priority: Urgent\n"
    assert done.getvalue() == "2 acts of rules.\n"
    assert lines_by(rule) == [Kind.CLASSIFIED]


def rows():
    return [
        list(model.objects.order_by("pk").values())
        for model in (Ticket, TicketEvent, RuleRun, Notification)
    ]
