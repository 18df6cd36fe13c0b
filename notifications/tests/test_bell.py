"""The bell in the header and its page: what somebody was told, and what of it is unread."""

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts import people
from accounts.models import Application, Role
from accounts.signals import application_received
from messaging.actions import post_message, post_note
from notifications import bell
from notifications.models import Notification
from notifications.owing import owe
from tickets import actions
from tickets.models import Follower, TicketEvent
from tickets.relations import merging
from tickets.tests.factories import make_ticket
from tickets.tests.reading import texts

pytestmark = pytest.mark.django_db

PAGE = reverse("notifications:bell")
COUNT = reverse("notifications:count")
READ_ALL = reverse("notifications:read_all")
Kind = Notification.Kind


def unread(person) -> list[str]:
    """The kinds the bell of ``person`` counts, and that it counts as many as it shows."""
    found = bell.shown_to(person).filter(read_at=None)
    assert bell.count_unread(person) == len(found)
    return sorted(found.values_list("kind", flat=True))


def headlines(client) -> list[str]:
    return texts(client.get(PAGE), ".ccr-told__what")


def follow(client, notification):
    return client.post(reverse("notifications:follow", args=[notification.pk]))


def see(client, ticket):
    return client.post(reverse("notifications:seen", args=[ticket.reference]))


# --- What it shows ----------------------------------------------------------------------


def test_the_header_says_how_many_are_unread(login, alice, bob, ticket):
    """Its name for a screen reader holds the number, which is silent itself."""
    page = login(bob).get(reverse("account_profile"))

    assert texts(page, ".ccr-bell__n") == ["1"]
    assert 'aria-label="Notifications, 1 unread"' in page.text


def test_nothing_unread_is_no_number(login, carol):
    page = login(carol).get(reverse("account_profile"))

    assert texts(page, ".ccr-bell__n") == [""]
    assert 'aria-label="Notifications"' in page.text


def test_visitors_have_no_bell(client):
    page = client.get(reverse("account_login"))

    assert "data-bell" not in page.text


@pytest.mark.parametrize("path", ["/workspace/", "/admin/"])
def test_workspace_and_console_have_it_too(login, ada, ticket, path):
    assert 'aria-label="Notifications, 1 unread"' in login(ada).get(path).text


def test_the_page_tells_in_words_what_happened_the_newest_first(login, alice, bob, ticket):
    post_message(ticket, by=bob, body="What is its number?")
    post_message(ticket, by=alice, body="4711")

    assert headlines(login(alice)) == [
        "Unread: Bob wrote to you",
        "Unread: Bob has your ticket",
        "Unread: We have your ticket",
    ]
    assert headlines(login(bob)) == ["Unread: Alice wrote to you", "Unread: Ada gave you a ticket"]
    page = login(alice).get(PAGE).text
    assert ticket.reference in page
    assert "Kettle stopped heating" in page
    assert "4711" not in page


def test_what_a_colleague_wrote_to_the_customer_was_not_written_to_the_agent(
    login, alice, bob, ada, ticket
):
    post_message(ticket, by=ada, body="We are sorry.")

    assert headlines(login(alice))[0] == "Unread: Ada wrote to you"
    assert headlines(login(bob))[0] == "Unread: Ada wrote"


@pytest.mark.plan("SEC-B2")
def test_a_subject_turns_nothing_beside_it_around(login, alice, bob, ticket):
    """Also one of another direction, whose numbers would change places with the date."""
    ticket.subject = "\u202eالغلاية 47"
    ticket.save()
    kept_apart = f"<bdi>{ticket.subject}</bdi>"

    pages = [login(bob).get(PAGE), login(bob).get("/workspace/"), login(alice).get("/tickets/")]

    assert [kept_apart in page.text for page in pages] == [True, True, True]


def test_every_kind_has_words(login, ada, ticket):
    """Also when what it was about is gone."""
    line = ticket.events.get(number=1)
    for kind in Kind:
        owe(kind, ada, cause=f"test:{kind}", event=line)

    client = login(ada)
    first = client.get(PAGE)
    second = client.get(PAGE, {"after": first.context["page"].next_after})

    shown = texts(first, ".ccr-told__what") + texts(second, ".ccr-told__what")
    assert len(shown) == min(40, len(bell.shown_to(ada)))
    assert all(words.removeprefix("Unread:").strip() for words in shown)


def test_who_was_assigned_then_is_named_whoever_has_it_now(login, alice, bob, dave, ada, ticket):
    actions.assign(ticket, to=dave, by=ada)

    assert headlines(login(alice))[:2] == [
        "Unread: Dave has your ticket",
        "Unread: Bob has your ticket",
    ]


def test_nothing_yet_is_said_in_words(login, carol):
    assert "Nothing has happened yet" in login(carol).get(PAGE).text


