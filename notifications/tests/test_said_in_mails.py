"""That mails say what holds when they are read: until when, by when, and what can be done."""

from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
import time_machine
from django.urls import reverse

from accounts import people
from accounts.models import AccountEvent, User
from messaging.actions import post_message
from notifications.mail import outbox
from notifications.mail.envelopes import subject_for
from notifications.mail.meant import NotMeant
from notifications.models import Notification, OutgoingMail
from notifications.owing import owe
from notifications.short_messages.wording import news_of
from tickets import actions
from tickets.models import Category, Ticket
from tickets.parties import participants
from tickets.tests.factories import make_ticket
from tickets.tests.reading import texts
from tickets.workflow import Status

pytestmark = pytest.mark.django_db

SUNDAY = datetime(2026, 11, 22, 12, tzinfo=UTC)
UNREAD = "Answers to this email are not read."
TO_THE_TEAM = "Answers to this email reach our team, but not the ticket."


@pytest.fixture
def mailed(mailoutbox):
    """The last mail to ``person``, in both of its forms."""

    def mailed(person):
        outbox.drain()
        mail = [each for each in mailoutbox if each.to == [person.email]][-1]
        return mail.body, unescape(mail.alternatives[0].content)

    return mailed


def say(both, words) -> bool:
    """In the HTML tags stand between them."""
    plain, html = both
    assert (words in plain) == (words in html)
    return words in plain


# --- By when, until when -------------------------------------------------------------


@pytest.mark.parametrize(("zone", "time"), [("", "16:00 (UTC)"), ("Asia/Tokyo", "01:00")])
def test_a_promise_is_a_date_as_nobody_knows_when_it_is_read(
    mailed, settings, alice, kettles, zone, time
):
    """The zone is named for who has not chosen theirs."""
    settings.TIME_ZONE = "UTC"
    User.objects.filter(pk=alice.pk).update(time_zone=zone)
    alice.refresh_from_db()
    with time_machine.travel(SUNDAY, tick=False):
        make_ticket(alice, category=kettles)
        mail = mailed(alice)

    day = "Mon 23 Nov" if zone else "Sun 22 Nov"
    assert say(mail, f"An agent will answer by {day}, {time}.")


def test_staff_read_dates_too(mailed, alice, bob, ada, kettles):
    with time_machine.travel(SUNDAY, tick=False):
        actions.assign(make_ticket(alice, category=kettles), to=bob, by=ada)
        mail = mailed(bob)

    assert "The customer was promised to hear by Sun 22 Nov, " in mail[0]


@pytest.fixture
def asked(ticket, bob):
    """Bob asks, and the ticket waits for an answer."""

    def ask(**how):
        outbox.drain()
        with time_machine.travel(SUNDAY, tick=False):
            if "text" in how:
                actions.change_status(ticket, Status.WAITING, by=bob, **how)
            else:
                post_message(ticket, by=bob, body="Which model is it?", then=Status.WAITING)
        ticket.refresh_from_db()

    return ask


@pytest.mark.parametrize("how", [{}, {"text": "Which model is it?"}])
def test_a_question_says_until_when_the_ticket_stays_open(asked, mailed, alice, how):
    """D4-3: and that the question stands elsewhere is no help in a mail."""
    asked(**how)
    with time_machine.travel(SUNDAY, tick=False):
        mail = mailed(alice)

    assert say(mail, "Bob needs your answer. The clock is stopped until you answer.")
    assert say(mail, "The ticket stays open for that until Sun 29 Nov.")
    assert not say(mail, "in the conversation")


def test_who_takes_part_reads_so_too(asked, mailed, ticket, bob, carol):
    participants.add(ticket, carol.email, by=bob)
    asked()
    with time_machine.travel(SUNDAY, tick=False):
        mail = mailed(carol)

    assert say(mail, "Alice or you can give it.")
    assert say(mail, "The ticket stays open for that until Sun 29 Nov.")


def test_what_no_silence_ends_names_no_day(asked, mailed, settings, alice):
    settings.WAITING_DAYS = 0
    asked()

    assert not say(mailed(alice), "stays open")


# --- What can be done -----------------------------------------------------------------


@pytest.mark.parametrize(("name", "words"), [("bob", UNREAD), ("alice", TO_THE_TEAM)])
def test_answers_of_staff_do_not_reach_the_team(request, mailed, settings, ticket, name, words):
    """Whatever they answer there is held: "Claims to come from staff"."""
    settings.REPLY_ADDRESS = ""
    Category.objects.filter(pk=ticket.category_id).update(email="kettles@shop.example")
    post_message(ticket, by=ticket.requester, body="Hello.")
    post_message(ticket, by=ticket.assignee, body="Hello.")

    mail = mailed(request.getfixturevalue(name))

    assert [say(mail, each) for each in (UNREAD, TO_THE_TEAM)] == [words == UNREAD, words != UNREAD]


