"""The complaint grade on pages and in mail, and what becomes of it in the end."""

import io
import json
import uuid
import zipfile
from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from accounts import erasure, exports
from accounts.models import DataExport
from notifications.mail import outbox
from notifications.models import Notification
from tickets import actions, history, removal
from tickets.models import (
    Attachment,
    ComplaintCase,
    EscalationLevel,
    Stage,
    Ticket,
    TicketEvent,
)
from tickets.parties import participants
from tickets.regulated import complaints
from tickets.tests.factories import make_code
from tickets.workflow import Status

from .graded import MONDAY, WORDS, stage_of, told, url
from .reading import text
from .reading import told as banners

pytestmark = pytest.mark.django_db


# --- Pages ------------------------------------------------------------------------------


def test_the_agent_sees_stage_days_and_forms(login, graded, bob):
    """D4-7"""
    with time_machine.travel(MONDAY + timedelta(days=1), tick=False):
        page = login(bob).get(graded.workspace_url)

    block = text(page, "#complaint")
    assert "Stage Received" in block
    assert "Acknowledged by Thu 19 Nov 2 days left" in block
    assert "Final response by Mon 14 Dec" in block
    assert "The law sets days for this complaint: acknowledged by Thu 19 Nov" in text(page, "#log")
    for name in ("step", "response", "codes", "level"):
        assert url(name, graded) in page.text
    with time_machine.travel(MONDAY + timedelta(days=5), tick=False):
        assert "over" in text(login(bob).get(graded.workspace_url), "#complaint")


def test_the_customer_follows_each_step_and_reads_where_to_turn(login, graded, alice, bob, codes):
    """D3-2: stages and days in plain words; where to turn once it was answered."""
    page = login(alice).get(graded.get_absolute_url())
    assert "Acknowledged by Thu 19 Nov" in text(page, "#complaint")
    assert "Ombudsman" not in page.text

    complaints.respond(graded, by=bob, text=WORDS, **codes)

    page = login(alice).get(graded.get_absolute_url())
    assert "Ask the Ombudsman." in text(page, "#complaint")
    assert "Investigating" not in text(page, "#complaint")
    assert "Bob Baker gave the final response" in text(page, "#log")
    assert f"{graded}.pdf" in text(page, "#log")


def test_an_open_page_learns_of_a_step(login, graded, alice, bob):
    login(alice).get(graded.get_absolute_url())
    complaints.advance(graded, Stage.ACKNOWLEDGED, by=bob)
    after = {"after": graded.event_count - 1}

    answer = login(alice).get(reverse("messaging:lines", args=[graded.reference]), after)
    assert "Bob Baker acknowledged the complaint." in answer.text
    answer = login(bob).get(reverse("messaging:workspace_lines", args=[graded.reference]), after)
    assert 'id="complaint" hx-swap-oob="true"' in answer.text


def test_a_ticket_without_a_case_shows_nothing_of_it(login, ticket, alice, bob):
    assert "Your complaint, step by step" not in login(alice).get(ticket.get_absolute_url()).text
    assert "Complaint procedure" not in login(bob).get(ticket.workspace_url).text
    for name in ("step", "response", "codes", "level"):
        assert login(bob).get(url(name, ticket)).status_code == 404


def test_a_page_that_is_behind_says_that_no_step_is_left(login, graded, bob):
    assert "Take the step" in login(bob).get(url("step", graded)).text

    complaints.advance(graded, Stage.INVESTIGATING, by=bob, text="We ask the maker.")

    page = login(bob).get(url("step", graded)).text
    assert "There is no step left before the final response." in page
    assert "Take the step" not in page


