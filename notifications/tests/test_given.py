"""What the agent reads who is given a ticket."""

import pytest
from django.core.files.base import ContentFile

from messaging.actions import post_message
from notifications.mail import outbox
from tickets import actions
from tickets.models import Attachment
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def raised(alice, kettles):
    return make_ticket(alice, category=kettles)


def put_on(event, *names):
    for name in names:
        Attachment.objects.create(
            event=event, uploader=event.actor, file=ContentFile(b"x", name), name=name, size=1
        )


def mail_to(person, mailoutbox):
    mailoutbox.clear()
    outbox.drain()
    (mail,) = (mail for mail in mailoutbox if mail.to == [person.email])
    return mail.body, mail.alternatives[0].content


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["a.txt"], "1 file came with it. It is on the ticket’s page."),
        (["a.txt", "b.txt"], "2 files came with it. They are on the ticket’s page."),
    ],
)
def test_the_files_of_the_words_are_counted(raised, bob, ada, mailoutbox, names, words):
    """D1-17: as the mail to administrators does about the same words."""
    put_on(raised.events.get(number=1), *names)
    actions.assign(raised, to=bob, by=ada)

    for text in mail_to(bob, mailoutbox):
        assert words in text


def test_files_that_came_later_are_not(raised, alice, bob, ada, mailoutbox):
    put_on(post_message(raised, by=alice, body="And this."), "a.txt")
    actions.assign(raised, to=bob, by=ada)

    for text in mail_to(bob, mailoutbox):
        assert "came with it" not in text


def test_it_is_no_ticket_of_theirs(raised, alice, bob, ada, mailoutbox):
    """It is the customer's, who reads "your"."""
    actions.assign(raised, to=bob, by=ada)
    outbox.drain()

    to_agent, to_customer = (
        next(mail.body for mail in mailoutbox if mail.to == [person.email])
        for person in (bob, alice)
    )

    assert f"Open the ticket:\nhttp://localhost:8000{raised.workspace_url}\n" in to_agent
    assert f"Open your ticket:\nhttp://localhost:8000{raised.get_absolute_url()}\n" in to_customer
