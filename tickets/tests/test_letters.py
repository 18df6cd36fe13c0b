"""The final response as a letter: all words of it, and nothing they could do to it."""

import io
import resource
from datetime import UTC, datetime

import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from accounts.models import Address, AgentProfile
from tickets.regulated import complaints, letters
from tickets.tests.factories import make_code, make_ticket, make_track

from .graded import url

pytestmark = pytest.mark.django_db

MARKUP = r"#set page(width: 1cm) $x^2$ \ *bold* _it_ `raw` @ref <label> [b] // no /* no */ = - +"


@pytest.fixture
def case(alice, bob, ada, kettles):
    make_track(
        kettles,
        sender="Acme Ltd\n1 High Street, Leeds",
        referral="You can turn to the Ombudsman\nwithin six months.\n\nThe address follows.",
    )
    with time_machine.travel(datetime(2026, 11, 16, 9, tzinfo=UTC)):
        ticket = make_ticket(alice, assignee=bob, by=ada, category=kettles, subject="#1 is $cold$")
    case = complaints.case_of(ticket)
    case.cause = make_code("cause", "defect", "A defect of the product")
    case.remedy = make_code("remedy", "refund", "The price is paid back")
    return case


def read(pdf) -> list[str]:
    """The words of each page."""
    return [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]


def letter(case, by, text="We looked into it."):
    return letters.letter(case, by=by, text=text)


def test_it_says_who_writes_to_whom_about_what_and_what_was_decided(case, alice, bob):
    """D4-5, D4-7"""
    lines = {"label": "Home", "street": "1 Low Road", "city": "York", "country": "UK"}
    Address.objects.create(user=alice, is_default=True, postal_code="YO1 1AA", **lines)
    AgentProfile.objects.create(agent=bob, signature="Complaints team\n0113 496 0000")

    with time_machine.travel(datetime(2026, 11, 20, 9, tzinfo=UTC)):
        (page,) = read(letter(case, bob, "Dear Alice,\n\nyou were right."))

    assert page.split("\n") == [
        "Acme Ltd", "1 High Street, Leeds",
        "Alice Archer", "1 Low Road", "York YO1 1AA", "UK",
        "20 November 2026",
        "Final response to your complaint",
        f"Reference {case.ticket}", "Received 16 November 2026", "Subject #1 is $cold$",
        "Dear Alice,", "you were right.",
        "What it came from A defect of the product",
        "What was decided The price is paid back",
        "If you do not agree",
        "You can turn to the Ombudsman", "within six months.", "The address follows.",
        "Bob Baker", "Complaints team", "0113 496 0000",
        f"{case.ticket} · Page 1 / 1",
    ]  # fmt: skip


def test_who_gave_no_address_is_named(case, bob):
    (page,) = read(letter(case, bob))

    assert "Leeds\nAlice Archer\n" in page


def test_programs_that_read_aloud_know_its_language_and_title(case, bob):
    pdf = PdfReader(io.BytesIO(letter(case, bob)))

    assert pdf.trailer["/Root"]["/Lang"] == "en"
    assert pdf.metadata.title == "Final response to your complaint"
    assert pdf.trailer["/Root"]["/MarkInfo"]["/Marked"] == True  # noqa: E712 -- not a bool


def test_pages_are_numbered(case, bob):
    pages = read(letter(case, bob, "\n\n".join(["A paragraph of the response."] * 100)))

    assert len(pages) > 2
    for number, page in enumerate(pages, 1):
        assert page.endswith(f"{case.ticket} · Page {number} / {len(pages)}")


@pytest.mark.plan("SEC-B3")
@pytest.mark.parametrize(
    ("words", "printed"),
    [
        pytest.param(MARKUP, MARKUP, id="markup"),
        pytest.param('#read("/etc/passwd")', '#read("/etc/passwd")', id="files"),
        pytest.param("a\0b\x07\x1b[31mc\ud800", "ab[31mc", id="controls"),
        pytest.param("pay \u202etxet\u202c now", "pay txet now", id="turned around"),
        pytest.param("İstanbul, Łódź, Αθήνα, Київ", "İstanbul, Łódź, Αθήνα, Київ", id="scripts"),
    ],
)
def test_words_stay_words(case, bob, words, printed):
    (page,) = read(letter(case, bob, words))

    assert printed in page


