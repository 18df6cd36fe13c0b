"""The requester rates how it was handled: once each time it ended."""

from datetime import timedelta
from functools import partial

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from tickets import actions
from tickets.models import Feedback
from tickets.tests.factories import make_ticket
from tickets.tests.racing import race, signed_in
from tickets.workflow import ResolutionKind, Status, TicketRefusal

from .reading import problems, text, texts, told, typed

LIST = reverse("tickets:list")


def resolve(ticket, by):
    actions.change_status(
        ticket, Status.RESOLVED, by=by, text="Replaced.", resolution=ResolutionKind.REPLACED
    )


@pytest.fixture
def resolved(ticket, bob):
    resolve(ticket, bob)
    return ticket


def rate(client, ticket, rating=5, comment=""):
    url = reverse("messaging:rate", args=[ticket.reference])
    return client.post(url, {"rating": rating, "comment": comment}, follow=True)


def kept():
    return list(Feedback.objects.order_by("pk").values_list("rating", "comment"))


@pytest.mark.parametrize("rating", [1, 2, 3, 4, 5])
def test_a_rating_is_kept_and_closes(login, alice, bob, resolved, rating):
    """D0-13, D4-6, D0-T10"""
    page = rate(login(alice), resolved, rating, "Quick, thank you.")

    resolved.refresh_from_db()
    feedback = Feedback.objects.get()
    assert (feedback.rating, feedback.comment) == (rating, "Quick, thank you.")
    assert (feedback.ticket, feedback.agent, feedback.round) == (resolved, bob, 0)
    assert resolved.status == Status.CLOSED
    assert page.redirect_chain == [(LIST, 302)]
    assert told(page) == [f"Thank you. Your rating of {resolved} is kept."]
    rated, closed = resolved.events.order_by("-number")[:2][::-1]
    assert (rated.kind, rated.data) == ("rated", {"rating": rating})
    assert rated.text == "Quick, thank you."
    assert (closed.data["from"], closed.data["to"]) == ("resolved", "closed")


@pytest.mark.parametrize("rating", ["", "0", "6", "-1", "5.0", "five", "\0", "9" * 5_000])
def test_a_rating_is_one_to_five(login, alice, resolved, rating):
    page = rate(login(alice), resolved, rating, "It was fine.")

    assert page.status_code == 422
    assert problems(page)[0] == ["Choose a rating from 1 to 5"]
    assert typed(page, "comment") == "It was fine."
    assert kept() == []
    resolved.refresh_from_db()
    assert resolved.status == Status.RESOLVED


@pytest.mark.plan("SEC-B1")
def test_too_long_a_comment_is_kept_in_the_form(login, alice, resolved):
    comment = "x" * 50_001
    client = login(alice)

    page = rate(client, resolved, 4, comment)

    assert problems(page)[0] == ["Use 50,000 characters or less"]
    assert typed(page, "comment") == comment
    assert typed(page, "rating") == "4"
    assert kept() == []
    rate(client, resolved, 4, comment[1:])
    assert kept() == [(4, comment[1:])]


def test_another_rating_is_refused(login, alice, resolved):
    client = login(alice)
    rate(client, resolved, 5)

    page = rate(client, resolved, 1)

    assert told(page) == ["You have rated this already."]
    assert kept() == [(5, "")]


def test_what_to_improve_is_kept_beside_the_comment(login, alice, resolved):
    """D3-4: and it is no word of the conversation."""
    url = reverse("messaging:rate", args=[resolved.reference])
    words = {"comment": "Slow.", "improvement": "Answer on Sundays."}

    login(alice).post(url, {"rating": 3, **words})

    feedback = Feedback.objects.get()
    assert (feedback.comment, feedback.improvement) == ("Slow.", "Answer on Sundays.")
    assert resolved.events.get(kind="rated").text == "Slow."


def test_a_page_that_is_behind_rates_no_later_ending(alice, bob, resolved):
    """Asked about the first ending, after which it was opened and resolved again."""
    actions.change_status(resolved, Status.OPEN, by=alice)
    resolve(resolved, bob)

    with pytest.raises(TicketRefusal):
        actions.rate(resolved, by=alice, rating=1, round=0)
    assert kept() == []

    actions.rate(resolved, by=alice, rating=5, round=1)
    assert kept() == [(5, "")]


@pytest.mark.plan("SEC-E6")
def test_the_second_of_two_clicks_hears_the_same(login, alice, resolved):
    client = login(alice)

    pages = [rate(client, resolved, 5, "Good") for _click in range(2)]

    assert [told(page) for page in pages] == [
        [f"Thank you. Your rating of {resolved} is kept."]
    ] * 2
    assert kept() == [(5, "Good")]


