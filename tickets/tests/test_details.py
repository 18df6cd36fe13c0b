"""The answers to what a category asks besides: who sees and changes them, needed to resolve."""

from datetime import date

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from messaging import actions as messaging
from tickets import actions, fields
from tickets.erasure import erase_ticket
from tickets.fields import DetailsMissing
from tickets.models import CategoryField, FieldValue
from tickets.workflow import ResolutionKind, Status, TicketRefusal

from .factories import make_category, make_question
from .reading import problems, text, texts, told

SOLVED = {"text": "Replaced it.", "resolution": ResolutionKind.REPLACED}


def answers(ticket):
    return dict(ticket.field_values.values_list("field__label", "value"))


def name(question):
    return f"field_{question.pk}"


def answer_page(ticket):
    return reverse("tickets:details", args=[ticket.reference])


def make_day(kettles, kind):
    return make_question(kettles, "Day", kind, choices="Red\nBlue" if kind == "choice" else "")


# --- Who sees and changes them ---------------------------------------------------------


@pytest.mark.plan("SEC-A5")
def test_the_requester_never_meets_what_is_for_staff(login, alice, bob, ticket, shelf):
    fields.answer(ticket, by=bob, answers={shelf: "zqshelfzq"})
    pages = [
        ticket.get_absolute_url(),
        reverse("messaging:lines", args=[ticket.reference]) + "?after=0",
        reverse("tickets:done", args=[ticket.reference]),
        reverse("tickets:list"),
    ]

    for page in pages:
        answer = login(alice).get(page)
        assert answer.status_code == 200
        assert "zqshelfzq" not in answer.text
        assert "details" not in texts(answer, ".ccr-log__event")
    assert "zqshelfzq" in login(bob).get(ticket.workspace_url).text


def test_its_agent_answers_and_the_line_names_the_question_only(login, alice, bob, ticket, shelf):
    """D1-16"""
    page = login(bob).post(answer_page(ticket), {name(shelf): "A-1"}, follow=True)

    line = ticket.events.last()
    assert told(page) == ["Saved"]
    assert answers(ticket) == {"Shelf": "A-1"}
    assert (line.kind, line.audience, line.data, line.text) == (
        "fields", "staff", {"fields": [shelf.pk]}, "",
    )  # fmt: skip
    assert "Bob Baker changed details." in text(login(bob).get(ticket.workspace_url), "#log")


def test_the_same_answers_write_nothing_and_an_emptied_one_goes(login, bob, ticket, shelf):
    client = login(bob)
    client.post(answer_page(ticket), {name(shelf): "A-1"})
    count = ticket.events.count()

    client.post(answer_page(ticket), {name(shelf): "A-1"})
    assert ticket.events.count() == count
    client.post(answer_page(ticket), {name(shelf): ""})

    assert ticket.events.count() == count + 1
    assert not FieldValue.objects.exists()


def test_an_answer_outlives_its_choice(login, bob, ticket, kettles):
    """D1-16: nothing is lost when somebody saves another answer."""
    colour = make_day(kettles, "choice")
    note = make_question(kettles, "Note")
    fields.answer(ticket, by=bob, answers={colour: "Red"})
    CategoryField.objects.filter(pk=colour.pk).update(choices="Blue")

    login(bob).post(answer_page(ticket), {name(colour): "Red", name(note): "x"})

    assert answers(ticket) == {"Day": "Red", "Note": "x"}


def test_a_wrong_answer_of_staff_changes_nothing(login, bob, ticket, kettles):
    count = make_question(kettles, "Pieces", "number")

    page = login(bob).post(answer_page(ticket), {name(count): "two"})

    assert page.status_code == 422
    assert problems(page)[0] == ["Enter a number, like 12 or 12.5"]
    assert answers(ticket) == {}


def test_others_answer_nothing(alice, carol, dave, bob, ticket, serial):
    for person in (alice, carol, dave):
        with pytest.raises(PermissionDenied):
            fields.answer(ticket, by=person, answers={serial: "x"})

    assert fields.answer(ticket, by=bob, answers={serial: "x"}) is not None


def test_an_answer_to_another_category_comes_too_late(bob, ticket, serial):
    actions.classify(ticket, by=bob, priority="normal", category=make_category("Lamps"))

    with pytest.raises(TicketRefusal):
        fields.answer(ticket, by=bob, answers={serial: "x"})

    assert answers(ticket) == {}


@pytest.mark.parametrize("how", ["switched off", "another category"])
def test_old_answers_stay_readable(login, bob, ticket, kettles, serial, how):
    fields.answer(ticket, by=bob, answers={serial: "K2"})
    if how == "switched off":
        CategoryField.objects.update(is_active=False)
    else:
        lamps = make_category("Lamps")
        actions.classify(ticket, by=bob, priority="normal", category=lamps)

    page = login(bob).get(ticket.workspace_url)
    form = login(bob).get(answer_page(ticket))

    assert "Serial number K2" in text(page, "#ticket-facts")
    assert "This category asks nothing besides." in form.text