def owed(kind, person, event):
    owe(kind, person, cause=f"account-event:{event.pk}")


@pytest.mark.parametrize(("by_themselves", "buttons"), [(True, 1), (False, 0)])
def test_who_was_shut_out_is_offered_no_sign_in(mailed, alice, ada, by_themselves, buttons):
    """Who asked for it themselves stops it by signing in."""
    User.objects.filter(pk=alice.pk).update(erase_at=SUNDAY + timedelta(days=30))
    event = AccountEvent.objects.create(
        user=alice, by=alice if by_themselves else ada, kind=AccountEvent.Kind.BINNED
    )
    owed(Notification.Kind.ERASURE_ASKED, alice, event)

    plain, html = mailed(alice)

    link = f"http://localhost:8000{reverse('account_login')}"
    assert (plain.count(link), html.count(link)) == (buttons, buttons)
    assert ('class="btn"' in html) == by_themselves


def test_the_suspended_have_nowhere_to_go(mailed, bob, ada):
    people.suspend(bob, by=ada, reason="Rude.")

    plain, html = mailed(bob)

    assert "Go to the registry" not in plain + html
    assert 'class="btn"' not in html


def test_an_administrator_gets_to_the_ticket(mailed, ada, alice, kettles):
    ticket = make_ticket(alice, category=kettles)

    mail = mailed(ada)

    assert f"Open the ticket:\nhttp://localhost:8000{ticket.workspace_url}\n" in mail[0]
    assert say(mail, "It begins with this:")


def test_what_was_given_up_is_among_what_was_given_up(mailed, ada):
    owe(Notification.Kind.MAIL_STOPPED, ada, cause="test")

    assert "?state=failed" in mailed(ada)[0]


# --- The outside ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("Re: [CCR-2026-00044] Kettle stopped heating", "Re: Kettle stopped heating"),
        ("[CCR-2026-00044] Re: [CCR-2026-00043]", "Re:"),
        ("[URGENT-2026-1] Kettle", "[URGENT-2026-1] Kettle"),
        ("[CCR-2026-00044]", "Bob wrote to you"),
    ],
)
def test_there_is_one_number_in_a_subject(subject, expected):
    """Who answers an old mail, and so begins a new ticket, brings another along."""
    ticket = Ticket(reference="CCR-2026-00051", subject=subject)

    assert subject_for("Bob wrote to you", ticket) == f"[CCR-2026-00051] {expected}"


def test_the_line_to_answer_above_is_inside_the_main_part(mailed, settings, ticket, alice, bob):
    """Programs that read mails aloud lead from region to region."""
    settings.REPLY_ADDRESS = "care@example.org"
    post_message(ticket, by=alice, body="Hello.")

    _plain, html = mailed(bob)

    main, line = html.index('<div role="main">'), html.index("Answer above this line")
    assert main < line < html.index("Alice wrote to you. Hello.")
    assert html[html.index("<body") : main].count("<") == 1


# --- Nobody has it, still? -------------------------------------------------------------


@pytest.fixture
def waiting_for_ada(ticket_of_nobody, ada):
    return Notification.objects.get(recipient=ada, kind="ticket_unassigned")


@pytest.fixture
def ticket_of_nobody(alice, ada, kettles):
    return make_ticket(alice, category=kettles)


def taken(ticket, bob):
    actions.assign(ticket, to=bob, by=None, rule="addressed")


def withdrawn(ticket, bob):
    actions.change_status(ticket, Status.WITHDRAWN, by=ticket.requester)


@pytest.mark.parametrize("happens", [taken, withdrawn])
def test_what_somebody_has_by_now_is_not_mailed(
    ticket_of_nobody, waiting_for_ada, bob, happens, mailoutbox
):
    """D0-11: as a mail to an agent's own address, which is theirs from its first second."""
    happens(ticket_of_nobody, bob)

    outbox.drain()

    waiting_for_ada.refresh_from_db()
    assert waiting_for_ada.mail.state == OutgoingMail.State.DROPPED
    assert waiting_for_ada.mail.last_answer == "The ticket has moved on."


def test_no_telephone_lights_up_for_it(ticket_of_nobody, waiting_for_ada, bob):
    before = news_of(waiting_for_ada).headline
    taken(ticket_of_nobody, bob)
    later = Notification.objects.get(pk=waiting_for_ada.pk)

    assert before == "New ticket without an agent"
    with pytest.raises(NotMeant, match="The ticket has moved on"):
        news_of(later)


def test_the_bell_says_who_has_it(login, ticket_of_nobody, ada, bob):
    def bell():
        return texts(login(ada).get(reverse("notifications:bell")), ".ccr-told__what")

    before = bell()
    taken(ticket_of_nobody, bob)

    assert before == ["Unread: New ticket without an agent"]
    assert bell() == ["Unread: New ticket, which Bob has by now"]
