"""What is wrong with a ticket is said beside the field, whatever is typed."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.forms.fields import TURNING_MARKS
from tickets.models import Category, Ticket, TicketDraft, TicketEvent
from tickets.workflow import Status

from .factories import make_category
from .hostile import STRINGS
from .raising import NEW, REVIEW, form_of, raise_ticket, send, write
from .reading import problems, squeeze, text, texts, typed


@pytest.fixture
def client_of_alice(login, alice):
    return login(alice)


def nothing_was_raised():
    return not Ticket.objects.exists() and not TicketEvent.objects.exists()


def boxes(name, *values):
    return {f"{name}_{number}": value for number, value in enumerate(values)}


SOON = timezone.localdate() + timedelta(days=2)
WRONG = [
    ({"description": ""}, "Query cannot be empty!"),
    ({"description": " \r\n\t "}, "Query cannot be empty!"),
    ({"description": "x" * 50_001}, "Use 50,000 characters or less"),
    ({"description": "x" * 60_000}, "Use 50,000 characters or less"),
    ({"description": "x" * 1_000_000}, "Use 50,000 characters or less"),
    ({"subject": ""}, "Enter a subject"),
    ({"subject": "   "}, "Enter a subject"),
    ({"subject": "\u200b\u2060"}, "Enter a subject"),
    ({"subject": "x" * 201}, "Use 200 characters or less"),
    ({"subject": "x" * 1_000_000}, "Use 200 characters or less"),
    ({"against": "x" * 201}, "Use 200 characters or less"),
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


# --- What is wrong is said beside the field and in the summary -----------------


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


@pytest.mark.plan("SEC-B2")
@pytest.mark.parametrize("mark", "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
def test_marks_that_turn_what_follows_are_taken_out_of_a_line(client_of_alice, kettles, mark):
    """They come along when people paste. What is only such marks is nothing."""
    assert problems(write(client_of_alice, kettles, subject=mark))[0] == ["Enter a subject"]

    words = f"{mark} Kettle {mark}K2"
    ticket = raise_ticket(client_of_alice, kettles, subject=words, against=words, description=words)

    assert (ticket.subject, ticket.against) == ("Kettle K2", "Kettle K2")
    assert ticket.description == words


@pytest.mark.plan("SEC-B2")
@pytest.mark.parametrize(
    "words",
    [
        "الغلاية لا تسخن \u200f(K2)",
        "הקומקום \u200eK2\u200e לא מתחמם",
        "👩\u200d👩\u200d👧 کتاب\u200cها",
    ],
    ids=["arabic", "hebrew", "joined"],
)
def test_words_of_other_directions_stay_whole(client_of_alice, kettles, words):
    assert raise_ticket(client_of_alice, kettles, subject=words).subject == words


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


@pytest.mark.load
@pytest.mark.plan("SEC-B2")
@pytest.mark.plan("SEC-B18")
@pytest.mark.parametrize("strings", [STRINGS[::2], STRINGS[1::2]], ids=["even", "odd"])
def test_hostile_words_come_back_as_they_were(login, alice, ada, kettles, settings, strings):
    """Stored, shown escaped to both sides, found by the search of the workspace. What is one line
    only loses the marks that turn what stands beside it."""
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
        line = TURNING_MARKS.sub("", words)
        assert (ticket.subject, ticket.description, ticket.against) == (line, words, line)
        page = client.get(ticket.get_absolute_url())
        assert text(page, "h1") == squeeze(line)
        assert texts(page, ".ccr-msg__text") == [squeeze(words)]
        assert squeeze(line) in texts(page, "dd")

    login(ada)
    for words, ticket in tickets.items():
        line = TURNING_MARKS.sub("", words)
        page = client.get(ticket.workspace_url)
        assert text(page, "h1") == squeeze(line)
        assert texts(page, ".ccr-copy__text") == [squeeze(words)]
        found = client.get(reverse("tickets:workspace"), {"view": "all", "q": line[:100]})
        assert ticket in found.context["filter"].qs
