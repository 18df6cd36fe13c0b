"""D2-5: a ticket raised for the wrong customer is given to the right one."""

from datetime import timedelta
from threading import Barrier, Event, Thread
from time import sleep

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from accounts import erasure
from accounts.models import Standing, User
from accounts.people import AccountRefusal
from accounts.retention import RULES
from accounts.tests.factories import make_user
from messaging.actions import post_message
from notifications.models import Notification
from tickets import actions, history
from tickets.improvement.feedback import path_to_rate
from tickets.models import CallRequest, Ticket
from tickets.parties import calls, requesters
from tickets.workflow import ResolutionKind, Status, TicketRefusal

from .reading import text

pytestmark = pytest.mark.django_db


def url_of(ticket):
    return reverse("tickets:correct_requester", args=[ticket.reference])


def correct(client, ticket, email, **more):
    return client.post(url_of(ticket), {"requester": email, **more}, follow=True)


@pytest.mark.plan("SEC-A3")
@pytest.mark.parametrize("name", ["bob", "ada"])
def test_the_right_customer_has_it_and_the_wrong_one_never_had(
    login, request, ticket, alice, carol, name
):
    """P7: at the next request."""
    person = request.getfixturevalue(name)
    post_message(ticket, by=alice, body="It is all broken.")
    assert login(carol).get(ticket.get_absolute_url()).status_code == 404

    page = correct(login(person), ticket, "Carol@example.org")

    ticket.refresh_from_db()
    line = ticket.events.last()
    assert ticket.requester == carol
    assert (line.kind, line.actor, line.audience) == ("requester", person, "staff")
    assert line.data == {"from": alice.pk, "to": carol.pk}
    assert f"{person} corrected the customer: {carol}, not {alice}." in text(page, "#log")
    assert login(alice).get(ticket.get_absolute_url()).status_code == 404
    assert ticket.subject not in login(alice).get(reverse("tickets:list")).text
    page = login(carol).get(ticket.get_absolute_url())
    assert "It is all broken." in page.text
    assert "corrected" not in page.text


def test_whose_it_is_now_gets_the_receipt(ticket, alice, bob, carol):
    requesters.correct_requester(ticket, carol.email, first_name="", by=bob)

    told = Notification.objects.filter(recipient=carol).values_list("kind", "event__number")
    assert list(told) == [("ticket_raised", 1)]


def test_somebody_new_is_known_by_their_address(login, ticket, bob):
    correct(login(bob), ticket, "una@example.org", first_name="Una")

    ticket.refresh_from_db()
    assert (ticket.requester.first_name, ticket.requester.standing) == ("Una", Standing.UNCLAIMED)


@pytest.mark.parametrize(
    ("email", "why"),
    [
        ("una@example.org", "Nobody has this address here"),
        ("bob@example.org", "Raise your own complaint"),
        ("dave@example.org", "A colleague has this address"),
        ("gone@example.org", "The account with this address is closed"),
    ],
)
def test_it_stays_whose_it_is_when_nobody_fits(login, ticket, alice, bob, dave, email, why):
    make_user("Gone", email="gone@example.org", standing=Standing.SUSPENDED)

    page = correct(login(bob), ticket, email)

    ticket.refresh_from_db()
    assert page.status_code == 422
    assert why in text(page, ".ccr-error")
    assert ticket.requester == alice
    assert not User.objects.filter(email="una@example.org").exists()


def test_theirs_already(login, ticket, alice, bob):
    lines = ticket.event_count

    page = correct(login(bob), ticket, alice.email)

    ticket.refresh_from_db()
    assert f"{ticket} is theirs already." in page.text
    assert ticket.event_count == lines


@pytest.mark.parametrize("name", ["alice", "carol", "dave", "pete"])
def test_only_handlers_correct(login, request, ticket, carol, name):
    person = request.getfixturevalue(name)

    assert correct(login(person), ticket, carol.email).status_code in (403, 404)
    with pytest.raises((PermissionDenied, AccountRefusal)):
        requesters.correct_requester(ticket, "una@example.org", first_name="Una", by=person)
    assert not User.objects.filter(email="una@example.org").exists()


def test_no_number_goes_with_it(login, ticket, alice, bob, carol):
    """SEC-A5: where Alice wanted to be called is nothing for Carol."""
    calls.ask_for_call(ticket, by=alice, phone="+441134960000")

    requesters.correct_requester(ticket, carol.email, first_name="", by=bob)

    assert "113 496" not in login(carol).get(ticket.get_absolute_url()).text
    assert not CallRequest.objects.exists()


