"""SEC-H1, SEC-H2, P16: what is told about a person, and that nothing of it outlives an erasure."""

import io
import json
import zipfile
from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from accounts import erasure, exports, signups
from accounts.models import AccountEvent, DataExport, Role, Standing, User
from accounts.tests.factories import PASSWORD
from notifications.mail import outbox
from notifications.models import Notification, OutgoingMail
from tickets.models import Attachment, Ticket, TicketEvent

from .canaries import (
    EMAIL,
    FILE_NAMES,
    FILES,
    NOT_THEIRS,
    NOTE_FILES,
    THEIRS,
    Canary,
    found_in_database,
    found_in_files,
    names_in,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def canary():
    return Canary()


@pytest.fixture
def erased(canary, django_capture_on_commit_callbacks):
    """The person, after asking and after the waiting time."""
    later = timezone.now() + timedelta(days=15)
    with django_capture_on_commit_callbacks(execute=True):
        erasure.ask(canary.person, by=canary.person)
        with time_machine.travel(later):
            erasure.erase_due()
    return canary


def archive_of(person) -> zipfile.ZipFile:
    with DataExport.objects.get(user=person).file as file:
        return zipfile.ZipFile(io.BytesIO(file.read()))


@pytest.mark.plan("SEC-H2")
def test_every_canary_is_really_planted(canary):
    """Otherwise the search below could find nothing for the wrong reason."""
    assert found_in_database() == THEIRS | NOT_THEIRS
    # An archive is compressed: what stands in it is counted below.
    assert found_in_files() == FILES | NOTE_FILES | FILE_NAMES


@pytest.mark.plan("SEC-H1")
def test_the_archive_has_everything_of_theirs_and_nothing_else(canary):
    """Secrets, internal notes and their files stay out (SEC-A5)."""
    exports.drop(DataExport.objects.all())
    exports.ask_for(canary.person, by=canary.person)

    exports.make_due()

    archive = archive_of(canary.person)
    told = {name: archive.read(name).decode() for name in archive.namelist()}
    assert names_in(told.pop("data.json")) == THEIRS
    assert names_in(" ".join(told.values())) == FILES


@pytest.mark.plan("SEC-H1")
def test_the_archive_can_be_read_by_programs(canary):
    archive = archive_of(canary.person)
    told = json.loads(archive.read("data.json"))

    assert archive.testzip() is None
    assert [row["number"] for row in told["tickets"]] == [
        ticket.reference for ticket in (canary.ticket, canary.live, canary.binned)
    ]
    assert [file["in_this_archive"] for file in told["files"]] == [
        name for name in archive.namelist() if name.startswith("files/")
    ]


@pytest.mark.plan("SEC-H2")
def test_nothing_of_an_erased_person_is_left_anywhere(erased):
    assert found_in_database() == set()
    assert found_in_files() == set()
    assert not Attachment.objects.exists()


@pytest.mark.plan("SEC-H2")
def test_the_histories_still_verify_after_an_erasure(erased):
    call_command("verify_history", "--no-anchors", stdout=io.StringIO())

    lasts = [ticket.events.last() for ticket in Ticket.objects.all()]
    assert [line.kind for line in lasts] == [TicketEvent.Kind.ERASED] * 3
    assert {line.actor_id for line in lasts} == {erased.person.pk}


@pytest.mark.plan("SEC-H2")
def test_tickets_stay_as_statistics(erased):
    """How many, when, how quickly and how well; the open one was withdrawn."""
    ticket, live, _binned = Ticket.objects.order_by("pk")

    assert (ticket.status, live.status) == ("closed", "withdrawn")
    assert (ticket.resolved_at, ticket.first_responded_at) == (
        erased.ticket.resolved_at,
        erased.ticket.first_responded_at,
    )
    assert (ticket.subject, ticket.feedback.get().rating) == ("Erased", 2)


@pytest.mark.plan("SEC-H2")
def test_nobody_is_mailed_about_an_erased_person_in_their_name(erased):
    outbox.drain()

    to_them = OutgoingMail.objects.filter(recipient=erased.person)
    assert to_them.exists()
    assert not to_them.exclude(state="sent").exclude(state="dropped").exists()
    assert found_in_database() == set()


@pytest.mark.plan("SEC-H2")
@pytest.mark.plan("SEC-H6")
def test_what_was_done_to_the_account_is_still_known(erased):
    kinds = AccountEvent.objects.filter(user=erased.person).order_by("pk")

    assert list(kinds.values_list("kind", flat=True)) == [
        "suspended", "reactivated", "exported", "erasure_asked", "erased",
    ]  # fmt: skip


@pytest.mark.plan("SEC-H2")
def test_no_door_opens_to_an_erased_person(erased):
    person = User.objects.get(pk=erased.person.pk)

    assert (person.standing, str(person)) == (Standing.ERASED, "Erased person")
    assert not person.has_usable_password()
    assert (
        erased.browser.get(reverse("tickets:list"))
        .headers["Location"]
        .startswith(reverse("account_login"))
    )


@pytest.mark.plan("SEC-H2")
def test_the_address_starts_fresh(erased):
    """A new person, with nothing of the old one."""
    names = {"first_name": "New", "last_name": "", "role": Role.CUSTOMER}
    new = signups.finish(signups.ask(email=EMAIL, password=PASSWORD, **names))

    assert (new.email, new.standing) == (EMAIL, Standing.ACTIVE)
    assert new.pk != erased.person.pk
    assert not Ticket.objects.filter(requester=new).exists()
    assert [told.kind for told in Notification.objects.filter(recipient=new)] == ["welcome"]
