"""Customers who take part in somebody else's ticket: who lets them in, and how they go."""

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import people
from accounts.models import Role, Standing
from accounts.tests.factories import make_user
from notifications.models import Notification
from tickets import actions, history
from tickets.models import Participant, Ticket
from tickets.parties import participants, requesters
from tickets.relations import merging
from tickets.tests.factories import make_ticket
from tickets.workflow import Part, Status, TicketRefusal

from .racing import race
from .reading import problems, text, texts, told, typed

pytestmark = pytest.mark.django_db

LIST = reverse("tickets:list")
NOBODY = "No customer has confirmed this address here"


def add(client, ticket, email, **more):
    url = reverse("tickets:add_participant", args=[ticket.reference])
    return client.post(url, {"email": email, **more}, follow=True)


def remove(client, ticket, person):
    url = reverse("tickets:remove_participant", args=[ticket.reference, person.pk])
    return client.post(url, follow=True)


def share(client, ticket, **form):
    return client.post(reverse("tickets:share", args=[ticket.reference]), form)


def leave(client, ticket):
    return client.post(reverse("tickets:leave", args=[ticket.reference]), follow=True)


def sees(login, person, ticket) -> bool:
    return login(person).get(ticket.get_absolute_url()).status_code == 200


# --- In -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["bob", "ada"])
def test_who_handles_the_ticket_adds_a_customer_by_address(login, request, ticket, dan, name):
    """D0-21"""
    person = request.getfixturevalue(name)
    assert not sees(login, dan, ticket)

    page = add(login(person), ticket, "Dan@Example.org")

    line = ticket.events.last()
    assert (line.kind, line.actor, line.audience) == ("joined", person, "everyone")
    assert line.data == {"person": dan.pk}
    assert told(page) == ["Dan Drew takes part now and is told by email."]
    assert f"You added {dan} to this ticket." in text(page, "#log")
    assert "Take part Dan Drew" in text(page, "#ticket-facts")
    owed = Notification.objects.filter(recipient=dan).values_list("kind", "event")
    assert list(owed) == [("joined", line.pk)]
    assert sees(login, dan, ticket)


def test_a_second_proved_address_is_theirs_too(ticket, dan, bob):
    dan.emailaddress_set.create(email="dd@example.org", verified=True)

    assert participants.add(ticket, "dd@example.org", by=bob).person == dan


@pytest.mark.plan("SEC-A2")
@pytest.mark.parametrize(
    "who",
    [
        {"email": "una@example.org", "standing": Standing.UNCLAIMED},
        {"email": "pending@example.org", "role": Role.AGENT, "standing": Standing.PENDING},
        {"email": "agent@example.org", "role": Role.AGENT},
        {"email": "admin@example.org", "role": Role.ADMIN},
        {"email": "gone@example.org", "standing": Standing.SUSPENDED},
        None,
    ],
)
def test_anybody_else_is_refused_in_the_same_words(login, ticket, bob, dan, who):
    """Section 4, note 4: never an agent or an address without confirmation."""
    email = who["email"] if who else "nobody@example.org"
    if who:
        make_user("Gus", **who)
    lines = ticket.event_count

    page = add(login(bob), ticket, email)

    ticket.refresh_from_db()
    assert page.status_code == 422
    assert problems(page)[0] == [NOBODY]
    assert typed(page, "email") == email
    assert not ticket.participants.exists()
    assert ticket.event_count == lines


@pytest.mark.parametrize("name", ["alice", "dan"])
def test_who_is_on_it_is_not_added(login, request, shared, bob, name):
    person = request.getfixturevalue(name)

    page = add(login(bob), shared, person.email)

    assert problems(page)[0] == [f"{person} is on this ticket already"]
    assert shared.participants.count() == 1


def test_a_ticket_takes_so_many(login, ticket, bob, dan, monkeypatch):
    """SEC-D5"""
    monkeypatch.setattr(participants, "MAX_PARTICIPANTS", 1)
    participants.add(ticket, make_user("Eve").email, by=bob)

    page = add(login(bob), ticket, dan.email)

    assert problems(page)[0] == ["No more than 1 people can take part"]


def test_nobody_joins_what_has_ended(login, ticket, alice, bob, dan):
    actions.change_status(ticket, Status.CLOSED, by=alice)

    page = add(login(bob), ticket, dan.email)

    assert problems(page)[0] == ["This ticket has ended. Open it again first."]
    assert not Participant.objects.exists()


