"""One mail for many things: what waited for the day's digest, for morning or for the next hour."""

import functools

import pytest
import time_machine
from django.utils import timezone

from messaging.actions import post_message, post_note
from notifications.mail import outbox
from notifications.mail.addressing import A_MOMENT, address_notifications
from notifications.mail.composing import NotMeant, compose
from notifications.models import Notification, OutgoingMail, Preference
from tickets import actions
from tickets.mail_addresses import named_in_message_id
from tickets.tests.factories import make_ticket
from tickets.workflow import Status

pytestmark = pytest.mark.django_db


@pytest.fixture
def together(ticket):
    """What ``person`` is told of all that ``happens``, as one mail; before, everything was sent."""

    def together(person, *happens):
        outbox.drain()
        for happen in happens:
            happen()
        mail = OutgoingMail.objects.create(recipient=person, email=person.email)
        Notification.objects.filter(mail=None, recipient=person).update(mail=mail)
        return mail

    return together


@pytest.fixture
def toaster(alice, bob, kettles):
    return make_ticket(alice, assignee=bob, category=kettles, subject="Toaster smokes")


def says(ticket, by, words):
    return lambda: post_message(ticket, by=by, body=words)


def test_they_stand_by_ticket_in_the_order_they_happened(together, ticket, toaster, alice, bob):
    mail = compose(
        together(
            alice,
            says(ticket, bob, "Which model?"),
            says(toaster, bob, "Unplug it."),
            says(ticket, bob, "Are you there?"),
        )
    )

    assert mail.subject == "3 things happened on your tickets"
    told = [ticket.reference, "Which model?", "Are you there?", toaster.reference, "Unplug it."]
    for text in (mail.body, mail.alternatives[0].content):
        places = [text.index(words) for words in told]
        assert places == sorted(places)
        assert text.count("Bob wrote to you") == 3
        assert text.count(f"http://localhost:8000{ticket.get_absolute_url()}") == 2
        assert "http://localhost:8000/account/notifications/" in text


def test_about_one_ticket_it_stays_in_its_thread(together, ticket, alice, bob, settings):
    settings.REPLY_ADDRESS = "care@acme.example"
    mail = compose(together(alice, says(ticket, bob, "One."), says(ticket, bob, "Two.")))

    assert mail.subject == f"[{ticket}] Kettle stopped heating"
    assert mail.body.split("\n")[3] == "2 things happened on this ticket"
    assert f"<ticket-{ticket.reference.lower()}@" in mail.extra_headers["References"]
    assert mail.reply_to[0].startswith("care+t")


@pytest.mark.plan("SEC-A5")
@pytest.mark.parametrize("is_note_last", [True, False])
def test_what_tells_of_a_note_takes_no_answers(ticket, alice, bob, ada, settings, is_note_last):
    """Else what answers the note would be published. Two messages take answers."""
    settings.REPLY_ADDRESS = "care@acme.example"
    message = says(ticket, alice, "It drips.")
    note = functools.partial(post_note, ticket, by=ada, body="A known fraudster.")

    mails = {}
    for name, things in {
        "clear": [message, message],
        "mixed": [message, note] if is_note_last else [note, message],
    }.items():
        outbox.drain()
        for happen in things:
            happen()
        theirs = Notification.objects.filter(mail=None, recipient=bob)
        theirs.update(not_before=timezone.now() + A_MOMENT * 2)
        with time_machine.travel(timezone.now() + A_MOMENT * 3):
            address_notifications()
            mail = OutgoingMail.objects.filter(recipient=bob).latest("pk")
            mails[name] = mail, compose(mail)

    for name, (mail, told) in mails.items():
        is_clear = name == "clear"
        assert "2 things happened" in told.body
        assert (named_in_message_id(mail.message_id) is not None) == is_clear, name
        assert bool(told.reply_to) == is_clear, name
        assert ("Answer above this line" in told.body) == is_clear, name
        assert ("Answer this email" in told.body) == is_clear, name


def test_what_is_not_meant_any_more_is_left_out(together, ticket, toaster, alice, bob, ada):
    waiting = together(
        alice, says(ticket, bob, "One."), says(ticket, bob, "Two."), says(toaster, bob, "Three.")
    )
    actions.bin_ticket(toaster, by=ada)

    mail = compose(waiting)

    assert "Two." in mail.body
    assert "Three." not in mail.body


