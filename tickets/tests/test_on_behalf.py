"""D1-14, D2-5: agents and administrators raise tickets for customers who called or came by."""

import uuid
from threading import Barrier, Thread

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role, Standing, User
from accounts.tests.factories import make_agent, make_user
from notifications.models import Notification
from tickets import actions
from tickets.models import Channel, Expertise, Ticket
from tickets.parties import requesters
from tickets.tests.factories import make_ticket
from tickets.workflow import TicketRefusal

from .raising import form_of
from .reading import text, typed

DESK = reverse("tickets:new_for_customer")
CONSOLE = reverse("admin:tickets_ticket_add")
NEW_HERE = "una@example.org"

both_doors = pytest.mark.parametrize(
    ("door", "name"), [(DESK, "bob"), (DESK, "ada"), (CONSOLE, "ada")], ids=["bob", "ada", "admin"]
)


@pytest.fixture
def person(request, name):
    return request.getfixturevalue(name)


def raise_for(client, door, email, category, **changes):
    told = form_of(category, requester=email, channel="phone", **changes)
    return client.post(door, told, follow=True)


def raise_by(by, category, email=NEW_HERE, **changes):
    told = {"first_name": "Una", "key": uuid.uuid4(), "subject": "S", "description": "D"}
    return requesters.raise_for(email, by=by, category=category, **told | changes)


@both_doors
def test_what_the_customer_told_before_is_pointed_out_once(
    login, person, door, alice, bob, ada, kettles
):
    """SEC-E1: on the second try it is raised all the same, on the first nothing is."""
    same = {"subject": "Kettle stopped heating", "key": str(uuid.uuid4())}
    open_one = make_ticket(alice, bob, by=ada, category=kettles, subject=same["subject"])

    asked = raise_for(login(person), door, alice.email, kettles, **same)

    assert "They have told us much the same." in asked.text
    assert str(open_one) in asked.text
    assert Ticket.objects.count() == 1
    again = same | {name: typed(asked, name) for name in ("told_before", "key")}
    assert again == same | {"told_before": open_one.reference}
    raise_for(login(person), door, alice.email, kettles, **again)
    assert Ticket.objects.count() == 2
    # The second of two clicks is no third ticket, and what the first raised not pointed out.
    page = raise_for(login(person), door, alice.email, kettles, **again)
    assert Ticket.objects.count() == 2
    assert "much the same" not in page.text


@pytest.mark.plan("SEC-A2")
def test_a_ticket_the_agent_may_not_see_is_not_pointed_out(login, dave, alice, bob, ada, kettles):
    same = {"subject": "Kettle stopped heating"}
    make_ticket(alice, bob, by=ada, category=kettles, **same)

    page = raise_for(login(dave), DESK, alice.email, kettles, **same)

    assert "much the same" not in page.text
    assert Ticket.objects.count() == 2


@both_doors
def test_the_ticket_is_the_customers(login, person, door, alice, kettles):
    page = raise_for(login(person), door, "Alice@example.org", kettles)

    ticket = Ticket.objects.get()
    line = ticket.events.get()
    assert f"{ticket} is raised." in page.text
    assert (ticket.requester, line.actor, line.channel) == (alice, person, Channel.PHONE)
    assert "by phone" in login(person).get(ticket.workspace_url).text
    assert ticket.subject in login(alice).get(reverse("tickets:list")).text
    told = Notification.objects.filter(recipient=alice).values_list("kind", flat=True)
    assert list(told) == ["ticket_raised"]


@both_doors
def test_somebody_new_is_known_by_their_address_only(client, login, person, door, kettles):
    raise_for(login(person), door, "Una@Example.org", kettles, first_name="Una")

    una = User.objects.get(email=NEW_HERE)
    assert (una.first_name, una.role, una.standing) == ("Una", Role.CUSTOMER, Standing.UNCLAIMED)
    assert not una.has_usable_password()
    assert Ticket.objects.get().requester == una
    assert not Ticket.objects.visible_to(una).exists()


@both_doors
def test_whoever_nobody_knows_needs_a_name(login, person, door, kettles):
    """An address mistyped makes nobody."""
    page = raise_for(login(person), door, NEW_HERE, kettles, subject="Kept words")

    assert "Nobody has this address here. Check it, or enter their first name" in page.text
    assert 'value="Kept words"' in page.text
    assert not User.objects.filter(email=NEW_HERE).exists()
    assert not Ticket.objects.exists()


@both_doors
def test_a_name_that_turns_what_follows_it_is_refused(login, person, door, kettles):
    """SEC-B2: as where people enter their own."""
    page = raise_for(login(person), door, NEW_HERE, kettles, first_name="Un\u202ea")

    assert "Remove the invisible characters" in page.text
    assert "Nobody has this address here" not in page.text
    assert not User.objects.filter(email=NEW_HERE).exists()


@pytest.mark.parametrize(
    ("email", "why"),
    [
        ("", "Enter the customer’s email address"),
        ("x", "Enter a valid email address"),
        ("bob@example.org", "Raise your own complaint on the site"),
        ("dave@example.org", "A colleague has this address"),
        ("pete@example.org", "A colleague has this address"),
        ("gone@example.org", "The account with this address is closed"),
        ("binned@example.org", "The account with this address is closed"),
    ],
)
def test_it_is_a_customers_or_it_is_refused(login, bob, dave, pete, kettles, email, why):
    make_user("Gone", email="gone@example.org", standing=Standing.SUSPENDED)
    make_user("Binned", email="binned@example.org", deleted_at=timezone.now())

    page = raise_for(login(bob), DESK, email, kettles, subject="Kept words", first_name="X")

    assert page.status_code == 422
    assert why in text(page, ".ccr-error")
    assert 'value="Kept words"' in page.text
    assert not Ticket.objects.exists()