def test_news_of_the_account_needs_no_ticket(login, ada, pete):
    """SEC-A4: the waiting have a bell, which is theirs."""
    application = Application.objects.create(applicant=pete, role=Role.AGENT)
    application_received.send(sender=Application, application=application)
    owe(Kind.WELCOME, pete, cause=f"user:{pete.pk}")

    assert headlines(login(ada)) == ["Unread: Pete asks for an account as agent"]
    assert headlines(login(pete)) == ["Unread: We have your request"]
    assert login(pete).get(COUNT).json() == {"count": "1", "label": "Notifications, 1 unread"}


def test_what_is_gone_leaves_its_occasion(login, ada):
    owe(Kind.APPLICATION_RECEIVED, ada, cause="application:999999")

    assert headlines(login(ada)) == ["Unread: New role request"]


def test_more_than_ninety_nine_are_not_counted(login, alice):
    for number in range(101):
        owe(Kind.NEW_DEVICE, alice, cause=f"test:{number}")

    assert login(alice).get(COUNT).json() == {
        "count": "99+",
        "label": "Notifications, 99+ unread",
    }


# --- What one may no longer see -----------------------------------------------------------


@pytest.mark.plan("SEC-A10")
@pytest.mark.plan("P7")
def test_a_ticket_given_to_another_is_gone_from_the_bell(login, alice, bob, dave, ada, ticket):
    post_message(ticket, by=alice, body="Any news?")
    assert unread(bob) == ["assigned_to_you", "message"]
    mine = Notification.objects.filter(recipient=bob).first()

    actions.assign(ticket, to=dave, by=ada)

    assert unread(bob) == []
    assert unread(dave) == ["assigned_to_you"]
    assert headlines(login(bob)) == []
    assert ticket.reference not in login(bob).get(PAGE).text
    assert login(bob).get(COUNT).json()["count"] == ""
    assert follow(login(bob), mine).status_code == 404
    mine.refresh_from_db()
    assert mine.read_at is None


@pytest.mark.plan("P6")
def test_a_ticket_in_the_bin_is_gone_from_every_bell(alice, bob, ada, ticket):
    actions.bin_ticket(ticket, by=ada)

    assert [unread(person) for person in (alice, bob, ada)] == [[], [], []]


@pytest.mark.plan("SEC-A5")
def test_a_note_rings_for_staff_and_not_for_whom_it_is_about(login, alice, bob, ada, ticket):
    Follower.objects.create(ticket=ticket, person=ada)
    note = post_note(ticket, by=bob, body="She always complains.")
    owe(Kind.MESSAGE, alice, cause="test:note", event=note)  # by mistake

    assert "message" not in unread(alice)
    assert headlines(login(ada))[0] == "Unread: Bob wrote an internal note"
    assert not [words for words in headlines(login(alice)) if "note" in words]


def test_a_merged_ticket_rings_where_it_goes_on(login, alice, bob, ada, kettles, ticket):
    twin = make_ticket(alice, bob, category=kettles, by=ada)
    before = unread(alice)
    told = Notification.objects.filter(recipient=alice, event__ticket=twin).last()

    merging.merge(twin, into=ticket, by=bob)

    assert unread(alice) == sorted([*before, "merged"])
    response = login(alice).get(follow(login(alice), told).headers["Location"])
    assert response.headers["Location"] == ticket.get_absolute_url()


@pytest.mark.plan("P7")
def test_who_is_administrator_no_more_hears_nothing_of_the_desk(ada, pete):
    application = Application.objects.create(applicant=pete, role=Role.AGENT)
    application_received.send(sender=Application, application=application)
    assert unread(ada) == ["application_received"]
    ada.role = Role.CUSTOMER

    assert unread(ada) == []


@pytest.mark.plan("SEC-A4")
def test_the_suspended_have_no_bell(login, bob, ada, ticket):
    client = login(bob)
    assert client.get(PAGE).status_code == 200

    people.suspend(bob, by=ada, reason="Left us.")

    assert client.get(COUNT).status_code == 302


ROLES = ["alice", "bob", "carol", "dave", "ada", "pete"]


@pytest.mark.plan("P6")
@pytest.mark.parametrize("name", ROLES)
def test_the_bell_follows_the_rule_of_all_lines(request, name, alice, bob, ada, kettles):
    """Whatever is owed to whomever: counted and shown is what ``visible_to`` lets them read."""
    person = request.getfixturevalue(name)
    tickets = [
        make_ticket(alice, bob, category=kettles, by=ada),
        make_ticket(alice, category=kettles),
        make_ticket(bob, category=kettles),
        make_ticket(ada, bob, category=kettles),
        make_ticket(alice, bob, category=kettles, by=ada),
    ]
    for each in tickets:
        post_note(each, by=ada if each.requester != ada else bob, body="A note")
    merging.merge(tickets[1], into=tickets[0], by=ada)
    actions.bin_ticket(tickets[4], by=ada)
    Notification.objects.all().delete()
    for line in TicketEvent.objects.all():
        owe(Kind.RULED, person, cause=f"test:{line.pk}", event=line)

    counted = bell.count_unread(person)

    readable = TicketEvent.objects.visible_to(person)
    assert counted == readable.count()
    shown = bell.shown_to(person).values_list("event", flat=True)
    assert set(shown) == set(readable.values_list("pk", flat=True))


