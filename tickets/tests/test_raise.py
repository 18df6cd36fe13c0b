"""Raising a ticket: the form, the review, the sending, the confirmation."""

from datetime import date, timedelta

import pytest
import time_machine
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone

from tickets.models import Category, Ticket, TicketDraft, TicketEvent
from tickets.workflow import Status

from .factories import make_category, make_ticket
from .hostile import STRINGS
from .raising import IPHONE, NEW, REVIEW, form_of, raise_ticket, reviewed, send, write
from .reading import problems, squeeze, text, texts, told, typed


@pytest.fixture
def client_of_alice(login, alice):
    return login(alice)


def nothing_was_raised():
    return not Ticket.objects.exists() and not TicketEvent.objects.exists()


def test_the_query_of_the_test_table_is_stored(client_of_alice, alice, kettles):
    """D1-T16, D0-T12, D0-5, D4-3"""
    write(client_of_alice, kettles)

    done = send(client_of_alice)

    ticket = Ticket.objects.get()
    assert [str(message) for message in get_messages(done.wsgi_request)] == ["Ticket created"]
    assert done.url == reverse("tickets:done", args=[ticket.reference])
    assert (ticket.requester, ticket.category, ticket.priority) == (alice, kettles, "high")
    assert (ticket.subject, ticket.description) == ("Phone does not turn on", IPHONE)
    assert (ticket.status, ticket.assignee) == (Status.NEW, None)
    assert not TicketDraft.objects.exists()


def test_the_confirmation_can_be_reloaded(client_of_alice, alice, kettles):
    """D0-5: on screen."""
    ticket = raise_ticket(client_of_alice, kettles)
    confirmation = reverse("tickets:done", args=[ticket.reference])

    first, again = client_of_alice.get(confirmation), client_of_alice.get(confirmation)

    assert told(first) == ["Ticket created"]
    assert told(again) == []
    for page in (first, again):
        assert text(page, "h1") == "We have your ticket"
        assert ticket.reference in texts(page, ".ccr-no")
        assert alice.email in text(page, "main")


def test_the_confirmation_is_its_requesters_alone(client_of_alice, login, bob, ada, ticket):
    confirmation = reverse("tickets:done", args=[ticket.reference])
    assert client_of_alice.get(confirmation).status_code == 200

    assert [login(person).get(confirmation).status_code for person in (bob, ada)] == [404, 404]


def test_everything_told_arrives(client_of_alice, kettles):
    """D2-2, D4-2, D0-5"""
    ticket = raise_ticket(
        client_of_alice,
        kettles,
        against="Kettle K2, order 4711",
        incident_on_0="3",
        incident_on_1="11",
        incident_on_2="2024",
        purchased_on_0="01",
        purchased_on_1="02",
        purchased_on_2="2023",
        contact_phone="+44 113 496 0000",
    )

    assert ticket.against == "Kettle K2, order 4711"
    assert ticket.incident_on == date(2024, 11, 3)
    assert ticket.purchased_on == date(2023, 2, 1)
    assert ticket.contact_phone.as_e164 == "+441134960000"


def test_the_review_shows_everything_and_has_sent_nothing(client_of_alice, alice, kettles):
    """D4-2"""
    write(
        client_of_alice,
        kettles,
        against="Kettle K2",
        incident_on_0="3",
        incident_on_1="11",
        incident_on_2="2024",
    )

    page = client_of_alice.get(REVIEW)

    answers = texts(page, "dd")
    for answer in (
        "Faulty product",
        "Phone does not turn on",
        squeeze(IPHONE),
        "High: I can’t use what I paid for",
        "Kettle K2",
        "3 November 2024",
        "Alice Archer",
        alice.email,
    ):
        assert answer in answers
    assert "Nothing has been sent yet." in text(page, "main")
    assert nothing_was_raised()


def test_as_many_as_wanted(client_of_alice, kettles):
    """D1-7"""
    references = [raise_ticket(client_of_alice, kettles).reference for _number in range(3)]

    year = timezone.localdate().year
    assert references == [f"CCR-{year}-0000{number}" for number in (1, 2, 3)]


# --- What is wrong is said beside the field and in the summary -----------------

DATE_BOXES = ("incident_on", "purchased_on")


def boxes(name, *values):
    return {f"{name}_{number}": value for number, value in enumerate(values)}