@pytest.mark.plan("SEC-G2")
@pytest.mark.parametrize("who", ["alice", "bob"])
def test_more_questions_cost_no_more_queries(login, request, bob, ticket, kettles, who):
    person = request.getfixturevalue(who)
    client = login(person)
    counts = []
    for number in range(3):
        question = make_question(kettles, f"Question {number}")
        fields.answer(ticket, by=bob, answers={question: "x"})
        with CaptureQueriesContext(connection) as captured:
            client.get(ticket.url_for(person))
        counts.append(len(captured))

    assert counts == [counts[0]] * 3


# --- Needed to resolve -----------------------------------------------------------------


def test_nothing_is_resolved_before_what_is_needed_is_known(bob, ticket, shelf):
    """D1-16: and nothing half-done stays."""
    with pytest.raises(DetailsMissing) as refused:
        actions.change_status(ticket, Status.RESOLVED, by=bob, **SOLVED)
    assert str(refused.value) == "Answer “Shelf” before you resolve it."
    ticket.refresh_from_db()
    assert ticket.status == Status.OPEN

    actions.change_status(ticket, Status.RESOLVED, by=bob, answers={shelf: "A-1"}, **SOLVED)

    kinds = ticket.events.order_by("number").values_list("kind", flat=True)
    assert list(kinds)[-2:] == ["fields", "status"]
    assert answers(ticket) == {"Shelf": "A-1"}


def test_the_clock_is_asked_nothing(bob, ticket, shelf):
    """Nobody is there to answer."""
    actions.change_status(ticket, Status.WAITING, by=bob)

    actions.change_status(ticket, Status.RESOLVED, by=None, rule="silence", **SOLVED)

    assert ticket.status == Status.RESOLVED


def test_the_new_category_says_what_is_needed(bob, ticket, shelf):
    lamps = make_category("Lamps")
    actions.classify(ticket, by=bob, priority="normal", category=lamps)
    bulb = make_question(lamps, "Bulb", is_required_to_resolve=True)

    with pytest.raises(DetailsMissing) as refused:
        actions.change_status(ticket, Status.RESOLVED, by=bob, **SOLVED)

    assert refused.value.missing == [bulb]


def resolve_by_panel(ticket, **typed):
    url = reverse("messaging:move", args=[ticket.reference])
    return url, {"status": "resolved", **SOLVED, **typed}


def resolve_by_reply(ticket, **typed):
    url = reverse("messaging:write", args=[ticket.reference])
    words = {"kind": "reply", "body": "Replaced it.", "then": "resolved", "resolution": "replaced"}
    return url, words | typed


def resolve_in_console(ticket, **typed):
    url = reverse("admin:tickets_ticket_move", args=[ticket.pk])
    return url, {"status": "resolved", **SOLVED, **typed}


@pytest.mark.parametrize("way", [resolve_by_panel, resolve_by_reply, resolve_in_console])
def test_each_way_to_resolve_asks_for_it(login, ada, ticket, shelf, way):
    """D0-24: with the reason beside the question; the words are kept."""
    client = login(ada)
    url, words = way(ticket)

    refused = client.post(url, words)
    ticket.refresh_from_db()
    before = ticket.status
    client.post(url, words | {name(shelf): "A-1"})

    ticket.refresh_from_db()
    assert "Answer this to resolve the ticket" in refused.text
    assert "Replaced it." in refused.text
    assert (before, ticket.status) == (Status.OPEN, Status.RESOLVED)
    assert answers(ticket) == {"Shelf": "A-1"}


def test_a_reply_that_resolves_nothing_needs_nothing(bob, ticket, shelf):
    messaging.post_message(ticket, by=bob, body="Which model?", then=Status.WAITING)

    assert ticket.status == Status.WAITING


# --- Leaving ---------------------------------------------------------------------------


def test_answers_leave_with_the_words(bob, ticket, serial):

    fields.answer(ticket, by=bob, answers={serial: "K2"})

    erase_ticket(ticket, by=None)

    assert not FieldValue.objects.exists()


def test_dates_of_staff_come_from_the_browsers_calendar(login, bob, ticket, kettles):
    day = make_day(kettles, "date")

    login(bob).post(answer_page(ticket), {name(day): "2026-11-03"})

    assert answers(ticket) == {"Day": date(2026, 11, 3).isoformat()}
    assert 'value="2026-11-03"' in login(bob).get(answer_page(ticket)).text
