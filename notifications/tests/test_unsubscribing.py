"""The link that stops mails like the one it stands in (RFC 8058)."""

import re

import pytest
from django.core.signing import Signer
from django.test import Client
from django.urls import reverse

from accounts import actions as accounts
from accounts.models import Role, Standing, User
from accounts.tests.factories import make_user
from messaging.actions import post_message
from notifications.mail import outbox
from notifications.mail.unsubscribing import path_to_stop
from notifications.models import Notification, OutgoingMail, Preference
from tickets import actions
from tickets.tests.factories import make_ticket
from tickets.tests.reading import text
from tickets.workflow import ResolutionKind, Status

pytestmark = pytest.mark.django_db

SITE = "http://localhost:8000"


@pytest.fixture
def program():
    """A mail program: no cookie, no form of ours."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def message(ticket, bob, mailoutbox):
    """The mail that tells Alice of a message."""
    outbox.drain()
    mailoutbox.clear()
    post_message(ticket, by=bob, body="Hello.")
    outbox.drain()
    (mail,) = mailoutbox
    return mail


NEWS = {"message", "status_changed", "rating_answered", "call_logged"}


def refused(person) -> set[str]:
    """The kinds of mail they don't want."""
    unwanted = person.notification_preferences.filter(channel="email", is_wanted=False)
    return set(unwanted.values_list("kind", flat=True))


def link_in(mail) -> str:
    return re.fullmatch(rf"<{SITE}(/stop-mails/\S+/)>", mail.extra_headers["List-Unsubscribe"])[1]


def test_a_mail_program_stops_them(message, program, alice):
    """Only these, and only by mail."""
    assert message.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    answer = program.post(link_in(message), {"List-Unsubscribe": "One-Click"})

    assert answer.status_code == 200
    assert refused(alice) == NEWS
    assert Preference.objects.count() == len(NEWS)


def test_no_such_mail_comes_any_more(message, program, ticket, bob, mailoutbox):
    program.post(link_in(message))
    mailoutbox.clear()

    post_message(ticket, by=bob, body="Hello again.")
    outbox.drain()

    assert mailoutbox == []


def test_the_same_link_stands_in_the_mail(message):
    link = SITE + link_in(message)

    assert f"Stop mails like this: {link}\n" in message.body
    assert f'<a href="{link}"' in message.alternatives[0].content


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_stops_nothing(message, client, alice, method):
    """Mail programs and scanners open links by themselves."""
    page = getattr(client, method)(link_in(message))

    assert page.status_code == 200
    assert page["X-Robots-Tag"] == "noindex"
    assert refused(alice) == set()


def test_the_page_asks_and_then_says_the_way_back(message, client):
    """It names what is stopped, and nobody; opened again it asks no second time."""
    asked = client.get(link_in(message))
    told = client.post(link_in(message))
    later = client.get(link_in(message))

    assert "We email you when this happens: An agent writes to me" in text(asked, "main")
    assert "We don’t email you any more when this happens: An agent" in text(told, "main")
    assert text(later, "main") == text(told, "main")
    assert f'href="{reverse("notifications:preferences")}"' in told.text
    assert [name for name in ("Alice", "alice@") if name in asked.text + told.text] == []


def test_who_holds_the_link_can_have_them_again(message, client, alice):
    client.post(link_in(message))

    page = client.post(link_in(message), {"again": "1"})

    assert text(page, "h1") == "Stop mails like this?"
    assert refused(alice) == set()


def test_who_refuses_some_of_them_is_still_asked(message, client, alice):
    """As when they chose otherwise in another role."""
    for kind, is_wanted in (("message", False), ("status_changed", True)):
        Preference.objects.create(user=alice, kind=kind, is_wanted=is_wanted)

    assert text(client.get(link_in(message)), "h1") == "Stop mails like this?"


def test_an_occasion_that_joined_later_is_stopped_with_the_others(message, client, alice):
    """As when a later release adds it to the choice."""
    Preference.objects.create(user=alice, kind="message", is_wanted=False)

    assert text(client.get(link_in(message)), "h1") == "No more such mails"


def test_twice_is_as_good_as_once(message, program, alice):
    answers = [program.post(link_in(message)).status_code for _ in range(2)]

    assert answers == [200, 200]
    assert refused(alice) == NEWS


def test_what_is_always_sent_has_no_such_link(ticket, bob, mailoutbox):
    """The receipt, and how it was resolved."""
    actions.change_status(
        ticket, Status.RESOLVED, by=bob, text="Sent.", resolution=ResolutionKind.REPLACED
    )
    outbox.drain()

    to_alice = [mail for mail in mailoutbox if mail.to == ["alice@example.org"]]
    named = {
        mail.body.split("\n")[3]: "List-Unsubscribe" in mail.extra_headers for mail in to_alice
    }
    assert named == {
        "We have your ticket": False,
        "Bob has your ticket": True,
        "Bob marked your ticket resolved": False,
    }
    assert len([mail for mail in to_alice if "Stop mails like this" in mail.body]) == 1


def test_mails_about_the_account_have_none(mailoutbox):
    accounts.confirm(make_user("Una", standing=Standing.UNCLAIMED))

    outbox.drain()

    (mail,) = mailoutbox
    assert "List-Unsubscribe" not in mail.extra_headers


def test_somebody_without_an_account_stops_them_too(program, ticket):
    """D0-22: no page is offered to them that they could not open."""
    una = make_user("Una", standing=Standing.UNCLAIMED)

    page = program.post(path_to_stop(una, "message"))

    assert page.status_code == 200
    assert reverse("notifications:preferences") not in page.text
    assert refused(una) == NEWS