SOON = timezone.localdate() + timedelta(days=2)
WRONG = [
    ({"description": ""}, "Query cannot be empty!"),
    ({"description": " \r\n\t "}, "Query cannot be empty!"),
    ({"description": "x" * 50_001}, "Description must be 50,000 characters or less"),
    ({"description": "x" * 60_000}, "Description must be 50,000 characters or less"),
    ({"description": "x" * 1_000_000}, "Description must be 50,000 characters or less"),
    ({"subject": ""}, "Enter a subject"),
    ({"subject": "   "}, "Enter a subject"),
    ({"subject": "\u200b\u2060"}, "Enter a subject"),
    ({"subject": "x" * 201}, "Subject must be 200 characters or less"),
    ({"subject": "x" * 1_000_000}, "Subject must be 200 characters or less"),
    ({"against": "x" * 201}, "This must be 200 characters or less"),
    ({"category": ""}, "Choose what it is about"),
    ({"category": "0"}, "Choose what it is about"),
    ({"category": "x"}, "Choose what it is about"),
    ({"category": "9" * 30}, "Choose what it is about"),
    ({"category": "9" * 5_000}, "Choose what it is about"),
    ({"priority": ""}, "Choose how much it is affecting you"),
    ({"priority": "extreme"}, "Choose how much it is affecting you"),
    (boxes("purchased_on", "3", "11", ""), "Purchase date must include a year"),
    (boxes("purchased_on", "3", "", "2024"), "Purchase date must include a month"),
    (boxes("purchased_on", "", "11", "2024"), "Purchase date must include a day"),
    (boxes("incident_on", "", "", "2024"), "Date of the incident must include a day"),
    (boxes("purchased_on", "30", "2", "2024"), "Purchase date must be a real date, like 3 11 2026"),
    (boxes("purchased_on", "0", "1", "2024"), "Purchase date must be a real date, like 3 11 2026"),
    (boxes("purchased_on", "-1", "1", "2024"), "Purchase date must be a real date, like 3 11 2026"),
    (
        boxes("purchased_on", "3", "Nov", "2024"),
        "Purchase date must be a real date, like 3 11 2026",
    ),
    (boxes("purchased_on", "1", "1", "1e3"), "Purchase date must be a real date, like 3 11 2026"),
    (
        boxes("purchased_on", "1", "1", "9999999999"),
        "Purchase date must be a real date, like 3 11 2026",
    ),
    (
        boxes("incident_on", "1", "1", "9" * 5_000),
        "Date of the incident must be a real date, like 3 11 2026",
    ),
    (
        boxes("purchased_on", str(SOON.day), str(SOON.month), str(SOON.year)),
        "Purchase date must be today or in the past",
    ),
    (boxes("purchased_on", "1", "1", "9999"), "Purchase date must be today or in the past"),
    (boxes("incident_on", "3", "11", "24"), "Date of the incident must be after 1900"),
    *(
        (
            {"contact_phone": number},
            "Enter a phone number with its country code, like +44 113 496 0000",
        )
        for number in ("0113 496 0000", "call me", "+44", "+44 1", "9" * 5_000, "+999 1234567")
    ),
]


@pytest.mark.plan("SEC-B1")
@pytest.mark.parametrize(("changes", "words"), WRONG)
def test_what_is_wrong_is_said_and_what_was_typed_is_kept(client_of_alice, kettles, changes, words):
    """D1-T15, D0-24"""
    typed_in = {"against": "Kettle K2", **form_of(kettles), **changes}

    page = client_of_alice.post(NEW, typed_in)

    assert page.status_code == 200
    assert problems(page) == ([words], [f"There is a problem {words}"])
    assert texts(page, "title") == ["Error: Raise a ticket – Customer Care Registry"]
    kept = {name: value for name, value in typed_in.items() if name not in ("category", "priority")}
    for name, value in kept.items():
        assert typed(page, name).strip() == value.strip()
    assert nothing_was_raised()
    assert TicketDraft.objects.get().fields["description"] == typed_in["description"]


def test_everything_wrong_is_said_at_once(client_of_alice):
    page = client_of_alice.post(NEW, {})

    assert problems(page)[0] == [
        "Choose what it is about",
        "Enter a subject",
        "Query cannot be empty!",
        "Choose how much it is affecting you",
    ]


@pytest.mark.plan("SEC-B1")
@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "x"},
        {"subject": "x" * 200},
        {"description": "x"},
        {"description": "x" * 50_000},
        {"description": "line\r\n" * 9_000},  # 45,000 as we count, 54,000 as browsers send it
        {"against": "x" * 200},
        boxes("incident_on", "1", "1", "1900"),
        {"contact_phone": " +1 (212) 555-0123 "},
    ],
)
def test_what_is_just_right_passes(client_of_alice, kettles, changes):
    assert write(client_of_alice, kettles, **changes).url == REVIEW


def test_today_is_a_day_of_the_past(client_of_alice, kettles):
    today = timezone.localdate()

    ticket = raise_ticket(
        client_of_alice, kettles, **boxes("incident_on", today.day, today.month, today.year)
    )

    assert ticket.incident_on == today