@pytest.mark.parametrize(
    ("name", "typed", "error"),
    [
        ("step", {"stage": "", "text": "Kept"}, "Choose a step"),
        ("step", {"stage": "responded", "text": "Kept"}, "That step is not available now"),
        ("step", {"stage": "investigating", "text": ""}, "Tell the customer what you look into"),
        ("response", {"text": "Kept"}, "Choose what it came from"),
        ("response", {"text": ""}, "Tell the customer what was decided, and why"),
        ("response", {"text": "a\n" * 2_000 + "a"}, "The response must be 2,000 lines or less"),
        ("response", {"text": "a" * 50_001}, "Use 50,000 characters or less"),
        ("level", {"level": "1", "text": "Kept"}, "Choose one of the others"),
        ("level", {"level": "2", "text": ""}, "Tell the customer why"),
        ("codes", {"cause": "999999"}, "Select a valid choice"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(login, graded, bob, codes, name, typed, error):
    before = graded.event_count

    page = login(bob).post(url(name, graded), typed)

    assert page.status_code == 422
    assert error in page.text
    assert typed.get("text", "") in page.text
    assert TicketEvent.objects.filter(ticket=graded).count() == before


def test_a_second_click_says_where_it_stands_and_does_nothing(login, graded, bob, codes):
    """SEC-E1"""
    client, told_codes = login(bob), {name: code.pk for name, code in codes.items()}

    for name, typed, where in (
        ("step", {"stage": "investigating", "text": "We ask."}, "Investigating"),
        ("level", {"level": "2", "text": "You asked for it."}, "Management"),
        ("response", told_codes | {"text": WORDS}, "Final response"),
    ):
        typed["key"] = str(uuid.uuid4())
        client.post(url(name, graded), typed)
        lines = graded.events.count()

        again = client.post(url(name, graded), typed, follow=True)

        assert again.redirect_chain == [(graded.workspace_url, 302)]
        assert banners(again)[-1] == f"Saved already. The complaint stands at: {where}."
        assert graded.events.count() == lines


def test_the_forms_do_it(login, graded, alice, bob, codes):
    """D2-6: from the agent's page, without scripts."""
    client, told_codes = login(bob), {name: code.pk for name, code in codes.items()}

    for name, typed in (
        ("step", {"stage": "acknowledged", "text": ""}),
        ("step", {"stage": "investigating", "text": "We ask the maker."}),
        ("level", {"level": "2", "text": "You asked for it."}),
        ("codes", told_codes),
        ("response", told_codes | {"text": WORDS, "key": str(uuid.uuid4())}),
    ):
        assert client.get(url(name, graded)).status_code == 200
        answer = client.post(url(name, graded), typed)
        assert (answer.status_code, answer.url) == (302, graded.workspace_url)

    case = ComplaintCase.objects.get()
    assert (case.stage, case.level, case.remedy) == (Stage.RESPONDED, 2, codes["remedy"])
    assert Attachment.objects.get().event.text == WORDS
    assert (
        "past that step"
        in client.post(url("response", graded), told_codes | {"text": WORDS}, follow=True).text
    )


def test_the_letter_is_looked_at_before_it_is_given(login, graded, bob, codes):
    """Nothing is written, and nobody is told."""
    typed = {name: code.pk for name, code in codes.items()} | {"text": WORDS, "preview": "1"}
    before = (graded.event_count, Notification.objects.count())

    answer = login(bob).post(url("response", graded), typed)

    assert answer["Content-Type"] == "application/pdf"
    assert WORDS in PdfReader(io.BytesIO(answer.content)).pages[0].extract_text()
    assert "sandbox" in answer["Content-Security-Policy"]
    assert (graded.events.count(), Notification.objects.count()) == before
    assert (stage_of(graded), Attachment.objects.count()) == (Stage.RECEIVED, 0)


def test_codes_that_are_not_offered_any_more_stay_where_they_are(login, graded, bob, codes):
    complaints.code(graded, by=bob, **codes)
    old = make_code("cause", "old", is_active=False)
    codes["cause"].is_active = False
    codes["cause"].save()

    page = login(bob).get(url("codes", graded)).text

    assert "defect Defect" in page
    assert "old Old" not in page
    assert login(bob).post(url("codes", graded), {"cause": old.pk}).status_code == 422


# --- Mail -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "subject"),
    [
        (lambda t, by, codes: complaints.advance(t, Stage.ACKNOWLEDGED, by=by),
         "We have your complaint"),
        (lambda t, by, codes: complaints.advance(t, Stage.INVESTIGATING, by=by, text=WORDS),
         "We are investigating your complaint"),
        (lambda t, by, codes: complaints.respond(t, by=by, text=WORDS, **codes),
         "Our final response to your complaint"),
        (lambda t, by, codes: complaints.escalate(t, EscalationLevel.EXTERNAL, by=by, text=WORDS),
         "Who decides on your complaint"),
    ],
    ids=["acknowledged", "investigating", "responded", "escalated"],
)  # fmt: skip
def test_the_customer_is_mailed_each_step(graded, alice, bob, codes, act, subject, mailoutbox):
    """D4-5"""
    Notification.objects.all().delete()
    act(graded, bob, codes)

    outbox.drain()

    (mail,) = mailoutbox
    assert mail.to == [alice.email]
    assert mail.subject.startswith(f"[{graded}] ")
    assert f"\n{subject}" in mail.body
    words = graded.events.order_by("-number").filter(audience="everyone").first().text
    assert f"> {words}" in mail.body
    assert ("1 file came with it" in mail.body) == ("final" in subject)


def test_who_takes_part_reads_and_hears_it_too(login, graded, alice, bob, carol, codes):
    participants.add(graded, carol.email, by=bob)

    complaints.respond(graded, by=bob, text=WORDS, **codes)

    assert told(carol, graded) == told(alice, graded) == 1
    page = login(carol).get(graded.get_absolute_url())
    assert WORDS in text(page, "#log")
    assert "Ask the Ombudsman." in text(page, "#complaint")


# --- The end of it ----------------------------------------------------------------------


@pytest.mark.plan("SEC-H2")
def test_erased_the_letter_goes_and_the_figures_stay(
    answered, alice, django_capture_on_commit_callbacks
):
    letter = Attachment.objects.get()

    with django_capture_on_commit_callbacks(execute=True):
        erasure.ask(alice, by=alice)
        with time_machine.travel(timezone.now() + timedelta(days=15)):
            erasure.erase_due()

    assert not Attachment.objects.exists()
    assert not letter.file.storage.exists(letter.file.name)
    assert not TicketEvent.objects.exclude(text="").exists()
    assert stage_of(answered) == Stage.RESPONDED
    assert list(history.problems(Ticket.objects.all())) == []


@pytest.mark.plan("SEC-H2")
def test_an_unanswered_complaint_does_not_stop_an_erasure(graded, alice):
    erasure.ask(alice, by=alice)
    with time_machine.travel(timezone.now() + timedelta(days=15)):
        erasure.erase_due()

    graded.refresh_from_db()
    assert (graded.status, graded.wakes_at) == (Status.WITHDRAWN, None)


@pytest.mark.plan("SEC-H1")
def test_the_archive_has_the_steps_and_the_letter(answered, alice):
    exports.ask_for(alice, by=alice)
    exports.make_due()

    with DataExport.objects.get().file as file, zipfile.ZipFile(file) as archive:
        (row,) = json.loads(archive.read("data.json"))["tickets"]
        (letter,) = [name for name in archive.namelist() if name.endswith(".pdf")]
        assert archive.read(letter).startswith(b"%PDF-")
    steps = row["complaint"]
    assert steps["received_at"] < steps["responded_at"]
    assert steps["investigating_at"] is None


def test_removed_for_good_the_case_goes(answered, ada, settings):
    actions.bin_ticket(answered, by=ada)
    with time_machine.travel(timezone.now() + timedelta(days=settings.BIN_DAYS + 1)):
        removal.remove_for_good(answered, by=ada)

    assert not ComplaintCase.objects.exists()
    assert not Ticket.objects.filter(pk=answered.pk).exists()
