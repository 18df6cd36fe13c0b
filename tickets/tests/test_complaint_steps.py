"""Each step of a regulated complaint: who takes it, and what it leaves."""

import io
import uuid
from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from pypdf import PdfReader

from tickets import actions, history
from tickets.models import Attachment, ComplaintCase, EscalationLevel, Stage, Ticket
from tickets.parties import requesters
from tickets.regulated import complaints
from tickets.tests.files import download
from tickets.tests.racing import race
from tickets.workflow import Status, TicketRefusal

from .graded import MONDAY, WORDS, stage_of, staged, told

pytestmark = pytest.mark.django_db


def test_acknowledged_without_words_it_has_some_of_its_own(graded, alice, bob):
    """D0-21, D3-2: everybody reads the step, and the customer is mailed."""
    with time_machine.travel(MONDAY + timedelta(hours=3), tick=False):
        event = complaints.advance(graded, Stage.ACKNOWLEDGED, by=bob)

    case = ComplaintCase.objects.get()
    assert (event.kind, event.audience) == ("staged", "everyone")
    assert event.data == {"from": "received", "stage": "acknowledged"}
    assert event.text.startswith("We have your complaint and will look into it.")
    assert event.text.endswith("by Mon 14 Dec.")
    assert case.acknowledged_at == graded.first_responded_at == MONDAY + timedelta(hours=3)
    assert graded.legal_due_at == case.respond_by
    assert graded.message_count == 2
    assert told(alice, graded) == 1


@pytest.mark.parametrize(
    ("stage", "words", "is_allowed"),
    [
        (Stage.ACKNOWLEDGED, "", True),
        (Stage.INVESTIGATING, "We ask the maker.", True),
        (Stage.INVESTIGATING, "", False),
    ],
)
def test_a_step_tells_the_customer(graded, alice, bob, stage, words, is_allowed):
    if is_allowed:
        complaints.advance(graded, stage, by=bob, text=words)
    else:
        with pytest.raises(TicketRefusal, match="Tell the customer"):
            complaints.advance(graded, stage, by=bob, text=words)

    assert told(alice, graded) == is_allowed
    assert (stage_of(graded) == stage) == is_allowed


ORDER = [Stage.ACKNOWLEDGED, Stage.INVESTIGATING]


@pytest.mark.parametrize("before", ORDER)
@pytest.mark.parametrize("after", ORDER)
def test_steps_are_left_out_and_never_taken_back(graded, bob, before, after):
    complaints.advance(graded, before, by=bob, text="A word")

    if ORDER.index(after) > ORDER.index(before):
        complaints.advance(graded, after, by=bob, text="A word")
        assert stage_of(graded) == after
    else:
        with pytest.raises(TicketRefusal, match="past that step"):
            complaints.advance(graded, after, by=bob, text="A word")
        assert stage_of(graded) == before


def test_who_begins_to_investigate_has_acknowledged(graded, bob):
    event = complaints.advance(graded, Stage.INVESTIGATING, by=bob, text="We ask the maker.")

    case = ComplaintCase.objects.get()
    assert case.acknowledged_at == case.investigating_at == event.at


@pytest.mark.plan("SEC-A6")
def test_the_final_response_is_a_line_with_a_letter(login, graded, alice, bob, carol, codes):
    """D4-5: told on the page and by mail, and as a letter for whoever reads the line."""
    event = complaints.respond(graded, by=bob, text=WORDS, **codes)

    case = ComplaintCase.objects.get()
    assert (case.stage, case.responded_by, case.responded_at) == (Stage.RESPONDED, bob, event.at)
    assert case.acknowledged_at == event.at
    assert (case.cause, case.remedy) == (codes["cause"], codes["remedy"])
    assert (graded.legal_due_at, graded.legal_warn_at) == (None, None)
    assert told(alice, graded) == 1
    letter = Attachment.objects.get(event=event)
    assert (letter.name, letter.content_type) == (f"{graded}.pdf", "application/pdf")
    pdf = PdfReader(io.BytesIO(download(login(alice), letter).body))
    page = pdf.pages[0].extract_text()
    assert WORDS in page
    assert "What was decided Refund" in page
    assert download(login(carol), letter).status_code == 404
    assert list(history.problems(Ticket.objects.all())) == []