def test_too_many_words_for_any_form_are_a_bad_request(client_of_alice, kettles):
    answer = write(client_of_alice, kettles, description="x" * 3_000_000)

    assert answer.status_code == 400
    assert nothing_was_raised()


def test_an_inactive_category_is_not_offered_and_not_taken(client_of_alice, kettles):
    gone = make_category("Typewriters", is_active=False)

    assert "Typewriters" not in text(client_of_alice.get(NEW), "main")
    page = write(client_of_alice, gone)
    assert problems(page)[0] == ["Choose what it is about"]

    assert write(client_of_alice, kettles).url == REVIEW


def test_a_category_that_goes_away_during_the_review_is_asked_for_again(client_of_alice, kettles):
    write(client_of_alice, kettles)
    key = typed(client_of_alice.get(REVIEW), "key")
    Category.objects.update(is_active=False)

    answer = client_of_alice.post(REVIEW, {"key": key}, follow=True)

    assert problems(answer)[0] == ["Choose what it is about"]
    assert typed(answer, "subject") == "Phone does not turn on"
    assert nothing_was_raised()


# --- Whatever is typed -----------------------------------------------------------


@pytest.mark.plan("SEC-A7")
def test_nobody_complains_under_another_name(client_of_alice, alice, bob, carol, kettles):
    """D0-5: who asks, the account says; nothing but the fields of the form is taken."""
    forged = {
        "name": "Carol Cole",
        "first_name": "Carol",
        "email": carol.email,
        "requester": carol.pk,
        "assignee": bob.pk,
        "status": "closed",
        "reference": "CCR-1999-00001",
        "created_at": "1999-01-01",
        "due_at": "2999-01-01",
        "deleted_at": "1999-01-01",
        "draft_key": "11111111-1111-1111-1111-111111111111",
    }

    ticket = raise_ticket(client_of_alice, kettles, **forged)

    assert (ticket.requester, ticket.assignee, ticket.status) == (alice, None, Status.NEW)
    assert ticket.reference != forged["reference"]
    assert ticket.created_at.year == timezone.localdate().year
    assert alice.first_name != "Carol"
    assert "Alice Archer" in text(client_of_alice.get(NEW), "#ticket-form")


@pytest.mark.plan("SEC-B3")
@pytest.mark.parametrize("field", ["subject", "description", "against"])
def test_nul_is_refused_beside_the_field(client_of_alice, kettles, field):
    """The same on both databases: PostgreSQL could not keep it."""
    page = write(client_of_alice, kettles, **{field: "before\0after"})

    assert problems(page)[0] == ["Null characters are not allowed."]
    assert TicketDraft.objects.get().fields[field] == "beforeafter"
    assert write(client_of_alice, kettles, **{field: "beforeafter"}).url == REVIEW


@pytest.mark.plan("SEC-B3")
@pytest.mark.parametrize("field", ["category", "priority", "contact_phone", "incident_on_0"])
def test_nul_elsewhere_is_an_error_too(client_of_alice, kettles, field):
    page = client_of_alice.post(NEW, form_of(kettles) | {field: "\0"})

    assert page.status_code == 200
    assert problems(page)[0]
    assert nothing_was_raised()


@pytest.mark.plan("SEC-B3")
def test_bytes_that_are_no_unicode_become_replacement_characters(client_of_alice, kettles):
    """A lone surrogate, for one: no browser sends it."""
    body = f"category={kettles.pk}&priority=low&subject=a%ED%A0%80b&description=c%FFd"

    client_of_alice.post(NEW, body, content_type="application/x-www-form-urlencoded")
    send(client_of_alice)

    ticket = Ticket.objects.get()
    assert ticket.subject == "a\ufffd\ufffd\ufffdb"
    assert ticket.description == "c\ufffdd"


@pytest.mark.plan("SEC-B2")
@pytest.mark.plan("SEC-B18")
@pytest.mark.parametrize("strings", [STRINGS[::2], STRINGS[1::2]], ids=["even", "odd"])
def test_hostile_words_come_back_as_they_were(login, alice, ada, kettles, settings, strings):
    """Stored, shown escaped to both sides, found by the search of the workspace."""
    settings.TICKETS_PER_HOUR = len(strings) + 1
    settings.LIMITS = settings.LIMITS | {"ticket_draft": (len(strings) + 1, timedelta(hours=1))}
    assert len(strings) >= 75

    client = login(alice)
    tickets = {}
    for words in strings:
        write(client, kettles, subject=words, description=words, against=words)
        draft = TicketDraft.objects.get()
        client.post(REVIEW, {"key": draft.key, "version": draft.version()})
        tickets[words] = Ticket.objects.get(draft_key=draft.key)
    for words, ticket in tickets.items():
        assert (ticket.subject, ticket.description, ticket.against) == (words, words, words)
        page = client.get(ticket.get_absolute_url())
        assert text(page, "h1") == squeeze(words)
        assert texts(page, ".ccr-msg__text") == [squeeze(words)]
        assert squeeze(words) in texts(page, "dd")

    login(ada)
    for words, ticket in tickets.items():
        page = client.get(ticket.workspace_url)
        assert text(page, "h1") == squeeze(words)
        assert texts(page, ".ccr-copy__text") == [squeeze(words)]
        found = client.get(reverse("tickets:workspace"), {"view": "all", "q": words[:100]})
        assert ticket in found.context["filter"].qs