def test_what_the_requester_closed_themselves_is_rated_too(login, alice, ticket):
    actions.change_status(ticket, Status.CLOSED, by=alice)
    client = login(alice)
    assert "Send feedback and close" not in client.get(ticket.get_absolute_url()).text

    rate(client, ticket, 3)

    ticket.refresh_from_db()
    assert kept() == [(3, "")]
    assert ticket.status == Status.CLOSED


@pytest.mark.parametrize("status", [None, Status.OPEN, Status.WAITING, Status.WITHDRAWN])
def test_what_has_not_ended_well_is_not_rated(login, alice, bob, ada, kettles, status):
    ticket = make_ticket(
        requester=alice, assignee=status and bob, category=kettles, by=ada, status=status
    )
    client = login(alice)
    assert texts(client.get(ticket.get_absolute_url()), "#feedback") == []

    page = rate(client, ticket)

    assert told(page) == ["This ticket can't be rated now."]
    assert kept() == []


def test_thirty_days_to_rate(login, alice, resolved):
    ended_at = resolved.resolved_at
    client = login(alice)

    with time_machine.travel(ended_at + timedelta(days=30, seconds=1), tick=False):
        login(alice)
        assert "How did we handle it?" not in client.get(resolved.get_absolute_url()).text
        assert told(rate(client, resolved)) == ["This ticket can't be rated now."]
    assert kept() == []

    with time_machine.travel(ended_at + timedelta(days=30), tick=False):
        login(alice)
        assert "How did we handle it?" in client.get(resolved.get_absolute_url()).text
        rate(client, resolved)
    assert kept() == [(5, "")]


def test_each_ending_is_rated_once(login, alice, bob, resolved):
    """Opened again and resolved again: a second rating, beside the first."""
    client = login(alice)
    rate(client, resolved, 1)
    resolved.refresh_from_db()
    actions.change_status(resolved, Status.OPEN, by=alice)
    assert told(rate(client, resolved, 2)) == ["This ticket can't be rated now."]
    resolve(resolved, bob)

    rate(client, resolved, 5)

    assert list(Feedback.objects.order_by("pk").values_list("round", "rating")) == [(0, 1), (1, 5)]


def test_the_agent_who_has_it_then_is_recorded(login, alice, bob, dave, ada, ticket):
    actions.assign(ticket, to=dave, by=ada)
    resolve(ticket, dave)

    rate(login(alice), ticket)

    assert Feedback.objects.get().agent == dave


def test_without_an_agent_nobody_is_recorded(login, alice, kettles):
    ticket = make_ticket(requester=alice, category=kettles, status=Status.CLOSED)

    rate(login(alice), ticket)

    assert Feedback.objects.get().agent is None


@pytest.mark.plan("SEC-A2")
def test_only_the_requester_rates(login, bob, carol, ada, alice, resolved):
    for person, status in ((carol, 404), (bob, 403), (ada, 403)):
        assert rate(login(person), resolved).status_code == status
        with pytest.raises(PermissionDenied):
            actions.rate(resolved, by=person, rating=1)
    assert kept() == []

    rate(login(alice), resolved)
    assert kept() == [(5, "")]


def test_both_sides_read_the_rating(login, alice, bob, resolved):
    rate(login(alice), resolved, 4, "A little slow.")

    requester = login(alice).get(resolved.get_absolute_url())
    staff = login(bob).get(resolved.workspace_url)

    assert "You rated it 4 of 5." in text(requester, "#log")
    assert "Alice Archer rated it 4 of 5." in text(staff, "#log")
    assert "A little slow." in texts(requester, ".ccr-msg__text")
    assert "A little slow." in texts(staff, ".ccr-copy__text")
    assert "4 of 5" in texts(staff, "dd")


@pytest.mark.plan("SEC-E6")
@pytest.mark.django_db(transaction=True)
def test_two_ratings_at_once_are_one(alice, bob, ada, kettles):
    for _round in range(5):
        ticket = make_ticket(
            requester=alice, assignee=bob, category=kettles, by=ada, status=Status.RESOLVED
        )
        clients = [signed_in(alice) for _click in range(2)]

        pages = race(*(partial(rate, client, ticket, 5) for client in clients))

        assert [told(page) for page in pages] == [
            [f"Thank you. Your rating of {ticket} is kept."]
        ] * 2
        assert ticket.feedback.count() == 1
        assert ticket.events.filter(kind="rated").count() == 1
        ticket.refresh_from_db()
        assert ticket.status == Status.CLOSED