@pytest.mark.parametrize("name", ["alice", "carol", "dave", "pete"])
def test_only_who_works_on_it_takes_steps(request, graded, bob, codes, name):
    """D4-7: the same people as for everything else on the ticket."""
    person = request.getfixturevalue(name)
    step = {"text": "A word"}
    level = EscalationLevel.MANAGEMENT
    verbs = [
        lambda by: complaints.code(graded, by=by, **codes),
        lambda by: complaints.advance(graded, Stage.ACKNOWLEDGED, by=by, **step),
        lambda by: complaints.escalate(graded, level, by=by, **step),
        lambda by: complaints.respond(graded, by=by, **step, **codes),
    ]
    before = graded.event_count

    for verb in verbs:
        with pytest.raises(PermissionDenied):
            verb(person)
    assert graded.events.count() == before
    for verb in verbs:
        verb(bob)
    assert stage_of(graded) == Stage.RESPONDED


@pytest.mark.parametrize("status", [Status.CLOSED, Status.WITHDRAWN])
def test_what_has_ended_takes_no_steps(graded, alice, bob, codes, status):
    actions.change_status(graded, status, by=alice)

    with pytest.raises(TicketRefusal, match="Open it again first"):
        complaints.advance(graded, Stage.ACKNOWLEDGED, by=bob)
    with pytest.raises(TicketRefusal, match="Open it again first"):
        complaints.respond(graded, by=bob, text=WORDS, **codes)
    assert not Attachment.objects.exists()


def test_a_ticket_without_a_case_takes_no_steps(ticket, bob, codes):
    for verb in (
        lambda: complaints.advance(ticket, Stage.ACKNOWLEDGED, by=bob),
        lambda: complaints.respond(ticket, by=bob, text=WORDS, **codes),
        lambda: complaints.code(ticket, by=bob, **codes),
        lambda: complaints.escalate(ticket, EscalationLevel.EXTERNAL, by=bob, text="Went there."),
    ):
        with pytest.raises(TicketRefusal, match="no rules"):
            verb()


@pytest.mark.plan("SEC-E1")
def test_the_same_form_twice_is_one_step_and_one_letter(graded, alice, bob, codes):
    first, second = uuid.uuid4(), uuid.uuid4()

    for _twice in range(2):
        complaints.advance(graded, Stage.INVESTIGATING, by=bob, text="We look.", key=first)
    for _twice in range(2):
        complaints.respond(graded, by=bob, text=WORDS, key=second, **codes)

    assert staged(graded) == ["received", "investigating", "responded"]
    assert Attachment.objects.count() == 1
    assert told(alice, graded) == 2
    with pytest.raises(TicketRefusal, match="past that step"):
        complaints.respond(graded, by=bob, text=WORDS, key=uuid.uuid4(), **codes)


@pytest.mark.plan("SEC-E1")
@pytest.mark.django_db(transaction=True)
def test_two_responses_at_once_are_one(graded, bob, ada, codes):
    def respond(person):
        ticket = Ticket.objects.get(pk=graded.pk)
        return lambda: complaints.respond(ticket, by=person, text=WORDS, **codes)

    ends = race(respond(bob), respond(ada), respond(bob))

    assert sorted(type(end).__name__ for end in ends) == [
        "TicketEvent", "TicketRefusal", "TicketRefusal",
    ]  # fmt: skip
    assert Attachment.objects.count() == 1
    assert staged(graded) == ["received", "responded"]


def test_a_letter_to_who_is_no_more_its_customer_is_not_kept(
    graded, bob, carol, codes, monkeypatch
):
    """The ticket was given to somebody else while the letter was made."""
    letter = complaints.letters.letter

    def corrected_meanwhile(case, **told):
        same = Ticket.objects.get(pk=graded.pk)
        requesters.correct_requester(same, carol.email, first_name="", by=bob)
        return letter(case, **told)

    monkeypatch.setattr(complaints.letters, "letter", corrected_meanwhile)

    with pytest.raises(TicketRefusal, match="changed by someone else"):
        complaints.respond(graded, by=bob, text=WORDS, **codes)
    assert not Attachment.objects.exists()
    monkeypatch.undo()
    complaints.respond(graded, by=bob, text=WORDS, **codes)
    assert Attachment.objects.count() == 1


@pytest.mark.plan("SEC-A2")
def test_answered_it_stays_with_its_customer(graded, bob, carol, alice, codes):
    """The letter names who it was for, and where they live."""
    requesters.correct_requester(graded, carol.email, first_name="", by=bob)
    complaints.respond(graded, by=bob, text=WORDS, **codes)

    with pytest.raises(TicketRefusal, match="A letter names this customer"):
        requesters.correct_requester(graded, alice.email, first_name="", by=bob)
    assert graded.requester == carol
