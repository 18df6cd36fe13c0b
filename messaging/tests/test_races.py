"""Several people at the same moment: everything is kept once, in one order.

Each thread has a database connection of its own, and all start together, round after round.
"""

from functools import partial
from uuid import uuid4

import pytest
from django.urls import reverse

from messaging import actions as messaging
from messaging.actions import ChatClosed
from tickets import actions, history, uploads
from tickets.models import Attachment, Ticket, TicketDraft
from tickets.tests.factories import make_ticket
from tickets.tests.files import attach, file, stored
from tickets.tests.racing import race, signed_in
from tickets.tests.raising import REVIEW, form_of
from tickets.tests.reading import told
from tickets.workflow import ResolutionKind, Status, TooMany, TransitionRefused

from .talking import reply

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]

ROUNDS = 20


@pytest.fixture
def another(alice, bob, ada, kettles, settings):
    """A fresh ticket of Alice's with Bob for each round."""
    settings.TICKETS_PER_HOUR = 1000

    def make(status=None):
        return make_ticket(requester=alice, assignee=bob, category=kettles, by=ada, status=status)

    return make


def seen_by(count, ticket):
    """The ticket as each of ``count`` people loaded it before the race."""
    return [Ticket.objects.get(pk=ticket.pk) for _person in range(count)]


def is_whole(ticket):
    """Lines are numbered without gaps, the chain holds, and the row says what they say."""
    ticket.refresh_from_db()
    numbers = list(ticket.events.values_list("number", flat=True))
    messages = ticket.events.filter(kind__in=["raised", "message"]).count()
    return (
        numbers == list(range(1, ticket.event_count + 1))
        and ticket.message_count == messages
        and list(history.problems(Ticket.objects.filter(pk=ticket.pk))) == []
    )


def said(ticket):
    return list(ticket.events.filter(kind="message").values_list("text", flat=True))


# --- Once -----------------------------------------------------------------------------


@pytest.mark.plan("SEC-E1")
def test_sending_a_ticket_twice_at_once_is_one_ticket(alice, kettles):
    for _round in range(ROUNDS):
        draft = TicketDraft.objects.create(owner=alice, fields=form_of(kettles))
        clients = [signed_in(alice) for _click in range(2)]

        seen = {"key": draft.key, "version": draft.version()}
        answers = race(*(partial(c.post, REVIEW, seen) for c in clients))

        ticket = Ticket.objects.get(draft_key=draft.key)
        done = reverse("tickets:done", args=[ticket.reference])
        assert [answer.url for answer in answers] == [done, done]
        assert is_whole(ticket)
        assert not TicketDraft.objects.exists()
    assert Ticket.objects.count() == ROUNDS


@pytest.mark.plan("SEC-E1")
def test_the_same_message_twice_at_once_is_one_message(alice, another):
    for _round in range(ROUNDS):
        ticket, key = another(), uuid4()
        clients = [signed_in(alice) for _click in range(2)]

        answers = race(*(partial(reply, c, ticket, "Hello", key) for c in clients))

        assert [answer.status_code for answer in answers] == [302, 302]
        assert said(ticket) == ["Hello"]
        assert is_whole(ticket)


@pytest.mark.plan("SEC-E1")
def test_the_same_files_twice_at_once_are_kept_once(alice, kettles, settings):
    for number in range(ROUNDS):
        TicketDraft.objects.all().delete()
        TicketDraft.objects.create(owner=alice)
        clients = [signed_in(alice) for _click in range(2)]

        answers = race(
            *(partial(attach, c, kettles, file(f"{number}.png"), file("b.png")) for c in clients)
        )

        assert [answer.url for answer in answers] == [REVIEW, REVIEW]
        assert Attachment.objects.count() == len(stored(settings)) == 2 * (number + 1)


