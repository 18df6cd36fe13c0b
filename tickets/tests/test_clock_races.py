"""The clock against another clock, and against people, at the same moment."""

from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from messaging.actions import post_message
from notifications.models import Notification
from tickets import actions, history
from tickets.automation import clockwork
from tickets.models import Ticket
from tickets.signals import ticket_clocked
from tickets.tests.factories import make_ticket
from tickets.tests.racing import race
from tickets.workflow import ResolutionKind, Status, TransitionRefused

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]

ROUNDS = 20
MANY = 60


@pytest.fixture
def another(alice, bob, ada, kettles, settings):
    """A ticket of Alice's with Bob, whose time has come."""
    settings.TICKETS_PER_HOUR = 1000

    def make(status=None):
        ticket = make_ticket(requester=alice, assignee=bob, category=kettles, by=ada, status=status)
        past = timezone.now() - timedelta(minutes=1)
        Ticket.objects.filter(pk=ticket.pk).update(
            due_at=past, wakes_at=past, clocked_until=past - timedelta(seconds=1)
        )
        return Ticket.objects.get(pk=ticket.pk)

    return make


def by_time(ticket):
    return [line.data["rule"] for line in ticket.events.filter(actor=None)]


def is_whole(ticket):
    numbers = list(ticket.events.order_by("number").values_list("number", flat=True))
    return numbers == list(range(1, len(numbers) + 1)) and not list(
        history.problems(Ticket.objects.filter(pk=ticket.pk))
    )


@pytest.mark.parametrize(
    ("status", "rule"), [(Status.OPEN, "answer_missed"), (Status.RESOLVED, "closing")]
)
def test_two_schedulers_take_each_step_once(another, status, rule):
    """D0-12: whatever the number of schedulers."""
    tickets = [another(status) for _number in range(MANY)]
    Notification.objects.all().delete()

    seen_to = race(*[clockwork.run] * 3)

    assert sum(seen_to) == MANY
    assert [by_time(ticket) for ticket in tickets] == [[rule]] * MANY
    assert all(is_whole(ticket) for ticket in tickets)
    causes = Notification.objects.values_list("event", "recipient")
    assert len(causes) == len(set(causes)) > 0


def test_two_schedulers_look_at_the_hand_together(db):
    assert race(*[clockwork.tick] * 4) == [0] * 4


@pytest.mark.plan("SEC-E3")
def test_an_answer_against_the_end_of_the_waiting(another, alice):
    """D0-12: the answer is kept. It opens the ticket, or finds it resolved, and then the silence
    begins anew."""
    for _round in range(ROUNDS):
        ticket = another(Status.WAITING)
        answering = Ticket.objects.get(pk=ticket.pk)

        answered, _seen_to = race(
            partial(post_message, answering, by=alice, body="The K2."), clockwork.run
        )

        ticket.refresh_from_db()
        assert is_whole(ticket)
        assert answered.text == "The K2."
        if by_time(ticket):
            assert ticket.status == Status.RESOLVED
            assert ticket.due_at > timezone.now() + timedelta(days=6)
        else:
            assert ticket.status == Status.OPEN


@pytest.mark.plan("SEC-E3")
def test_opening_again_against_the_closing(another, alice):
    """D0-12: it ends open, or the customer reads that it was closed meanwhile."""
    for _round in range(ROUNDS):
        ticket = another(Status.RESOLVED)
        opening = Ticket.objects.get(pk=ticket.pk)

        opened, _seen_to = race(
            partial(actions.change_status, opening, Status.OPEN, by=alice), clockwork.run
        )

        ticket.refresh_from_db()
        assert is_whole(ticket)
        if isinstance(opened, TransitionRefused):
            assert str(opened) == f"{ticket} was changed by someone else."
            assert (ticket.status, by_time(ticket)) == (Status.CLOSED, ["closing"])
        else:
            assert (ticket.status, by_time(ticket)) == (Status.OPEN, [])


@pytest.mark.plan("SEC-E3")
def test_an_agent_against_the_clock(another, bob):
    """Who resolves first, resolves; the other finds nothing left to do."""
    for _round in range(ROUNDS):
        ticket = another(Status.WAITING)
        resolving = Ticket.objects.get(pk=ticket.pk)
        words = {"text": "Done.", "resolution": ResolutionKind.ANSWERED}

        resolved, _seen_to = race(
            partial(actions.change_status, resolving, Status.RESOLVED, by=bob, **words),
            clockwork.run,
        )

        ticket.refresh_from_db()
        assert is_whole(ticket)
        refused = isinstance(resolved, TransitionRefused)
        assert ticket.resolution_kind == ("other" if refused else "answered")
        assert by_time(ticket) == ["waiting_over"] * refused


@pytest.mark.plan("SEC-E3")
def test_what_only_fails_when_it_is_kept_holds_up_no_other(another):
    """The one is put off and shown to administrators; the rest of its batch is seen to."""
    first, poisoned, third = (another() for _number in range(3))

    def point_at_nothing(sender, ticket, **kwargs):
        if ticket == poisoned:  # no database looks at this before the end
            Ticket.objects.filter(pk=ticket.pk).update(policy_id=10**9)

    ticket_clocked.connect(point_at_nothing)
    try:
        assert clockwork.run() == 3
        assert clockwork.run() == 0
    finally:
        ticket_clocked.disconnect(point_at_nothing)

    assert [by_time(t) for t in (first, poisoned, third)] == [
        ["answer_missed"],
        [],
        ["answer_missed"],
    ]
    stuck = Ticket.objects.get(stuck_since__isnull=False)
    assert (stuck, is_whole(stuck)) == (poisoned, True)