def test_an_erased_person_is_somebody_new(bob, kettles):
    make_user("Erased", email="erased-7@erased.invalid", standing=Standing.ERASED)

    assert raise_by(bob, kettles).requester.first_name == "Una"
    assert User.objects.filter(standing=Standing.UNCLAIMED).count() == 1


def test_a_second_address_that_was_proved_is_theirs(alice, bob, kettles):
    """Otherwise nobody could ever sign up with it."""
    alice.emailaddress_set.create(email="second@example.org", verified=True)
    alice.emailaddress_set.create(email="never@example.org", verified=False)

    assert raise_by(bob, kettles, "Second@example.org").requester == alice
    assert raise_by(bob, kettles, "never@example.org").requester != alice


@both_doors
def test_it_is_checked_like_any_ticket(login, person, door, alice, kettles):
    page = raise_for(login(person), door, alice.email, kettles, description="")

    assert "Query cannot be empty!" in page.text
    assert not Ticket.objects.exists()


def test_an_agent_may_take_it_at_once(login, alice, bob, kettles):
    page = raise_for(login(bob), DESK, alice.email, kettles, take="on")

    ticket = Ticket.objects.get()
    assert ticket.assignee == bob
    assert page.redirect_chain[-1][0] == ticket.workspace_url


def test_nobody_takes_what_others_know(login, alice, bob, dave, kettles):
    """Nothing is left half done."""
    Expertise.objects.create(agent=dave, category=kettles)

    page = raise_for(login(bob), DESK, NEW_HERE, kettles, first_name="Una", take="on")

    assert "Only agents who know this category can take the ticket." in page.text
    assert not Ticket.objects.exists()
    assert not User.objects.filter(email=NEW_HERE).exists()
    page = raise_for(login(bob), DESK, NEW_HERE, kettles, first_name="Una")
    assert page.redirect_chain[-1][0] == reverse("tickets:workspace")
    assert Ticket.objects.get().assignee is None


def test_administrators_have_no_tickets_of_their_own_to_take(login, ada):
    assert "take" not in login(ada).get(DESK).context["form"].fields


@pytest.mark.plan("SEC-E1")
def test_sent_twice_it_is_one_ticket(login, alice, bob, kettles):
    key = str(uuid.uuid4())

    raise_for(login(bob), DESK, alice.email, kettles, key=key)
    page = raise_for(login(bob), DESK, alice.email, kettles, key=key)

    assert f"{Ticket.objects.get()} is raised." in page.text
    other = {"subject": "Toaster", "description": "Black on one side."}
    raise_for(login(bob), DESK, alice.email, kettles, **other)
    assert Ticket.objects.count() == 2


def test_the_key_of_a_colleague_opens_nothing(bob, dave, kettles):
    key = uuid.uuid4()
    first = raise_by(bob, kettles, key=key)

    with pytest.raises(PermissionDenied):
        raise_by(dave, kettles, key=key)
    assert raise_by(bob, kettles, key=key) == first


@pytest.mark.plan("SEC-E1")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_same", [True, False], ids=["same", "other"])
def test_two_clicks_at_the_same_moment(kettles, is_same):
    """One ticket by one agent; two by two agents, of one customer they both met."""
    bob = make_agent("Bob")
    people = [bob, bob if is_same else make_agent("Dave")]
    key = uuid.uuid4()
    barrier, raised = Barrier(2), []

    def click(by):
        barrier.wait()
        raised.append(raise_by(by, kettles, key=key if is_same else uuid.uuid4()).pk)
        connection.close()

    threads = [Thread(target=click, args=[by]) for by in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(raised)) == (1 if is_same else 2)
    assert set(Ticket.objects.values_list("pk", flat=True)) == set(raised)
    assert User.objects.filter(email=NEW_HERE).count() == 1


@pytest.mark.parametrize("name", ["alice", "pete"])
def test_others_raise_for_themselves_only(login, person, carol, kettles):
    assert login(person).get(DESK).status_code == 403
    assert login(person).get(CONSOLE).status_code in (302, 403)
    with pytest.raises(PermissionDenied):
        raise_by(person, kettles, carol.email)
    with pytest.raises(PermissionDenied):
        actions.raise_ticket(
            by=person, requester=carol, category=kettles, subject="S", description="D"
        )
    assert not Ticket.objects.exists()


def test_nobody_is_raised_for_who_is_no_customer(bob, dave, kettles):
    with pytest.raises(PermissionDenied):
        actions.raise_ticket(by=bob, requester=dave, category=kettles, subject="S", description="D")


def test_a_refusal_between_form_and_verb_is_told(login, alice, bob, kettles, monkeypatch):
    """Somebody took the category away from under the form."""

    def refuse(*args, **kwargs):
        raise TicketRefusal("Not now.")

    monkeypatch.setattr(requesters, "raise_ticket", refuse)

    page = raise_for(login(bob), DESK, alice.email, kettles)

    assert (page.status_code, "Not now." in page.text) == (422, True)


def test_words_for_customers_are_not_for_those_who_write_for_them(login, bob):
    fields = login(bob).get(DESK).context["form"].visible_fields()

    assert [field.name for field in fields if field.help_text] == []