@pytest.mark.plan("SEC-E1")
def test_a_message_with_a_file_twice_at_once_has_it_once(alice, another, settings):
    for number in range(ROUNDS):
        ticket, key = another(), uuid4()
        clients = [signed_in(alice) for _click in range(2)]

        race(*(partial(reply, c, ticket, "Look", key, [file()]) for c in clients))

        message = ticket.events.get(kind="message")
        assert message.attachments.count() == 1
        assert Attachment.objects.count() == len(stored(settings)) == number + 1


# --- Against each other ------------------------------------------------------------------


@pytest.mark.plan("SEC-E3")
def test_a_reply_against_the_closing(alice, bob, another):
    """Kept before the closing, or refused in words after it. Never lost, never both."""
    for _round in range(ROUNDS):
        ticket = another()
        first, second = seen_by(2, ticket)

        replied, closed = race(
            partial(messaging.post_message, first, by=alice, body="Wait!"),
            partial(actions.change_status, second, Status.CLOSED, by=bob),
        )

        assert is_whole(ticket)
        assert ticket.status == Status.CLOSED
        if isinstance(replied, ChatClosed):
            assert str(replied) == "Bob Baker closed this ticket. Chats are disabled"
            assert said(ticket) == []
        else:
            assert said(ticket) == ["Wait!"]
            assert replied.number < closed.number


@pytest.mark.plan("SEC-E3")
def test_an_answer_against_a_resolution(alice, bob, another):
    """The answer is kept. It opens the ticket, or finds it resolved, which it then stays."""
    for _round in range(ROUNDS):
        ticket = another(Status.WAITING)
        first, second = seen_by(2, ticket)
        words = {"text": "Done.", "resolution": ResolutionKind.ANSWERED}

        answered, resolved = race(
            partial(messaging.post_message, first, by=alice, body="The K2."),
            partial(actions.change_status, second, Status.RESOLVED, by=bob, **words),
        )

        assert is_whole(ticket)
        assert said(ticket) == ["The K2."]
        if isinstance(resolved, TransitionRefused):
            assert str(resolved) == f"{ticket} was changed by someone else."
            assert ticket.status == Status.OPEN
        else:
            assert ticket.status == Status.RESOLVED
            assert resolved.number < answered.number


@pytest.mark.plan("SEC-E4")
def test_two_agents_reply_at_once(alice, bob, ada, another):
    """Both kept in one order; who shows what they have seen is held instead."""
    for _round in range(ROUNDS):
        ticket = another()
        first, second = seen_by(2, ticket)

        race(
            partial(messaging.post_message, first, by=bob, body="From Bob"),
            partial(messaging.post_message, second, by=ada, body="From Ada"),
        )

        assert sorted(said(ticket)) == ["From Ada", "From Bob"]
        assert is_whole(ticket)

        seen = ticket.event_count
        answers = race(
            partial(messaging.post_message, first, by=bob, body="Again", seen=seen),
            partial(messaging.post_message, second, by=ada, body="Again", seen=seen),
        )
        (held,) = (str(answer) for answer in answers if isinstance(answer, Exception))
        assert held.startswith("1 new message arrived while you were writing.")
        assert said(ticket).count("Again") == 1


@pytest.mark.plan("SEC-E5")
def test_two_moves_at_once(bob, ada, another):
    """One lands. The other is told, and overwrites nothing."""
    for _round in range(ROUNDS):
        ticket = another()
        first, second = seen_by(2, ticket)
        words = {"text": "Done.", "resolution": ResolutionKind.ANSWERED}

        answers = race(
            partial(actions.change_status, first, Status.WAITING, by=bob),
            partial(actions.change_status, second, Status.RESOLVED, by=ada, **words),
        )

        (refusal,) = (answer for answer in answers if isinstance(answer, Exception))
        assert str(refusal) == f"{ticket} was changed by someone else."
        assert is_whole(ticket)
        assert ticket.event_count == 4