# --- Of a mail about several things -----------------------------------------------------


@pytest.fixture
def together(mailoutbox):
    """What was owed to somebody meanwhile, as one mail."""

    def together(person):
        mail = OutgoingMail.objects.create(recipient=person, email=person.email)
        Notification.objects.filter(mail=None, recipient=person).update(mail=mail)
        mailoutbox.clear()
        outbox.drain()
        return next(each for each in mailoutbox if each.to == [person.email])

    return together


@pytest.fixture
def closed_and_answered(ticket, bob, together):
    """Alice is told of both in one mail."""
    outbox.drain()
    post_message(ticket, by=bob, body="Hello.")
    actions.change_status(ticket, Status.CLOSED, by=bob)
    return together(ticket.requester)


def test_a_mail_about_several_things_stops_them_all(closed_and_answered, program, alice):
    link = SITE + link_in(closed_and_answered)

    answer = program.post(link_in(closed_and_answered), {"List-Unsubscribe": "One-Click"})

    assert answer.status_code == 200
    assert refused(alice) == NEWS | {"closed"}
    assert f"Stop mails like this: {link}\n" in closed_and_answered.body
    assert f'<a href="{link}"' in closed_and_answered.alternatives[0].content
    assert SITE + reverse("notifications:preferences") in closed_and_answered.body


def test_its_page_names_them_and_takes_them_back(closed_and_answered, client, alice):
    asked = client.get(link_in(closed_and_answered))
    told = client.post(link_in(closed_and_answered))
    back = client.post(link_in(closed_and_answered), {"again": "1"})

    both = "happens: An agent writes to me or changes the status A ticket I raised is closed"
    assert [both in text(page, "main") for page in (asked, told, back)] == [True, True, True]
    assert text(told, "h1") == "No more such mails"
    assert text(back, "h1") == "Stop mails like this?"
    assert refused(alice) == set()


def test_who_refuses_some_of_its_things_is_still_asked(closed_and_answered, client, alice):
    client.post(path_to_stop(alice, "closed"))

    assert text(client.get(link_in(closed_and_answered)), "h1") == "Stop mails like this?"


def test_one_with_something_that_is_always_sent_has_no_such_link(ticket, alice, bob, together):
    outbox.drain()
    post_message(ticket, by=bob, body="Hello.")
    actions.change_status(
        ticket, Status.RESOLVED, by=bob, text="Sent.", resolution=ResolutionKind.REPLACED
    )

    mail = together(alice)

    assert "2 things happened on this ticket" in mail.body
    assert "List-Unsubscribe" not in mail.extra_headers
    assert "Stop mails like this" not in mail.body
    assert SITE + reverse("notifications:preferences") in mail.body


def test_without_an_account_a_digest_is_stopped_too(ticket, bob, together, program):
    """D0-22: it is all they have, as they can't open the page of their notifications."""
    una = make_user("Una", standing=Standing.UNCLAIMED)
    theirs = make_ticket(una, assignee=bob, category=ticket.category)
    outbox.drain()
    for words in ("Hello.", "Hello again."):
        post_message(theirs, by=bob, body=words)

    mail = together(una)

    program.post(link_in(mail))
    assert refused(una) == NEWS
    assert "/account/notifications/" not in mail.body


def test_of_several_choices_those_that_are_still_theirs_are_stopped(program, bob):
    """Bob is a customer by now, to whom nobody gives a ticket."""
    link = path_to_stop(bob, "assigned_to_you", "closed")
    User.objects.filter(pk=bob.pk).update(role=Role.CUSTOMER)

    assert program.post(link).status_code == 200
    assert refused(bob) == {"closed"}


# --- Whose link it is -------------------------------------------------------------------


def test_a_link_of_an_earlier_release_still_works(program, alice):
    """What it names: a person, and the name of one choice."""
    earlier = Signer(salt="notifications.mail.unsubscribing").sign_object([alice.pk, "news"])

    assert program.post(reverse("notifications:stop", args=[earlier])).status_code == 200
    assert refused(alice) == NEWS


def test_another_key_or_word_is_nobodys(program, alice, bob):
    """A link is made by us alone, for one person and one of their choices."""
    good = path_to_stop(alice, "message")
    forged = [
        good[:-3] + ("aa/" if good[-3:] != "aa/" else "bb/"),
        reverse("notifications:stop", args=["1:x"]),
        reverse("notifications:stop", args=[Signer(salt="other").sign_object([alice.pk, "news"])]),
    ]

    assert [program.post(path).status_code for path in forged] == [404, 404, 404]
    assert [program.get(path).status_code for path in forged] == [404, 404, 404]
    assert not Preference.objects.exists()
    assert program.post(good).status_code == 200


def test_the_signature_has_256_bits(alice):
    assert len(path_to_stop(alice, "message").rpartition(":")[2].strip("/")) == 43


def test_it_ends_with_the_account_and_with_the_choice(program, alice, bob):
    """The erased, and who has another role by now."""
    gone, other = path_to_stop(alice, "message"), path_to_stop(bob, "assigned_to_you")
    User.objects.filter(pk=alice.pk).update(deleted_at="2026-01-01T00:00Z")
    User.objects.filter(pk=bob.pk).update(role=Role.CUSTOMER)

    assert [program.post(path).status_code for path in (gone, other)] == [404, 404]
    assert not Preference.objects.exists()
