"""What a category asks besides, on the form and in the review."""

import pytest
from django.urls import reverse

from tickets import actions
from tickets.models import CategoryField, Ticket, TicketDraft

from .factories import make_category, make_question
from .hostile import STRINGS
from .raising import NEW, REVIEW, form_of, raise_ticket, send, write
from .reading import problems, text, texts

ASK = f"{NEW}#questions"


def answers(ticket):
    return dict(ticket.field_values.values_list("field__label", "value"))


def asked(category, **typed):
    """The form as it comes back once the questions of ``category`` stand on the page."""
    return form_of(category, asked=category.pk, **typed)


def name(question):
    return f"field_{question.pk}"


def test_without_scripts_the_next_page_asks(login, alice, kettles, serial):
    """D1-16: what was written stays, and nothing is judged that nobody could answer."""
    client = login(alice)

    answer = write(client, kettles)
    page = client.get(NEW)

    assert answer.url == ASK
    assert problems(page) == ([], [])
    assert "as it is about “Faulty product” Serial number" in text(page, "#questions")
    assert "Phone does not turn on" in page.text


def test_what_was_answered_is_reviewed_kept_and_shown(login, alice, bob, ada, kettles, serial):
    """D1-16, D4-2"""
    client = login(alice)
    client.post(NEW, asked(kettles, **{name(serial): " K2-4711 "}))
    review = client.get(REVIEW)

    done = client.get(send(client).url)

    ticket = Ticket.objects.get()
    actions.assign(ticket, to=bob, by=ada)
    assert "K2-4711" in texts(review, "dd")
    assert answers(ticket) == {"Serial number": "K2-4711"}
    assert "Serial number K2-4711" in text(done, "main")
    assert "Serial number K2-4711" in text(client.get(ticket.get_absolute_url()), "#ticket-aside")
    assert "Serial number K2-4711" in text(login(bob).get(ticket.workspace_url), "#ticket-facts")


@pytest.mark.parametrize("nothing", ["  ", "\u200b"])
def test_a_needed_answer_is_asked_for_beside_the_question(login, alice, kettles, serial, nothing):
    """D0-24"""
    client = login(alice)

    page = client.post(NEW, asked(kettles, **{name(serial): nothing}))

    beside, summary = problems(page)
    assert beside == ["Answer “Serial number”"]
    assert summary == ["There is a problem Answer “Serial number”"]
    assert f'href="#id_{name(serial)}"' in page.text
    assert client.get(REVIEW).url == f"{NEW}?check=1"


CHECKED = [
    pytest.param("number", "twelve", "Enter a number, like 12 or 12.5", id="a word"),
    pytest.param("number", "NaN", "Enter a number, like 12 or 12.5", id="not a number"),
    pytest.param("date", "31 2 2026", "Day must be a real date, like 3 11 2026", id="no such day"),
    pytest.param("date", "3 11 ", "Day must include a year", id="no year"),
    pytest.param("choice", "Green", "Choose one of the answers", id="no choice"),
    pytest.param("yes_no", "perhaps", "Choose one of the answers", id="perhaps"),
    pytest.param("text", "x" * 501, "Use 500 characters or less", id="too long"),
]


def typed(question, words):
    if question.kind != "date":
        return {name(question): words}
    return {f"{name(question)}_{box}": part for box, part in enumerate(words.split(" "))}


def make_day(kettles, kind):
    return make_question(kettles, "Day", kind, choices="Red\nBlue" if kind == "choice" else "")


@pytest.mark.parametrize(("kind", "words", "wrong"), CHECKED)
def test_a_wrong_answer_says_what_to_do(login, alice, kettles, kind, words, wrong):
    """D0-24, D0-T14"""
    question = make_day(kettles, kind)

    page = login(alice).post(NEW, asked(kettles, **typed(question, words)))

    assert problems(page)[0] == [wrong]


KEPT = [
    pytest.param("number", "012.50", "12.5", "12.5", id="number"),
    pytest.param("number", "-0", "0", "0", id="nought"),
    pytest.param("number", "1e3", "1000", "1000", id="power"),
    pytest.param("date", "3 11 2026", "2026-11-03", "3 November 2026", id="date"),
    pytest.param("choice", "Blue", "Blue", "Blue", id="choice"),
    pytest.param("yes_no", "no", "no", "No", id="no"),
]


