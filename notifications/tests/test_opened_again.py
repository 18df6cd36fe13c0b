"""What the other side hears when a ticket is opened again, and when a rating closes it."""

import pytest
from django.urls import reverse

from messaging.actions import post_message
from messaging.tests.inbound.mails import answer_to, take_in
from notifications.mail import outbox
from notifications.mail.composing import compose
from notifications.models import Notification, OutgoingMail
from notifications.short_messages.wording import news_of
from tickets import actions
from tickets.parties import participants
from tickets.tests.factories import make_ticket
from tickets.tests.reading import texts
from tickets.workflow import ResolutionKind, Status

pytestmark = pytest.mark.django_db

SOLVED = {"text": "We sent a new one.", "resolution": ResolutionKind.REPLACED}


@pytest.fixture
def resolved(ticket, bob):
    """Everybody has heard of what happened so far."""
    actions.change_status(ticket, Status.RESOLVED, by=bob, **SOLVED)
    Notification.objects.all().delete()
    return ticket


def told(person):
    """The newest mail to ``person``: the headline, and the sentence under the subject."""
    outbox.drain()
    mail = compose(OutgoingMail.objects.filter(recipient=person).latest("pk"))
    _site, _ticket, _line, headline, _subject, _empty, words, *_rest = mail.body.split("\n")
    assert f">{headline}</h1>" in mail.alternatives[0].content
    return headline, words


def bell(client):
    return texts(client.get(reverse("notifications:bell")), ".ccr-told__what")


@pytest.mark.parametrize("ended", [Status.RESOLVED, Status.CLOSED])
def test_the_agent_reads_that_it_was_opened_again(login, resolved, alice, bob, ended):
    """D2-4"""
    if ended == Status.CLOSED:
        actions.change_status(resolved, ended, by=alice)
        Notification.objects.all().delete()

    actions.change_status(resolved, Status.OPEN, by=alice)

    headline, words = "Alice opened it again", "Alice opened the ticket again."
    assert told(bob) == (headline, f"{words} It is now: In progress")
    assert bell(login(bob)) == [f"Unread: {headline}"]


def test_the_words_that_came_with_it_stand_in_the_mail(resolved, bob, ada):
    actions.change_status(resolved, Status.OPEN, by=ada, text="The new one drips as well.")

    outbox.drain()

    mail = compose(OutgoingMail.objects.get(recipient=bob))
    assert "Ada opened it again" in mail.body
    assert "> The new one drips as well." in mail.body


def test_customers_read_so_too(login, resolved, alice, bob, carol):
    """D2-4: whoever asked, and who takes part."""
    participants.add(resolved, carol.email, by=bob)
    actions.change_status(resolved, Status.OPEN, by=bob)

    words = "Bob opened the ticket again. It is now: In progress"
    assert told(alice) == ("Your ticket is open again", words)
    assert told(carol) == ("The ticket of Alice is open again", words)
    assert bell(login(alice))[0] == "Unread: Your ticket is open again"


def test_what_had_not_ended_is_not_opened_again(resolved, alice, bob, ada):
    actions.change_status(resolved, Status.OPEN, by=alice)
    actions.change_status(resolved, Status.WAITING, by=bob)

    actions.change_status(resolved, Status.OPEN, by=ada)

    words = "Ada changed the status of the ticket to: In progress"
    assert told(bob) == ("Now: In progress", words)


def test_a_rating_that_closes_it_is_told(login, resolved, alice, bob):
    """D4-6"""
    actions.rate(resolved, by=alice, rating=4, comment="Quick.")

    headline = "Alice rated it 4 of 5 and closed it"
    assert told(bob) == (headline, "Alice rated it 4 of 5, which closed the ticket.")
    assert bell(login(bob)) == [f"Unread: {headline}"]


def test_the_rating_of_an_earlier_ending_is_not(resolved, alice, bob):
    actions.rate(resolved, by=alice, rating=4)
    actions.change_status(resolved, Status.OPEN, by=alice)
    actions.change_status(resolved, Status.RESOLVED, by=bob, **SOLVED)

    actions.change_status(resolved, Status.CLOSED, by=alice)

    words = "Alice changed the status of the ticket to: Closed"
    assert told(bob) == ("Now: Closed", words)