# --- Once, and not too often -------------------------------------------------------


@pytest.mark.plan("SEC-E1")
def test_sending_again_shows_the_first(client_of_alice, kettles):
    """A double click, a reload, the way back in the browser."""
    write(client_of_alice, kettles)
    seen = reviewed(client_of_alice)

    answers = [client_of_alice.post(REVIEW, seen) for _click in range(3)]

    ticket = Ticket.objects.get()
    assert {answer.url for answer in answers} == {reverse("tickets:done", args=[ticket.reference])}
    assert ticket.event_count == 1


@pytest.mark.parametrize("key", ["", "x", "\0", "11111111-1111-1111-1111-11111111111"])
def test_a_broken_key_leads_back_to_the_review(client_of_alice, kettles, key):
    write(client_of_alice, kettles)

    assert client_of_alice.post(REVIEW, {"key": key}).url == REVIEW
    assert nothing_was_raised()


def test_with_nothing_to_send_the_review_leads_to_the_form(client_of_alice):
    assert client_of_alice.get(REVIEW).url == NEW


@pytest.mark.plan("SEC-E1")
def test_somebody_elses_draft_is_not_found(login, alice, carol, kettles):
    client = login(alice)
    write(client, kettles)
    seen = reviewed(client)

    assert login(carol).post(REVIEW, seen).status_code == 404
    assert nothing_was_raised()

    assert login(alice).post(REVIEW, seen).status_code == 302
    ticket = Ticket.objects.get()
    assert ticket.requester == alice
    assert login(carol).post(REVIEW, seen).status_code == 404


def test_thirty_in_an_hour_are_enough_and_nothing_is_lost(client_of_alice, alice, kettles):
    """The draft with its files stays, and goes out when the hour is over."""
    for _number in range(30):
        make_ticket(requester=alice, category=kettles)
    write(client_of_alice, kettles, subject="The thirty-first")
    draft = TicketDraft.objects.get()

    answer = client_of_alice.post(REVIEW, reviewed(client_of_alice), follow=True)

    assert told(answer) == [
        "You have raised many tickets within an hour. Try again a little later."
    ]
    assert Ticket.objects.count() == 30
    assert TicketDraft.objects.get() == draft
    with time_machine.travel(timezone.now() + timedelta(hours=1, minutes=1)):
        send(client_of_alice)
    last = Ticket.objects.latest("pk")
    assert last.subject == "The thirty-first"
    assert last.reference.endswith("-00031")  # the refused one took no number


def test_agents_raise_complaints_of_their_own(login, bob, kettles):
    ticket = raise_ticket(login(bob), kettles)

    assert ticket.requester == bob


def test_who_waits_for_approval_raises_nothing(login, pete, alice, kettles):
    assert write(login(pete), kettles).status_code == 403
    assert not TicketDraft.objects.exists()

    assert write(login(alice), kettles).url == REVIEW


@pytest.mark.plan("SEC-H5")
@pytest.mark.parametrize("name", [None, "alice"])
def test_what_was_typed_stays_in_no_cache(client, login, request, kettles, name):
    if name:
        login(request.getfixturevalue(name))
    write(client, kettles)

    for page in (client.get(NEW), client.get(REVIEW)):
        assert page.status_code == 200
        assert "no-store" in page.headers["Cache-Control"]


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_refused(client_of_alice, method):
    assert getattr(client_of_alice, method)(NEW).status_code == 405
    assert getattr(client_of_alice, method)(REVIEW).status_code == 405


def test_numbers_begin_anew_each_year(alice, kettles):
    with time_machine.travel("2026-12-31 23:00 +0000"):
        old = make_ticket(requester=alice, category=kettles)
    with time_machine.travel("2027-01-01 01:00 +0000"):
        new = make_ticket(requester=alice, category=kettles)

    assert [old.reference, new.reference] == ["CCR-2026-00001", "CCR-2027-00001"]
