"""Files: what is kept and what is refused, until the sending and after it."""

import hashlib
from uuid import uuid4

import pytest
from django.urls import reverse

from messaging import actions as messaging
from tickets import actions, uploads
from tickets.models import Attachment, TicketDraft

from .files import EXE, GOOD, PDF, PNG, attach, download, file, sized, stored
from .raising import NEW, REVIEW, form_of, send, write
from .reading import problems, text, texts

MB = 1024 * 1024


def kept():
    return list(Attachment.objects.order_by("created_at").values_list("name", flat=True))


@pytest.fixture
def client_of_alice(login, alice):
    return login(alice)


# --- What is kept -------------------------------------------------------------------


@pytest.mark.parametrize("name", GOOD)
def test_good_files_travel_with_the_ticket(client_of_alice, kettles, name, settings):
    """D4-2: through the review to the ticket's first line, byte for byte."""
    assert attach(client_of_alice, kettles, file(name, GOOD[name])).url == REVIEW
    assert name in text(client_of_alice.get(REVIEW), "main")
    send(client_of_alice)

    attachment = Attachment.objects.get()
    assert (attachment.event.number, attachment.draft_key) == (1, None)
    assert (attachment.name, attachment.size) == (name, len(GOOD[name]))
    assert attachment.sha256 == hashlib.sha256(GOOD[name]).hexdigest()
    assert download(client_of_alice, attachment).body == GOOD[name]
    assert len(stored(settings)) == 1


def test_files_survive_a_mistake_elsewhere_and_can_be_taken_away(
    client_of_alice, kettles, settings
):
    page = attach(client_of_alice, kettles, file("a.png"), file("b.pdf", PDF), subject="")
    assert texts(page, ".ccr-file__name") == ["a.png", "b.pdf"]

    first = Attachment.objects.get(name="a.png")
    page = client_of_alice.post(NEW, form_of(kettles, remove=first.pk))
    assert texts(page, ".ccr-file__name") == ["b.pdf"]
    assert len(stored(settings)) == 1

    write(client_of_alice, kettles)
    send(client_of_alice)
    assert kept() == ["b.pdf"]


def test_files_go_up_as_they_are_chosen(client_of_alice, kettles):
    page = reverse("tickets:draft_files")

    answer = client_of_alice.post(page, {"attachments": [file("a.png"), file("b.exe", EXE)]})

    assert texts(answer, ".ccr-file__name") == ["a.png"]
    assert texts(answer, ".ccr-error") == ["Error: b.exe must be a JPG, PNG, PDF, TXT or MP4"]
    answer = client_of_alice.post(page, {"remove": Attachment.objects.get().pk})
    assert texts(answer, ".ccr-file__name") == []
    assert kept() == []


def test_a_form_that_arrives_twice_keeps_its_files_once(client_of_alice, kettles, settings):
    """A double click, a retry; also with as many files as there may be."""
    for _time in range(2):
        files = [sized(100 + number, f"{number}.png") for number in range(10)]
        assert attach(client_of_alice, kettles, *files).url == REVIEW

    assert kept() == [f"{number}.png" for number in range(10)]
    assert len(stored(settings)) == 10


def test_the_same_file_of_two_people_is_two_files(login, alice, carol, kettles):
    for person in (alice, carol):
        raise_ticket_with_file(login(person), kettles)

    assert sorted(Attachment.objects.values_list("uploader__first_name", flat=True)) == [
        "Alice",
        "Carol",
    ]


def raise_ticket_with_file(client, kettles):
    attach(client, kettles, file())
    return send(client)


def test_two_files_of_one_name_are_both_kept(client_of_alice, kettles):
    attach(client_of_alice, kettles, file("a.png", PNG), file("a.png", PNG + b"more"))

    assert kept() == ["a.png", "a.png"]


def test_the_loser_of_two_equal_uploads_leaves_no_file_behind(alice, settings, monkeypatch):
    """Both asked whether it is there already, before either stored it."""
    draft_key = uuid4()
    uploads.keep([file()], by=alice, draft_key=draft_key)
    monkeypatch.setattr(Attachment.objects.all().__class__, "exists", lambda self: False)

    assert uploads.keep([file()], by=alice, draft_key=draft_key) == []

    assert kept() == ["kettle.png"]
    assert len(stored(settings)) == 1


def test_a_removal_does_not_touch_a_file_that_was_sent_meanwhile(alice, ticket, settings):
    draft_key = uuid4()
    uploads.keep([file()], by=alice, draft_key=draft_key)
    attachment = Attachment.objects.get()
    messaging.post_message(ticket, by=alice, body="Look", key=draft_key)

    uploads.remove(attachment.pk, by=alice, draft_key=draft_key)

    assert kept() == ["kettle.png"]
    assert len(stored(settings)) == 1


# --- Limits --------------------------------------------------------------------------