def test_what_is_left_out_says_why(together, ticket, toaster, alice, bob, ada):
    """Issue 6: "Who was told" must not say of it that the server accepted it."""
    waiting = together(alice, says(ticket, bob, "One."), says(toaster, bob, "Two."))
    actions.bin_ticket(toaster, by=ada)

    outbox.drain()

    told = Notification.objects.filter(recipient=alice, kind="message").order_by("pk")
    assert list(told.values_list("mail__state", "mail__last_answer")) == [
        ("sent", ""),
        ("dropped", "The person may no longer see the ticket."),
    ]
    assert told[0].mail == waiting


def test_what_is_left_alone_is_a_mail_of_its_own(together, ticket, toaster, alice, bob, ada):
    waiting = together(alice, says(ticket, bob, "One."), says(toaster, bob, "Two."))
    actions.bin_ticket(toaster, by=ada)

    mail = compose(waiting)

    assert mail.subject == f"[{ticket}] Kettle stopped heating"
    assert mail.body.split("\n")[3] == "Bob wrote to you"
    assert "List-Unsubscribe" in mail.extra_headers


def test_nothing_left_is_no_mail(together, ticket, alice, bob, ada):
    waiting = together(alice, says(ticket, bob, "One."), says(ticket, bob, "Two."))
    Preference.objects.create(user=alice, kind="message", is_wanted=False)

    with pytest.raises(NotMeant, match="chose not to be mailed"):
        compose(waiting)


@pytest.mark.plan("SEC-D20", "SEC-A5")
def test_notes_stay_out(together, ticket, toaster, alice, bob):
    mail = compose(
        together(
            alice,
            lambda: post_note(ticket, by=bob, body="CANARY-9931"),
            says(ticket, bob, "One."),
            says(toaster, bob, "Two."),
        )
    )

    assert "CANARY-9931" not in mail.body + mail.alternatives[0].content
    assert "/workspace/" not in mail.body


@pytest.mark.plan("SEC-D18")
def test_what_people_wrote_is_escaped(together, ticket, toaster, alice, bob):
    evil = '<script>alert("x")</script>'
    mail = compose(together(alice, says(ticket, bob, evil), says(toaster, bob, "Two.")))

    assert evil in mail.body
    assert "<script" not in mail.alternatives[0].content


@pytest.mark.parametrize(("many", "queries"), [(1, 2), (3, 1)])
def test_more_things_cost_no_more_queries(
    together, ticket, alice, bob, django_assert_num_queries, many, queries
):
    """One for all of them; what was said before stands only in the mail about one."""
    words = [says(ticket, bob, f"Number {number}.") for number in range(many)]
    waiting = together(alice, *words)

    with django_assert_num_queries(queries):
        compose(waiting)


def test_a_mail_to_the_agent_costs_three_queries(
    together, ticket, alice, bob, django_assert_num_queries
):
    waiting = together(bob, says(ticket, alice, "Hello."))

    with django_assert_num_queries(3):
        compose(waiting)


def test_the_words_of_the_category_stand_in_the_receipt(alice, kettles, mailoutbox, login):
    """D1-14: and on the page that says the ticket is here."""
    kettles.acknowledgement = "We answer on working days & <always>."
    kettles.save()
    ticket = make_ticket(alice, category=kettles)

    outbox.drain()

    (receipt,) = (mail for mail in mailoutbox if mail.to == [alice.email])
    assert "We answer on working days & <always>." in receipt.body
    assert "working days &amp; &lt;always&gt;." in receipt.alternatives[0].content
    page = login(alice).get(f"/tickets/{ticket.reference}/done/")
    assert "working days &amp; &lt;always&gt;." in page.text


def test_no_other_mail_has_them(ticket, alice, bob, mailoutbox):
    ticket.category.acknowledgement = "We answer on working days."
    ticket.category.save()
    outbox.drain()
    mailoutbox.clear()
    actions.change_status(ticket, Status.WAITING, by=bob, text="Which?")

    outbox.drain()

    (mail,) = mailoutbox
    assert "working days" not in mail.body