@pytest.mark.plan("SEC-I12")
def test_addresses_are_not_tried_out_for_long(login, ticket, bob, dan, settings):
    settings.LIMITS = settings.LIMITS | {"participant": (1, settings.LIMITS["participant"][1])}
    add(login(bob), ticket, "nobody@example.org")

    page = add(login(bob), ticket, dan.email)

    assert page.status_code == 429
    assert int(page.headers["Retry-After"]) > 0
    assert typed(page, "email") == dan.email
    assert not Participant.objects.exists()


@pytest.mark.plan("SEC-A7")
def test_what_else_is_sent_changes_nothing(login, ticket, alice, bob, carol, dan):
    more = {"person": carol.pk, "added_by": alice.pk, "status": "closed"}

    add(login(bob), ticket, dan.email, **more)

    added = Participant.objects.get()
    assert (added.ticket, added.person, added.added_by) == (ticket, dan, bob)
    ticket.refresh_from_db()
    assert ticket.status == Status.OPEN


# --- The requester, where the desk allows it ------------------------------------------


def test_the_requester_adds_and_removes_only_if_that_is_allowed(
    login, ticket, alice, dan, settings
):
    """Section 4, note 4."""
    link = reverse("tickets:share", args=[ticket.reference])
    assert share(login(alice), ticket, email=dan.email).status_code == 403
    assert link not in login(alice).get(ticket.get_absolute_url()).text
    with pytest.raises(PermissionDenied):
        participants.add(ticket, dan.email, by=alice)

    settings.REQUESTERS_ADD_PARTICIPANTS = True

    assert link in login(alice).get(ticket.get_absolute_url()).text
    page = share(login(alice), ticket, email="nobody@example.org")
    assert (page.status_code, problems(page)[0]) == (422, [NOBODY])
    share(login(alice), ticket, email=dan.email)
    assert ticket.participants.get().person == dan
    assert "Dan Drew" in text(login(alice).get(link), "main")
    page = remove(login(alice), ticket, dan)
    assert told(page) == ["They see this ticket no more."]
    assert not sees(login, dan, ticket)


@pytest.mark.plan("SEC-A2")
@pytest.mark.plan("SEC-A3")
@pytest.mark.parametrize(
    ("name", "answer"), [("dan", 404), ("carol", 404), ("dave", 404), ("bob", 403), ("ada", 403)]
)
def test_nobody_else_chooses_on_the_requesters_page(login, request, shared, settings, name, answer):
    settings.REQUESTERS_ADD_PARTICIPANTS = True
    person = request.getfixturevalue(name)
    eve = make_user("Eve")

    assert share(login(person), shared, email=eve.email).status_code == answer
    if answer == 404:
        assert remove(login(person), shared, eve).status_code == 404
    assert shared.participants.count() == 1


# --- Out ------------------------------------------------------------------------------


@pytest.mark.plan("SEC-A6")
@pytest.mark.parametrize("name", ["bob", "ada"])
def test_who_is_removed_sees_it_no_more(login, request, shared, dan, name):
    """P7: at the next request."""
    person = request.getfixturevalue(name)
    assert sees(login, dan, shared)

    page = remove(login(person), shared, dan)

    line = shared.events.last()
    assert (line.kind, line.actor, line.data) == ("left", person, {"person": dan.pk})
    assert f"You took {dan} off this ticket." in text(page, "#log")
    assert not sees(login, dan, shared)
    assert told(remove(login(person), shared, dan)) == ["They take no part any more."]


def test_what_was_merged_goes_with_it(login, shared, alice, bob, dan, kettles):
    """Also when the merging is undone."""
    other = make_ticket(alice, bob, category=kettles)
    participants.add(other, dan.email, by=bob)
    merging.merge(other, into=shared, by=bob)
    assert sees(login, dan, shared)

    participants.remove(shared, person=dan.pk, by=bob)
    merging.unmerge(Ticket.objects.get(pk=other.pk), by=bob)

    assert not Participant.objects.exists()
    for ticket in (shared, other):
        assert not sees(login, dan, ticket)
        assert ticket.events.filter(kind="left").exists()


def test_they_leave_by_themselves(login, shared, alice, dan):
    page = leave(login(dan), shared)

    assert told(page) == [f"You take part in {shared} no more."]
    assert not sees(login, dan, shared)
    assert leave(login(dan), shared).status_code == 404
    assert f"{dan} left this ticket." in text(login(alice).get(shared.get_absolute_url()), "#log")


def test_who_takes_no_part_does_not_leave(login, shared, alice):
    page = leave(login(alice), shared)

    assert told(page) == ["You take no part in this ticket."]
    assert sees(login, alice, shared)