@pytest.mark.plan("SEC-A3")
def test_what_somebody_rated_stays_theirs(login, ticket, alice, bob, carol):
    """Their words about us are for nobody else: the right customer gets a ticket of their own."""
    actions.change_status(
        ticket, Status.RESOLVED, by=bob, text="Sent.", resolution=ResolutionKind.REPLACED
    )
    actions.rate(ticket, by=alice, rating=2, comment="Slow.")

    page = correct(login(bob), ticket, carol.email)

    ticket.refresh_from_db()
    assert "This customer has rated it." in page.text
    assert ticket.requester == alice


@pytest.mark.plan("SEC-A15")
def test_a_mailed_link_rates_nothing_of_anothers(client, ticket, alice, bob, carol):
    actions.change_status(
        ticket, Status.RESOLVED, by=bob, text="Sent.", resolution=ResolutionKind.REPLACED
    )
    link = path_to_rate(ticket)
    assert client.get(link).status_code == 200

    requesters.correct_requester(ticket, carol.email, first_name="", by=bob)

    assert client.get(link).status_code == 404
    assert client.get(path_to_rate(ticket)).status_code == 200


@pytest.mark.plan("SEC-H2")
def test_what_the_wrong_customer_wrote_is_erased_with_them(ticket, alice, bob, carol):
    """P16. The rest stays, and the chain holds."""
    post_message(ticket, by=alice, body="I live in a red house.")
    requesters.correct_requester(ticket, carol.email, first_name="", by=bob)
    post_message(ticket, by=carol, body="The kettle is mine.")

    alice.erase_at = timezone.now()
    alice.save()
    erasure.erase(alice, by=alice)

    ticket.refresh_from_db()
    said = ticket.events.exclude(text="").values_list("text", flat=True)
    assert list(said) == ["The kettle is mine."]
    assert ticket.requester == carol
    assert list(history.problems(Ticket.objects.all())) == []


def test_a_ticket_of_which_only_a_part_was_erased_is_retired_later(ticket, alice, bob, carol):
    """The rule looks at the last line."""
    requesters.correct_requester(ticket, carol.email, first_name="", by=bob)
    post_message(ticket, by=carol, body="The kettle is mine.")
    actions.change_status(ticket, Status.CLOSED, by=carol)
    alice.erase_at = timezone.now()
    alice.save()
    erasure.erase(alice, by=alice)
    rule = next(rule for rule in RULES if rule.name == "tickets")

    assert rule.older_than(timezone.now() + timedelta(days=1)).get() == ticket


@pytest.mark.django_db(transaction=True)
def test_who_writes_at_the_same_moment_waits(ticket, alice, bob, carol):
    """The reply of the agent is kept; the former customer's comes too late or just in time."""
    barrier, outcomes = Barrier(3), {}

    def act(name, do):
        mine = Ticket.objects.get(pk=ticket.pk)
        barrier.wait()
        try:
            do(mine)
            outcomes[name] = "done"
        except (PermissionDenied, TicketRefusal) as refusal:
            outcomes[name] = type(refusal).__name__
        connection.close()

    acts = {
        "correct": lambda t: requesters.correct_requester(
            t, carol.email, first_name="", by=User.objects.get(pk=bob.pk)
        ),
        "reply": lambda t: post_message(t, by=User.objects.get(pk=bob.pk), body="Hello"),
        "late": lambda t: post_message(t, by=User.objects.get(pk=alice.pk), body="Wait"),
    }
    threads = [Thread(target=act, args=item) for item in acts.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    ticket.refresh_from_db()
    assert (outcomes["correct"], outcomes["reply"]) == ("done", "done")
    assert outcomes["late"] in ("done", "PermissionDenied")
    assert (ticket.requester, ticket.status) == (carol, Status.OPEN)


@pytest.mark.django_db(transaction=True)
def test_who_waited_for_the_correction_finds_the_ticket(ticket, bob, carol):
    """PostgreSQL looks again at the row it waited for, but not at the person joined to it."""
    is_corrected, found = Event(), []

    def correct():
        with transaction.atomic():
            mine = Ticket.objects.get(pk=ticket.pk)
            requesters.correct_requester(mine, carol.email, first_name="", by=bob)
            is_corrected.set()
            sleep(0.3)  # while the other waits for the lock
        connection.close()

    def wait():
        mine = Ticket.objects.get(pk=ticket.pk)
        is_corrected.wait()
        with transaction.atomic():
            history.lock(mine)
            found.append(mine.requester)
        connection.close()

    threads = [Thread(target=correct), Thread(target=wait)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [carol]
