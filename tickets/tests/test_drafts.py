"""A ticket somebody is still writing: kept from the first word to the sending."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from accounts.tests.doors import sign_in
from tickets.models import Ticket, TicketDraft
from tickets.tests.factories import make_ticket

from .files import TXT, file
from .raising import NEW, REVIEW, form_of, reviewed, send, write
from .reading import text, texts, told, typed

SAVE = reverse("tickets:save_draft")
LIST = reverse("tickets:list")


def test_a_visitor_writes_signs_in_and_sends(client, alice, kettles):
    """D0-5: the sign-in comes after the review, and nothing is typed twice."""
    assert write(client, kettles, subject="Cold water").url == REVIEW
    page = client.get(REVIEW)
    assert "Sign in and send" in text(page, "main")
    key = typed(page, "key")

    to_door = client.post(REVIEW, {"key": key})
    assert to_door.url == f"{reverse('account_login')}?next={REVIEW}"
    inside = sign_in(client, alice.email, next=REVIEW)
    assert inside.url == REVIEW
    page = client.get(REVIEW)
    assert typed(page, "key") == key
    assert "Cold water" in texts(page, "dd")
    send(client)

    ticket = Ticket.objects.get()
    assert (ticket.requester, ticket.subject) == (alice, "Cold water")
    assert not TicketDraft.objects.exists()


def test_a_visitors_draft_is_theirs_alone(client, kettles):
    write(client, kettles, subject="Cold water")

    assert typed(client.get(NEW), "subject") == "Cold water"
    assert typed(Client().get(NEW), "subject") == ""
    assert Client().get(REVIEW).url == NEW


def test_signing_in_takes_the_draft_along_and_signing_out_leaves_nothing(client, alice, kettles):
    write(client, kettles, subject="Cold water")

    sign_in(client, alice.email)
    assert TicketDraft.objects.get().owner == alice
    assert typed(client.get(NEW), "subject") == "Cold water"

    client.post(reverse("account_logout"))
    assert typed(client.get(NEW), "subject") == ""


def test_a_draft_is_kept_as_it_was_left(login, alice, kettles):
    client = login(alice)
    words = form_of(
        kettles,
        subject="  two  spaces ",
        incident_on_0="31",
        incident_on_1="2",
        incident_on_2="24",
        contact_phone="call me",
        priority="urgent",
    )

    client.post(SAVE, words)

    page = client.get(NEW)
    for name, value in words.items():
        if name != "category":
            assert typed(page, name) == value
    assert page.context["form"]["category"].value() == str(kettles.pk)
    assert texts(page, ".ccr-error") == []  # nobody is judged while writing


def test_saving_in_the_background_says_when(login, alice, kettles):
    answer = login(alice).post(SAVE, form_of(kettles), headers={"HX-Request": "true"})

    assert "Draft saved at" in answer.content.decode()
    assert TicketDraft.objects.get().fields["subject"] == "Phone does not turn on"


def test_save_and_finish_later(login, alice, kettles):
    """Whatever it is worth: the form need not be complete."""
    client = login(alice)

    answer = client.post(NEW, {"subject": "Cold water", "later": "1"}, follow=True)

    assert answer.redirect_chain == [(LIST, 302)]
    assert told(answer) == [
        "Your ticket is saved. Nothing has been sent yet.",
        "You have a ticket that was not sent yet: Cold water. Go on with it",
    ]
    assert not Ticket.objects.exists()
    assert typed(client.get(NEW), "subject") == "Cold water"


def test_a_visitor_saves_for_later_too(client, kettles):
    answer = client.post(NEW, {"subject": "Cold water", "later": "1"})

    assert answer.url == reverse("home")
    assert typed(client.get(NEW), "subject") == "Cold water"


def test_changing_from_the_review_keeps_the_rest(login, alice, kettles):
    client = login(alice)
    write(client, kettles, against="Kettle K2")

    page = client.get(NEW)
    assert typed(page, "against") == "Kettle K2"
    write(client, kettles, against="Kettle K2", subject="Colder water")
    send(client)

    ticket = Ticket.objects.get()
    assert (ticket.subject, ticket.against) == ("Colder water", "Kettle K2")


def test_a_sent_draft_is_gone_and_the_next_ticket_starts_empty(login, alice, kettles):
    client = login(alice)
    write(client, kettles)
    send(client)

    assert typed(client.get(NEW), "subject") == ""
    assert all("not sent yet" not in words for words in told(client.get(LIST)))


def test_a_reviewed_draft_that_became_wrong_shows_its_errors(login, alice):
    client = login(alice)
    client.post(SAVE, {"subject": "Cold water"})

    answer = client.get(REVIEW)

    assert answer.url == f"{NEW}?check=1"
    assert "Error: Query cannot be empty!" in texts(client.get(answer.url), ".ccr-error")


@pytest.mark.plan("SEC-B11")
@pytest.mark.parametrize("page", [NEW, REVIEW, f"{NEW}?check=1&check=%00", f"{NEW}?key=1"])
def test_the_pages_open_without_a_draft(login, alice, page):
    assert login(alice).get(page).status_code in (200, 302)


def test_visitors_do_not_fill_the_database(client, kettles):
    """Thirty drafts from one address in an hour; who writes one goes on writing it."""
    write(client, kettles)
    for _number in range(29):
        Client().post(SAVE, form_of(kettles))
    assert TicketDraft.objects.count() == 30

    late = Client()
    assert late.post(SAVE, form_of(kettles)).status_code == 429
    page = late.post(NEW, form_of(kettles))
    assert page.status_code == 429
    assert 3000 < int(page.headers["Retry-After"]) <= 3600
    assert told(page) == ["Many tickets were begun from here. Wait 60 minutes, then try again"]
    assert typed(page, "subject") == "Phone does not turn on"
    assert TicketDraft.objects.count() == 30

    client.post(SAVE, form_of(kettles, subject="Still writing"))
    assert typed(client.get(NEW), "subject") == "Still writing"


def test_files_after_too_many_drafts_are_refused_in_words(login, alice, settings):
    settings.LIMITS = settings.LIMITS | {"ticket_draft": (1, timedelta(hours=1))}
    Client().post(SAVE, {})

    answer = login(alice).post(reverse("tickets:draft_files"))

    assert answer.status_code == 429
    assert 3000 < int(answer.headers["Retry-After"]) <= 3600
    assert texts(answer, ".ccr-error") == [
        "Error: Many tickets were begun from here. Wait 60 minutes, then try again"
    ]


def test_the_lists_banner_names_the_draft_even_without_a_subject(login, alice, kettles):
    client = login(alice)
    make_ticket(requester=alice, category=kettles)
    client.post(SAVE, {"subject": ""})

    assert told(client.get(LIST)) == [
        "You have a ticket that was not sent yet: Untitled. Go on with it"
    ]


def test_what_is_sent_is_what_was_reviewed(login, alice, kettles):
    """D4-2: a second window wrote into the same draft; the first one's button sends nothing."""
    client = login(alice)
    write(client, kettles, subject="Cold water")
    seen_first = reviewed(client)
    write(client, kettles, subject="Quite another matter")

    answer = client.post(REVIEW, seen_first, follow=True)

    assert told(answer) == ["It was changed since, perhaps in another window. Check it."]
    assert "Quite another matter" in texts(answer, "dd")
    assert not Ticket.objects.exists()

    send(client)
    assert Ticket.objects.get().subject == "Quite another matter"


def test_a_file_that_came_since_is_reviewed_as_well(login, alice, kettles):
    client = login(alice)
    write(client, kettles)
    seen_first = reviewed(client)
    write(client, kettles, attachments=[file("bill.txt", TXT)])

    client.post(REVIEW, seen_first)

    assert not Ticket.objects.exists()