@pytest.mark.plan("SEC-A10")
def test_the_right_ends_with_the_role_and_the_standing(login, shared, dan, ada):
    """P7. Names and mails go with it; the row waits for the customer to come back."""
    assert shared.part_of(dan) == Part.PARTICIPANT
    assert list(shared.participants.named()) == [Participant.objects.get()]

    people.suspend(dan, by=ada, reason="Too many jokes.")
    assert shared.part_of(dan) is None
    assert not Ticket.objects.visible_to(dan).exists()
    assert not shared.participants.named()

    people.reactivate(dan, by=ada)
    assert shared.part_of(dan) == Part.PARTICIPANT

    dan.role = Role.AGENT
    dan.save()
    assert shared.part_of(dan) is None
    assert shared not in Ticket.objects.visible_to(dan)
    assert not Ticket.objects.shared_with(dan).exists()


def test_a_ticket_in_the_bin_is_gone_for_them_too(login, shared, dan, ada):
    actions.bin_ticket(shared, by=ada)
    assert not sees(login, dan, shared)

    actions.restore_ticket(shared, by=ada)
    assert sees(login, dan, shared)


def test_a_corrected_customer_shares_it_with_nobody(login, shared, alice, bob, carol, dan):
    """Whom Alice let in has no business with Carol, who does not read of them."""
    requesters.correct_requester(shared, carol.email, first_name="", by=bob)

    assert not sees(login, dan, shared)
    assert not Participant.objects.exists()
    left = shared.events.get(kind="left")
    assert (left.audience, left.data) == ("staff", {"person": dan.pk})
    assert "off this ticket" not in login(carol).get(shared.get_absolute_url()).text
    assert f"You took {dan} off this ticket." in login(bob).get(shared.workspace_url).text


def test_a_participant_can_turn_out_to_be_the_customer(login, shared, bob, dan):
    requesters.correct_requester(shared, dan.email, first_name="", by=bob)

    shared.refresh_from_db()
    assert shared.part_of(dan) == Part.REQUESTER
    assert not Participant.objects.exists()


# --- Their list -------------------------------------------------------------------------


def test_what_is_shared_has_a_tab_of_its_own(login, shared, alice, carol, dan):
    """Quiet: who takes part in nothing does not see it."""
    assert [words for words in texts(login(carol).get(LIST), "a") if "Shared" in words] == []
    assert "Shared" not in login(alice).get(LIST).text

    page = login(dan).get(LIST, {"tab": "shared"})

    assert texts(page, ".ccr-stub__title") == ["Kettle stopped heating"]
    assert "The ticket of Alice Archer · Assigned agent: Bob" in text(page, ".ccr-stub")
    assert "Shared with you 1" in text(page, ".ccr-tabs")
    assert texts(login(dan).get(LIST, {"tab": "all"}), ".ccr-stub__title") == []


@pytest.mark.plan("SEC-G2")
def test_queries_do_not_grow_with_what_is_shared(login, alice, bob, ada, dan, kettles):
    client = login(dan)
    counts = []
    for total in (1, 3):
        while Participant.objects.count() < total:
            one = make_ticket(requester=alice, assignee=bob, category=kettles, by=ada)
            participants.add(one, dan.email, by=bob)
        with CaptureQueriesContext(connection) as captured:
            page = client.get(LIST, {"tab": "shared"})
        assert len(texts(page, ".ccr-stub__title")) == total
        counts.append(len(captured))

    assert counts[0] == counts[1] <= 15


# --- At the same moment -------------------------------------------------------------------


@pytest.mark.plan("SEC-E1")
@pytest.mark.django_db(transaction=True)
def test_two_add_the_same_person(ticket, bob, ada, dan):
    """One row, one line, one mail; the other is told so."""

    def adding(by):
        mine = Ticket.objects.get(pk=ticket.pk)
        return lambda: participants.add(mine, dan.email, by=by)

    outcomes = race(adding(bob), adding(ada))

    assert sorted(type(each).__name__ for each in outcomes) == ["Participant", "TicketRefusal"]
    assert Participant.objects.count() == 1
    assert ticket.events.filter(kind="joined").count() == 1
    assert Notification.objects.filter(recipient=dan).count() == 1
    assert list(history.problems(Ticket.objects.all())) == []


@pytest.mark.plan("SEC-E1")
@pytest.mark.django_db(transaction=True)
def test_two_remove_the_same_person(shared, bob, dan):
    def removing(by):
        mine = Ticket.objects.get(pk=shared.pk)
        return lambda: participants.remove(mine, person=dan.pk, by=by)

    outcomes = race(removing(bob), removing(dan))

    assert [type(each) for each in outcomes if isinstance(each, Exception)] == [TicketRefusal]
    assert shared.events.filter(kind="left").count() == 1