@pytest.mark.plan("SEC-B18")
@pytest.mark.parametrize("field", ["sender", "referral", "name", "subject", "address", "signature"])
def test_words_from_elsewhere_stay_words_too(case, alice, bob, field):
    words = "#panic() $ \\"
    if field == "name":
        alice.last_name = words
        case.ticket.requester = alice
    elif field == "subject":
        case.ticket.subject = words
    elif field == "address":
        Address.objects.create(user=alice, label="Home", street=words, city="York", country="UK")
    elif field == "signature":
        AgentProfile.objects.create(agent=bob, signature=words)
    else:
        setattr(case.track, field, words)

    assert words in read(letter(case, bob))[0]


LONG = {
    "words": "Hello there. " * 3_846,
    "one word": "a" * 50_000,
    "arabic": "ع" * 50_000,  # the typesetter fails where such a word is not broken
    "no-break spaces": "\u00a0" * 50_000,
    "emoji": "😀" * 50_000,
    "lines": "a\n" * 2_000,
    "marks": "a" + "\u0301" * 49_999,  # shaping would take the square of them in time
    "both directions": "א a " * 12_500,
    "joiners": "\u200d" * 50_000,
}


@pytest.mark.plan("SEC-B2")
@pytest.mark.parametrize("name", LONG)
def test_it_takes_a_moment_whatever_is_written(case, bob, name):
    letter(case, bob)
    before = computed_by_others()

    assert letter(case, bob, LONG[name]).startswith(b"%PDF-")

    assert computed_by_others() - before < 3  # measured: under one; other work shares the machine


def computed_by_others() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.fixture
def waiting(monkeypatch, tmp_path):
    """A typesetter that waits for something that never comes."""
    program = tmp_path / "typesetter.py"
    program.write_text("import signal\nsignal.pause()\n")
    monkeypatch.setattr(letters, "TYPESETTER", program)
    monkeypatch.setattr(letters, "LONGEST_WAIT", 0.1)
    return "Hello."


@pytest.mark.plan("SEC-B2")
@pytest.mark.parametrize("preview", [True, False])
def test_what_takes_too_long_is_said_beside_the_text(login, case, bob, waiting, preview):
    """And nothing is done by halves; what was typed stays."""
    typed = {"text": waiting, "cause": case.cause.pk, "remedy": case.remedy.pk}
    typed |= {"preview": "1"} if preview else {}
    lines = case.ticket.events.count()

    answer = login(bob).post(url("response", case.ticket), typed)

    assert answer.status_code == 422
    assert "This text takes too long to lay out as a letter." in answer.text
    assert waiting in answer.text
    assert case.ticket.events.count() == lines


ROWS = [["Reference", "CCR-2026-00001"]]
REST = dict.fromkeys(("title", "sender", "recipient", "date", "referral_title", "referral"), "x")
REST |= {"language": "en", "facts": ROWS, "decided": ROWS, "signature": "Bob", "page": "Page"}


@pytest.mark.plan("SEC-B3")
@settings(deadline=None, max_examples=30)
@given(st.text(min_size=1, max_size=4), st.integers(1, 5_000))
def test_no_words_make_it_fail(words, count):
    assert letters.typeset(text=words * count, **REST).startswith(b"%PDF-")


@pytest.mark.plan("SEC-B2")
def test_the_typesetter_is_stopped_when_it_computes_too_long(monkeypatch):
    """More than any form takes, of which it makes thousands of pages."""
    assert letters.typeset(text="a\n" * 20, **REST).startswith(b"%PDF-")
    monkeypatch.setattr(letters, "LONGEST", 1)

    with pytest.raises(letters.TakesTooLong, match="takes too long to lay out"):
        letters.typeset(text="a\n" * 200_000, **REST)