def test_the_bell_asks_for_the_ratings_once(
    login, resolved, alice, bob, kettles, django_assert_max_num_queries
):
    client = login(bob)
    actions.rate(resolved, by=alice, rating=4)
    Notification.objects.filter(recipient=bob).exclude(kind="status_changed").delete()
    client.get(reverse("notifications:bell"))

    with django_assert_max_num_queries(20) as one:
        client.get(reverse("notifications:bell"))
    for rating in (2, 3):
        another = make_ticket(alice, assignee=bob, category=kettles)
        actions.change_status(another, Status.RESOLVED, by=bob, **SOLVED)
        actions.rate(another, by=alice, rating=rating)
    Notification.objects.filter(recipient=bob).exclude(kind="status_changed").delete()
    with django_assert_max_num_queries(len(one)):
        client.get(reverse("notifications:bell"))

    assert bell(client) == [f"Unread: Alice rated it {n} of 5 and closed it" for n in (3, 2, 4)]


# --- By mail ------------------------------------------------------------------------


@pytest.fixture
def answered(resolved, alice):
    """Alice answers the mail about the solution."""

    def answer(*moves):
        for to in moves:
            actions.change_status(resolved, to, by=alice)
        Notification.objects.all().delete()
        take_in(answer_to(resolved, alice, body="The new one drips as well."))
        resolved.refresh_from_db()

    return answer


@pytest.mark.parametrize("ended", [[], [Status.CLOSED]])
def test_an_answer_that_opens_it_again_says_so(login, answered, resolved, bob, ended):
    """D0-22, D1-11: in the mail, by the bell and on the telephone."""
    answered(*ended)

    headline = "Alice opened it again and wrote"
    assert resolved.status == Status.OPEN
    assert told(bob) == (headline, "Alice opened the ticket again and wrote:")
    assert bell(login(bob)) == [f"Unread: {headline}"]
    assert news_of(Notification.objects.get(recipient=bob)).headline == headline


def test_who_takes_part_reads_so_as_well(answered, resolved, bob, carol):
    participants.add(resolved, carol.email, by=bob)
    answered()

    assert told(carol)[0] == "Alice opened it again and wrote"


def test_what_is_answered_is_quoted_also_a_solution(answered, resolved, bob):
    """It came with a move, and is the last that was said."""
    answered()
    outbox.drain()

    body = compose(OutgoingMail.objects.filter(recipient=bob).latest("pk")).body
    assert "> The new one drips as well." in body
    assert "Bob Baker wrote:\n> We sent a new one.\n" in body
    assert body.index("> We sent a new one.") < body.index("> The light comes on")


def test_the_next_words_open_nothing(answered, resolved, alice, bob):
    answered()
    outbox.drain()
    take_in(answer_to(resolved, alice, body="And it smells."))
    assert told(bob)[0] == "Alice wrote to you"

    post_message(resolved, by=alice, body="On the page.")
    assert told(bob)[0] == "Alice wrote to you"


def test_nor_do_words_after_a_colleague_opened_it(login, resolved, alice, bob, ada):
    """D0-22: the line before is a move as well, but not hers."""
    actions.change_status(resolved, Status.OPEN, by=ada, text="I look at it again.")
    Notification.objects.all().delete()
    take_in(answer_to(resolved, alice, body="Thank you."))

    assert told(bob) == ("Alice wrote to you", "Alice wrote:")
    assert bell(login(bob)) == ["Unread: Alice wrote to you"]


def test_nor_does_an_answer_to_a_question(ticket, alice, bob):
    actions.change_status(ticket, Status.WAITING, by=bob, text="Which model?")
    Notification.objects.all().delete()
    take_in(answer_to(ticket, alice, body="The red one."))

    assert told(bob) == ("Alice wrote to you", "Alice wrote:")


def test_who_opens_it_again_by_mail_reads_that_it_is_open(answered, resolved, alice):
    """They see no page that says so."""
    answered()

    words = "You wrote to us, which opened the ticket again."
    assert told(alice) == ("Your ticket is open again", words)
    mail = compose(OutgoingMail.objects.filter(recipient=alice).latest("pk"))
    assert mail.extra_headers["Auto-Submitted"] == "auto-replied"  # RFC 3834


def test_the_bell_asks_once_for_what_mails_opened(
    login, answered, resolved, alice, bob, kettles, django_assert_max_num_queries
):
    answered()
    client = login(bob)
    with django_assert_max_num_queries(20) as one:
        client.get(reverse("notifications:bell"))
    another = make_ticket(alice, assignee=bob, category=kettles, status=Status.CLOSED)
    take_in(answer_to(another, alice))
    Notification.objects.filter(recipient=bob).exclude(kind="message").delete()
    with django_assert_max_num_queries(len(one)):
        client.get(reverse("notifications:bell"))

    assert bell(client) == ["Unread: Alice opened it again and wrote"] * 2