@pytest.mark.parametrize(("kind", "words", "kept", "read"), KEPT)
def test_an_answer_has_one_form(login, alice, kettles, kind, words, kept, read):
    """D0-24"""
    question = make_day(kettles, kind)

    ticket = raise_ticket(login(alice), kettles, asked=kettles.pk, **typed(question, words))

    assert answers(ticket) == {"Day": kept}
    assert [detail.words for detail in ticket.details] == [read]


@pytest.mark.plan("SEC-B1")
@pytest.mark.parametrize("words", STRINGS[:30], ids=range(30))
def test_hostile_answers_come_back_as_they_were(login, alice, kettles, serial, words):
    ticket = raise_ticket(login(alice), kettles, asked=kettles.pk, **{name(serial): words})

    assert answers(ticket) == {"Serial number": words.strip()}


def test_the_draft_keeps_what_was_answered(login, alice, kettles, serial):
    client = login(alice)
    day = make_day(kettles, "date")

    client.post(
        NEW,
        asked(kettles, later="1", **{name(serial): "K2-47"}, **typed(day, "3 11 2026")),
    )

    page = client.get(NEW).text
    assert 'value="K2-47"' in page
    assert f'name="{name(day)}_2" id="id_{name(day)}_2" class="form-control ccr-date__y"' in page
    assert page.count('value="2026"') == 1


def test_an_optional_question_is_asked_too_and_may_stay_open(login, alice, kettles):
    question = make_question(kettles, "Colour")
    client = login(alice)

    assert write(client, kettles).url == ASK
    ticket = raise_ticket(client, kettles, asked=kettles.pk, **{name(question): ""})

    assert answers(ticket) == {}
    assert not ticket.details_for_requester


def test_another_category_asks_its_own(login, alice, kettles, serial):
    lamps = make_category("Lamps")
    bulb = make_question(lamps, "Bulb")
    client = login(alice)

    # The page still showed the questions about kettles when the choice was changed.
    answer = client.post(NEW, form_of(lamps, asked=kettles.pk, **{name(serial): "K2"}))
    ticket = raise_ticket(client, lamps, asked=lamps.pk, **{name(bulb): "E27"})

    assert answer.url == ASK
    assert answers(ticket) == {"Bulb": "E27"}


def test_questions_come_in_place_when_a_category_is_chosen(client, db, kettles, serial, shelf):
    """Visitors write too; what is for staff they are not shown."""
    answer = client.get(reverse("tickets:questions"), {"category": kettles.pk})

    assert "Serial number" in answer.text
    assert "Shelf" not in answer.text


@pytest.mark.parametrize("chosen", ["", "x", "0", "-1", "9" * 30, "²", "\0"], ids=range(7))
def test_no_category_asks_nothing(client, db, serial, chosen):
    assert client.get(reverse("tickets:questions"), {"category": chosen}).text == "\n"


def test_questions_and_categories_switched_off_are_not_asked(login, alice, kettles, serial):
    CategoryField.objects.update(is_active=False)
    assert write(login(alice), kettles).url == REVIEW


@pytest.mark.plan("SEC-A7")
def test_nobody_answers_what_they_are_not_asked(login, alice, kettles, serial, shelf):
    bulb = make_question(make_category("Lamps"), "Bulb")

    ticket = raise_ticket(
        login(alice),
        kettles,
        asked=kettles.pk,
        **{name(serial): "K2", name(shelf): "A-1", name(bulb): "E27"},
    )

    assert answers(ticket) == {"Serial number": "K2"}


def test_a_question_that_came_since_the_review_is_asked_before_sending(login, alice, kettles):
    client = login(alice)
    write(client, kettles)
    make_question(kettles, is_required_to_raise=True)

    answer = client.post(REVIEW, {"key": TicketDraft.objects.get().key, "version": "x"})

    assert answer.url == ASK
    assert not Ticket.objects.exists()


def test_staff_are_asked_everything_for_a_customer(login, ada, alice, kettles, serial, shelf):
    """D2-5"""
    add = reverse("admin:tickets_ticket_add")
    told_by_phone = form_of(kettles, requester=alice.email, channel="phone")

    first = login(ada).post(add, told_by_phone)
    login(ada).post(
        add,
        told_by_phone | {"asked": kettles.pk, name(serial): "K2", name(shelf): "A-1"},
    )

    assert "This category asks a few more questions" in first.text
    assert "Shelf" in first.text
    assert answers(Ticket.objects.get()) == {"Serial number": "K2", "Shelf": "A-1"}
