"""Linking, merging and splitting at the same moment: once, whole, and the other is told."""

from functools import partial
from threading import Event
from time import monotonic
from uuid import uuid4

import pytest
from django.db import connection
from django.urls import reverse

from messaging import actions as messaging
from tickets import actions, history
from tickets.models import LinkKind, Ticket, TicketLink
from tickets.relations import links, merging, splitting
from tickets.tests.factories import make_ticket
from tickets.tests.racing import race, signed_in
from tickets.workflow import MergedAway, ResolutionKind, Status, TicketRefusal, TransitionRefused

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]

ROUNDS = 10
PATIENCE = 20  # seconds
SOLVED = {"text": "Done.", "resolution": ResolutionKind.ANSWERED}


@pytest.fixture
def another(alice, bob, ada, kettles, settings):
    settings.TICKETS_PER_HOUR = 1000

    def make(requester=alice):
        return make_ticket(requester=requester, assignee=bob, category=kettles, by=ada)

    return make


def fresh(ticket):
    return Ticket.objects.get(pk=ticket.pk)


def merge(ticket, into, by):
    return partial(merging.merge, fresh(ticket), into=fresh(into), by=by)


def refusals(answers):
    return [answer for answer in answers if isinstance(answer, Exception)]


def are_whole(*tickets):
    pks = [ticket.pk for ticket in tickets]
    return not list(history.problems(Ticket.objects.filter(pk__in=pks)))


@pytest.mark.plan("SEC-E1")
def test_the_same_merge_twice_at_once_is_one_merge(bob, ada, another):
    for _round in range(ROUNDS):
        one, other = another(), another()

        answers = race(merge(one, other, bob), merge(one, other, ada))

        (refusal,) = refusals(answers)
        assert str(refusal) == f"{one} goes on in {other}."
        assert fresh(one).merged_into == other
        for each in (one, other):
            assert each.events.filter(kind="merged").count() == 1
        assert are_whole(one, other)


def test_two_merges_into_each_other(bob, ada, another):
    """One lands; no ring of tickets that all go on elsewhere."""
    for _round in range(ROUNDS):
        one, other = another(), another()

        answers = race(merge(one, other, bob), merge(other, one, ada))

        assert [type(refusal) for refusal in refusals(answers)] == [MergedAway]
        ends = {fresh(one).merged_into, fresh(other).merged_into}
        assert ends in ({None, one}, {None, other})
        assert are_whole(one, other)


def test_a_chain_of_merges_at_once_leads_to_where_the_conversation_is(bob, ada, another):
    """Nothing points at a ticket that was merged itself."""
    for _round in range(ROUNDS):
        first, second, third = another(), another(), another()

        answers = race(merge(first, second, bob), merge(second, third, ada))

        assert all(isinstance(refusal, TicketRefusal) for refusal in refusals(answers))
        assert not Ticket.objects.filter(merged_into__merged_into__isnull=False).exists()
        assert are_whole(first, second, third)


def test_undoing_twice_at_once(bob, ada, another):
    for _round in range(ROUNDS):
        one, other = another(), another()
        merge(one, other, bob)()

        answers = race(*(partial(merging.unmerge, fresh(one), by=by) for by in (bob, ada)))

        assert len(refusals(answers)) == 1
        assert fresh(one).merged_into is None
        assert one.events.filter(kind="unmerged").count() == 1
        assert are_whole(one, other)


@pytest.mark.plan("SEC-E3")
def test_a_word_against_the_merging(alice, bob, another):
    """Kept before it, or refused with where to say it. Never lost."""
    for _round in range(ROUNDS):
        one, other = another(), another()

        said, _merged = race(
            partial(messaging.post_message, fresh(one), by=alice, body="Wait!"),
            merge(one, other, bob),
        )

        kept = one.events.filter(text="Wait!").exists()
        assert kept != isinstance(said, MergedAway)
        assert fresh(one).merged_into == other
        assert are_whole(one, other)


@pytest.mark.plan("SEC-E1")
def test_the_same_split_twice_at_once_is_one_ticket(bob, kettles, another):
    for _round in range(ROUNDS):
        ticket = another()
        url = reverse("tickets:split", args=[ticket.reference])
        sent = {"numbers": ["1"], "subject": "Lid", "category": kettles.pk, "key": str(uuid4())}

        answers = race(*(partial(signed_in(bob).post, url, sent) for _click in range(2)))

        assert {answer.url for answer in answers} == {answers[0].url}
        assert ticket.links_to.count() == 1
        assert ticket.events.filter(kind="split").count() == 1
        assert are_whole(ticket)