@pytest.mark.plan("SEC-E5")
def test_different_facts_of_a_ticket_merge(alice, bob, ada, another, kettles):
    for _round in range(ROUNDS):
        ticket = another()
        first, second, third = seen_by(3, ticket)

        answers = race(
            partial(actions.classify, first, by=ada, priority="high", category=kettles),
            partial(actions.change_status, second, Status.WAITING, by=bob),
            partial(messaging.post_note, third, by=bob, body="Called."),
        )

        assert not any(isinstance(answer, Exception) for answer in answers)
        assert is_whole(ticket)
        assert (ticket.priority, ticket.status) == ("high", Status.WAITING)


@pytest.mark.plan("SEC-E6")
@pytest.mark.parametrize(
    ("verb", "before", "after", "words"),
    [
        ("close", Status.OPEN, Status.CLOSED, "{} is closed. Thank you for telling us."),
        ("withdraw", Status.OPEN, Status.WITHDRAWN, "{} is withdrawn."),
        ("reopen", Status.CLOSED, Status.OPEN, "{} is open again."),
    ],
)
def test_the_same_button_twice_at_once(alice, another, verb, before, after, words):
    for _round in range(ROUNDS):
        ticket = another(before)
        lines = ticket.event_count
        clients = [signed_in(alice) for _click in range(2)]
        url = reverse(f"messaging:{verb}", args=[ticket.reference])

        pages = race(*(partial(c.post, url, follow=True) for c in clients))

        assert [told(page) for page in pages] == [[words.format(ticket)]] * 2
        assert is_whole(ticket)
        assert (ticket.status, ticket.event_count) == (after, lines + 1)


def test_closing_against_withdrawing(alice, ada, another):
    for _round in range(ROUNDS):
        ticket = another()
        first, second = seen_by(2, ticket)

        answers = race(
            partial(actions.change_status, first, Status.CLOSED, by=alice),
            partial(actions.change_status, second, Status.WITHDRAWN, by=ada),
        )

        assert sum(isinstance(answer, TransitionRefused) for answer in answers) == 1
        assert is_whole(ticket)


# --- Numbers -------------------------------------------------------------------------------


def test_eight_writers_leave_no_gap_in_the_lines(alice, bob, another):
    ticket = another()

    def write_five(by):
        for number in range(5):
            mine = Ticket.objects.get(pk=ticket.pk)
            messaging.post_message(mine, by=by, body=f"Word {number}")

    answers = race(*(partial(write_five, by) for by in [alice, bob] * 4))

    assert answers == [None] * 8
    assert len(said(ticket)) == 40
    assert is_whole(ticket)


def test_eight_writers_leave_no_gap_in_the_numbers(alice, carol, kettles):
    def raise_three(by):
        return [make_ticket(requester=by, category=kettles).reference for _number in range(3)]

    answers = race(*(partial(raise_three, by) for by in [alice, carol] * 4))

    references = sorted(reference for answer in answers for reference in answer)
    assert [int(reference[-5:]) for reference in references] == list(range(1, 25))


def test_the_hourly_limit_holds_for_all_at_once(alice, kettles, settings):
    """P10: and who was refused took no number."""
    settings.TICKETS_PER_HOUR = 3

    answers = race(*[partial(make_ticket, requester=alice, category=kettles)] * 8)

    assert sum(isinstance(answer, TooMany) for answer in answers) == 5
    assert sorted(Ticket.objects.values_list("reference", flat=True))[-1].endswith("-00003")


def test_a_file_is_sent_or_taken_back_never_both(alice, another, settings):
    for _round in range(ROUNDS):
        ticket, key = another(), uuid4()
        uploads.keep([file()], by=alice, draft_key=key)
        pk = Attachment.objects.get(draft_key=key).pk

        race(
            partial(messaging.post_message, ticket, by=alice, body="Look", key=key),
            partial(uploads.remove, pk, by=alice, draft_key=key),
        )

        kept = list(Attachment.objects.values_list("event", flat=True))
        assert None not in kept
        assert len(kept) == len(stored(settings))
