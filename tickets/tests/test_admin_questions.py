"""The questions of a category in the console: defined, kept, answered."""

import pytest
from django.urls import reverse

from tickets import actions, fields

from .factories import make_category


def name(question):
    return f"field_{question.pk}"


def category_page(category):
    return reverse("admin:tickets_category_change", args=[category.pk])


def inline(category, *questions, **changes):
    """What the page of ``category`` sends with these ``questions``."""
    rows = {"experts-TOTAL_FORMS": 0, "experts-INITIAL_FORMS": 0}
    rows |= {"fields-TOTAL_FORMS": len(questions), "fields-INITIAL_FORMS": 0}
    for number, question in enumerate(questions):
        if "id" in question:
            rows["fields-INITIAL_FORMS"] += 1
        usual = {"label": "Size", "kind": "text", "position": 0, "category": category.pk}
        typed = usual | {"is_for_requester": "on", "is_active": "on"} | question
        rows |= {f"fields-{number}-{key}": value for key, value in typed.items()}
    own = {"name": category.name, "team_name": category.team_name, "position": 0}
    usual = {"is_active": "on", "default_priority": "normal", "routing": "suggested"}
    return own | usual | rows | changes


def test_a_question_is_defined_in_the_console(login, ada, kettles):
    """D1-16"""
    choice = {"label": "Size", "kind": "choice", "choices": "Small\n Large \n\nSmall"}

    answer = login(ada).post(category_page(kettles), inline(kettles, choice))

    assert answer.status_code == 302
    question = kettles.fields.get()
    assert (str(question), question.choice_list) == ("Size", ["Small", "Large"])


UNCLEAR = [
    pytest.param({"kind": "choice"}, "Write the choices", id="no choices"),
    pytest.param({"choices": "a\nb"}, "Write the choices", id="choices of a text"),
    pytest.param(
        {"kind": "choice", "choices": "x" * 501}, "500 characters or less", id="long choice"
    ),
    pytest.param(
        {"is_required_to_raise": "on", "is_for_requester": ""},
        "What customers don’t see can’t be needed to raise a ticket",
        id="unseen",
    ),
    pytest.param({"label": "", "position": 3}, "This field is required", id="no question"),
]


@pytest.mark.parametrize(("question", "words"), UNCLEAR)
def test_a_question_nobody_could_answer_is_refused(login, ada, kettles, question, words):
    """Bad input of D1-16."""
    page = login(ada).post(category_page(kettles), inline(kettles, question))

    assert words in page.text
    assert not kettles.fields.exists()


def test_a_question_with_answers_is_not_removed(login, ada, bob, ticket, kettles, serial):
    """Refused with the reason, and without anybody's answers; switched off it may be."""
    fields.answer(ticket, by=bob, answers={serial: "zqanswerzq"})
    row = {"id": serial.pk, "label": "Serial number"}

    page = login(ada).post(category_page(kettles), inline(kettles, row | {"DELETE": "on"}))
    assert "Tickets have answers to it. Make it inactive: it is asked no more" in page.text
    assert "zqanswerzq" not in page.text
    assert kettles.fields.get() == serial

    login(ada).post(category_page(kettles), inline(kettles, row | {"is_active": ""}))
    assert not kettles.fields.get().is_active


def test_a_question_without_answers_is_removed(login, ada, kettles, serial):
    row = {"id": serial.pk, "label": "Serial number", "DELETE": "on"}

    login(ada).post(category_page(kettles), inline(kettles, row))

    assert not kettles.fields.exists()


def test_the_kind_of_an_answered_question_stays(login, ada, bob, ticket, kettles, serial):
    fields.answer(ticket, by=bob, answers={serial: "K2"})
    row = {"id": serial.pk, "label": "Serial number", "kind": "number"}

    page = login(ada).post(category_page(kettles), inline(kettles, row))

    assert "It has answers of another kind" in page.text


def test_a_category_whose_questions_were_answered_is_not_deleted(
    login, ada, bob, ticket, kettles, serial
):
    fields.answer(ticket, by=bob, answers={serial: "K2"})
    actions.classify(ticket, by=bob, priority="normal", category=make_category("Lamps"))
    delete = reverse("admin:tickets_category_delete", args=[kettles.pk])

    page = login(ada).post(delete, {"post": "yes"}, follow=True)

    assert "is in use" in page.text


def test_the_console_shows_and_changes_answers(login, ada, ticket, shelf):
    client = login(ada)
    page = reverse("admin:tickets_ticket_details", args=[ticket.pk])

    assert "Needed to resolve the ticket" in client.get(page).text
    client.post(page, {name(shelf): "<b>A-1</b>"})

    facts = client.get(reverse("admin:tickets_ticket_change", args=[ticket.pk]))
    assert "Shelf: &lt;b&gt;A-1&lt;/b&gt;" in facts.text
    assert "1 of its details changed" in facts.text