def test_undoing_a_split_twice_at_once(bob, ada, kettles, another):
    for _round in range(ROUNDS):
        ticket = another()
        new = splitting.split(ticket, numbers=[1], subject="Lid", category=kettles, by=bob)
        seen = [TicketLink.objects.get(ticket=new) for _person in range(2)]

        answers = race(
            *(
                partial(splitting.unsplit, link, by=by)
                for link, by in zip(seen, (bob, ada), strict=True)
            )
        )

        assert [type(refusal) for refusal in refusals(answers)] == [MergedAway]
        assert fresh(new).merged_into == ticket
        assert not TicketLink.objects.exists()
        assert are_whole(ticket, new)


def test_two_links_at_once_make_no_loop(bob, ada, another):
    for _round in range(ROUNDS):
        one, other = another(), another()

        answers = race(
            partial(links.link, fresh(one), to=fresh(other), kind=LinkKind.CHILD, by=bob),
            partial(links.link, fresh(other), to=fresh(one), kind=LinkKind.CHILD, by=ada),
        )

        (refusal,) = refusals(answers)
        assert str(refusal).endswith("are linked already.")
        assert TicketLink.objects.filter(ticket__in=[one, other]).count() == 1


def test_two_parts_that_end_together_tell_the_parent_once(bob, ada, carol, another):
    for _round in range(ROUNDS):
        parent, parts = another(), [another(carol), another(carol)]
        for part in parts:
            links.link(part, to=parent, kind=LinkKind.CHILD, by=bob)

        answers = race(
            *(
                partial(actions.change_status, fresh(part), Status.RESOLVED, by=by, **SOLVED)
                for part, by in zip(parts, (bob, ada), strict=True)
            )
        )

        assert refusals(answers) == []
        assert parent.events.filter(kind="children").count() == 1
        assert are_whole(parent, *parts)


def test_a_parent_is_not_resolved_beside_a_new_part(bob, ada, another):
    """Either the part was there first, or the parent had ended."""
    for _round in range(ROUNDS):
        parent, part = another(), another()

        solved, linked = race(
            partial(actions.change_status, fresh(parent), Status.RESOLVED, by=bob, **SOLVED),
            partial(links.link, fresh(part), to=fresh(parent), kind=LinkKind.CHILD, by=ada),
        )

        assert not isinstance(linked, Exception)
        line = parent.events.get(kind="linked")
        if isinstance(solved, TransitionRefused):
            assert fresh(parent).status == Status.OPEN
        else:
            assert solved.number < line.number


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no locks of rows")
@pytest.mark.parametrize("end", ["move", "reply"])
def test_a_part_that_ends_and_its_merging_wait_for_each_other_in_one_order(
    bob, ada, another, monkeypatch, end
):
    """The end is held, with its locks, until the merging waits for one of them."""
    parent, part = another(), another()
    links.link(part, to=parent, kind=LinkKind.CHILD, by=bob)
    is_locked = Event()
    refuse = links.refuse_before_parts

    def wait_for_the_merging(ticket):
        is_locked.set()
        assert eventually(somebody_waits_for_a_lock)
        refuse(ticket)

    def merge_then():
        assert is_locked.wait(PATIENCE)
        merging.merge(fresh(part), into=fresh(parent), by=ada)

    monkeypatch.setattr(links, "refuse_before_parts", wait_for_the_merging)
    ends = {
        "move": partial(actions.change_status, fresh(part), Status.RESOLVED, by=bob, **SOLVED),
        "reply": partial(
            messaging.post_message, fresh(part), by=bob, body="Done.", then=Status.RESOLVED,
            resolution=ResolutionKind.ANSWERED,
        ),
    }  # fmt: skip

    answers = race(ends[end], merge_then)

    assert refusals(answers) == []
    assert (fresh(part).status, fresh(part).merged_into) == (Status.RESOLVED, parent)
    assert parent.events.filter(kind="children").count() == 1
    assert are_whole(parent, part)


def somebody_waits_for_a_lock():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return cursor.fetchone()[0]


def eventually(condition):
    until = monotonic() + PATIENCE
    while not (answer := condition()) and monotonic() < until:
        Event().wait(0.01)
    return answer