@pytest.mark.plan("SEC-B6")
@pytest.mark.parametrize(
    ("size", "words"),
    [
        (10 * MB - 1, []),
        (10 * MB, []),
        (10 * MB + 1, ["big.png must be smaller than 10 MB"]),
    ],
)
def test_a_file_has_ten_megabytes(client_of_alice, kettles, settings, size, words):
    page = attach(client_of_alice, kettles, sized(size), file("small.png"), subject="")

    assert problems(page)[0] == ["Enter a subject", *words]
    assert kept() == (["small.png"] if words else ["big.png", "small.png"])
    assert len(stored(settings)) == len(kept())
    assert TicketDraft.objects.get().fields["description"]


@pytest.mark.plan("SEC-B6")
@pytest.mark.parametrize(
    ("count", "words"), [(9, []), (10, []), (11, ["You can add up to 10 files"])]
)
def test_ten_files_are_enough(client_of_alice, kettles, settings, count, words):
    files = [sized(100 + number, f"{number}.png") for number in range(count)]

    attach(client_of_alice, kettles, *files[:5])  # in two goes
    page = attach(client_of_alice, kettles, *files[5:], subject="")

    assert problems(page)[0] == ["Enter a subject", *words]
    assert len(kept()) == len(stored(settings)) == min(count, 10)


@pytest.mark.plan("SEC-B6")
@pytest.mark.parametrize(
    ("last", "words"),
    [
        (5 * MB - 1, []),
        (5 * MB, []),
        (5 * MB + 1, ["Files must be smaller than 25 MB together"]),
    ],
)
def test_all_files_together_have_twenty_five_megabytes(
    client_of_alice, kettles, settings, last, words
):
    attach(client_of_alice, kettles, sized(10 * MB, "1.png"), sized(10 * MB - 1, "2.png"))

    page = attach(client_of_alice, kettles, sized(last + 1, "3.png"), subject="")

    assert problems(page)[0] == ["Enter a subject", *words]
    assert len(kept()) == len(stored(settings)) == (2 if words else 3)


# --- Whose --------------------------------------------------------------------------------


def test_a_visitor_adds_files_after_signing_in(client, kettles, settings):
    page = client.get(NEW)
    assert "You can add files after signing in, before you send the ticket" in text(page, "main")

    attach(client, kettles, file())

    assert kept() == []
    assert stored(settings) == []


@pytest.mark.plan("SEC-A6")
def test_a_waiting_file_is_its_uploaders_alone(login, alice, bob, carol, ada, kettles):
    attach(login(alice), kettles, file())
    attachment = Attachment.objects.get()

    assert download(login(alice), attachment).body == PNG
    for stranger in (bob, carol, ada):
        assert download(login(stranger), attachment).status_code == 404


def test_nobody_takes_anothers_file_away(login, alice, carol, kettles):
    attach(login(alice), kettles, file())
    attachment = Attachment.objects.get()

    login(carol).post(NEW, form_of(kettles, remove=attachment.pk))
    assert kept() == ["kettle.png"]

    login(alice).post(NEW, form_of(kettles, remove=attachment.pk))
    assert kept() == []


@pytest.mark.parametrize("key", ["", "x", "\0", "0" * 100, "1" * 32])
def test_taking_away_what_is_not_there_is_harmless(client_of_alice, kettles, key):
    attach(client_of_alice, kettles, file())

    page = client_of_alice.post(NEW, form_of(kettles, remove=key))

    assert texts(page, ".ccr-file__name") == ["kettle.png"]


def test_a_refused_file_is_told_also_while_another_is_taken_away(client_of_alice, kettles):
    attach(client_of_alice, kettles, file())
    remove = Attachment.objects.get().pk

    page = attach(client_of_alice, kettles, file("b.exe", EXE), remove=remove)

    assert problems(page)[0] == ["b.exe must be a JPG, PNG, PDF, TXT or MP4"]


@pytest.mark.plan("SEC-A6")
def test_files_follow_their_line(login, alice, bob, carol, dave, ada, ticket):
    """Judged at each download: also after the ticket changed hands or was deleted."""
    key = uuid4()
    uploads.keep([file()], by=bob, draft_key=key)
    messaging.post_note(ticket, by=bob, body="", key=key)
    attachment = Attachment.objects.get()

    def may(*people):
        return [download(login(person), attachment).status_code == 200 for person in people]

    assert may(alice, carol, dave, bob, ada) == [False, False, False, True, True]
    actions.assign(ticket, to=dave, by=ada)
    assert may(bob, dave) == [False, True]
    actions.bin_ticket(ticket, by=ada)
    assert may(dave, ada) == [False, False]


@pytest.mark.parametrize("pk", ["x", "0", "11111111-1111-1111-1111-11111111111g"])
def test_no_file_has_such_an_address(client_of_alice, pk):
    assert client_of_alice.get(f"/tickets/files/{pk}/").status_code == 404


def test_an_unknown_file_is_not_found(client_of_alice):
    assert client_of_alice.get(reverse("tickets:attachment", args=[uuid4()])).status_code == 404