def test_behind_what_is_not_shown_others_are_counted(bob, dave, alice, ada, ticket, monkeypatch):
    monkeypatch.setattr(bell, "MOST", 2)
    for line in ticket.events.all():
        owe(Kind.RULED, dave, cause=f"test:{line.pk}", event=line)
    assert bell.count_unread(dave) == 0

    for number in range(3):
        owe(Kind.NEW_DEVICE, dave, cause=f"test-account:{number}")

    assert bell.count_unread(dave) == 3


# --- Reading ----------------------------------------------------------------------------


def test_following_one_marks_it_and_leads_there(login, bob, alice, ticket):
    message = post_message(ticket, by=alice, body="Any news?")
    told = Notification.objects.get(recipient=bob, event=message)

    response = follow(login(bob), told)

    assert response.headers["Location"] == ticket.workspace_url
    assert unread(bob) == ["assigned_to_you"]
    assert headlines(login(bob))[0] == "Alice wrote to you"


@pytest.mark.plan("SEC-B14")
def test_looking_marks_nothing(login, bob, ticket):
    """A page that a browser fetches ahead was not read by anybody."""
    client = login(bob)
    told = Notification.objects.get(recipient=bob)

    for path in (PAGE, COUNT, ticket.workspace_url):
        assert client.get(path).status_code == 200
    assert client.head(PAGE).status_code == 200
    assert client.get(reverse("notifications:follow", args=[told.pk])).status_code == 405

    assert unread(bob) == ["assigned_to_you"]


@pytest.mark.plan("SEC-A2")
def test_nobody_reads_the_bell_of_others(login, alice, bob, ticket):
    bobs = Notification.objects.get(recipient=bob)

    assert follow(login(alice), bobs).status_code == 404
    login(alice).post(READ_ALL)

    assert unread(bob) == ["assigned_to_you"]
    assert unread(alice) == []


def test_all_are_read_at_once_also_what_is_not_shown(login, bob, dave, ada, ticket):
    actions.assign(ticket, to=dave, by=ada)

    assert login(bob).post(READ_ALL).headers["Location"] == PAGE

    assert not Notification.objects.filter(recipient=bob, read_at=None).exists()


def test_what_was_read_keeps_its_time(login, bob, ticket):
    moment = timezone.now()
    Notification.objects.filter(recipient=bob).update(read_at=moment)

    login(bob).post(READ_ALL)

    assert Notification.objects.get(recipient=bob).read_at == moment


def test_the_open_page_of_a_ticket_reads_what_is_about_it(login, alice, bob, ada, kettles, ticket):
    another = make_ticket(alice, bob, category=kettles, by=ada)
    post_message(ticket, by=alice, body="Any news?")

    answer = see(login(bob), ticket)

    assert answer.json() == {"count": "1", "label": "Notifications, 1 unread"}
    left = Notification.objects.get(recipient=bob, read_at=None)
    assert left.event.ticket == another
    assert len(unread(alice)) == 4


def test_it_reads_what_was_merged_into_it_too(login, alice, bob, ada, kettles, ticket):
    twin = make_ticket(alice, bob, category=kettles, by=ada)
    merging.merge(twin, into=ticket, by=bob)

    see(login(bob), twin)

    assert unread(bob) == []


@pytest.mark.plan("SEC-A3")
@pytest.mark.parametrize(("name", "status"), [("alice", 200), ("bob", 200), ("dave", 404)])
def test_only_who_sees_a_ticket_has_seen_it(login, request, ticket, name, status):
    assert see(login(request.getfixturevalue(name)), ticket).status_code == status


# --- What it costs ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["alice", "bob", "ada"])
def test_the_number_is_one_query(request, name, ticket, alice, django_assert_num_queries):
    """For who has to do with the ticket; of others the rule is asked besides."""
    person = request.getfixturevalue(name)
    post_message(ticket, by=alice, body="Any news?")

    with django_assert_num_queries(1):
        assert bell.count_unread(person)


def test_of_a_ticket_that_was_given_away_the_rule_is_asked(
    bob, dave, ada, ticket, django_assert_num_queries
):
    actions.assign(ticket, to=dave, by=ada)

    with django_assert_num_queries(2):
        assert bell.count_unread(bob) == 0


def test_the_page_costs_the_same_for_one_as_for_three(
    login, alice, bob, ticket, django_assert_num_queries
):
    client = login(alice)
    Notification.objects.filter(recipient=alice).exclude(kind="assigned").delete()
    client.get(PAGE)

    with django_assert_num_queries(5) as queries:
        client.get(PAGE)
    for _ in range(2):
        post_message(ticket, by=bob, body="And?")
    with django_assert_num_queries(len(queries)):
        client.get(PAGE)
