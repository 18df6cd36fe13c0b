"""Questions a category asks besides: defined in the console, asked, kept, needed to resolve."""

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
from tickets.models import CategoryField, FieldValue, Ticket, TicketDraft
from tickets.workflow import ResolutionKind, Status, TicketRefusal

from .factories import make_category, make_question
from .hostile import STRINGS
from .raising import NEW, REVIEW, form_of, raise_ticket, send, write
from .reading import problems, text, texts, told

SOLVED = {"text": "Replaced it.", "resolution": ResolutionKind.REPLACED}
ASK = f"{NEW}#questions"


@pytest.fixture
def serial(kettles):
    return make_question(kettles, "Serial number", is_required_to_raise=True)


@pytest.fixture
def shelf(kettles):
    """For staff, and needed to resolve."""
    return make_question(kettles, "Shelf", is_for_requester=False, is_required_to_resolve=True)


def answers(ticket):
    return dict(ticket.field_values.values_list("field__label", "value"))


def asked(category, **typed):
    """The form as it comes back once the questions of ``category`` stand on the page."""
    return form_of(category, asked=category.pk, **typed)


def name(question):
    return f"field_{question.pk}"


def answer_page(ticket):
    return reverse("tickets:details", args=[ticket.reference])


# --- On the form -----------------------------------------------------------------------


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
    pytest.param("text", "x" * 501, "Day must be 500 characters or less", id="too long"),
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


# --- In the console --------------------------------------------------------------------


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
