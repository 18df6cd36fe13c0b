"""D0-21: an agent sees the whole story, also what the customer told before; and staff follow."""

import pytest
from channels.db import database_sync_to_async as in_thread
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.tests.factories import make_agent
from messaging.actions import post_message, post_note
from messaging.tests.sockets import PageSocket
from messaging.tests.talking import write
from tickets import actions, fields
from tickets.improvement import problems
from tickets.models import Attachment, Expertise, Follower, Problem, Ticket
from tickets.parties import participants
from tickets.tests.factories import make_category, make_question, make_ticket
from tickets.workflow import ENDED, Part, ResolutionKind, Status

from .reading import lines, text, texts, told

pytestmark = pytest.mark.django_db


@pytest.fixture
def earlier(alice, dave, ada, kettles):
    """What Alice told before: Dave had it, and left notes."""
    old = make_ticket(
        alice, dave, category=kettles, by=ada, subject="The lid came off", status=Status.OPEN
    )
    post_message(old, by=alice, body="It fell.")
    post_note(old, by=dave, body="zqnotezq")
    return old


def sees(login, person, ticket) -> bool:
    return login(person).get(ticket.workspace_url).status_code == 200


def follow(client, ticket, verb="follow"):
    return client.post(reverse(f"tickets:{verb}", args=[ticket.reference]), follow=True)


# --- Other tickets of the customer ------------------------------------------------------


@pytest.mark.plan("SEC-A5")
def test_the_agent_reads_what_the_customer_told_before(login, ticket, earlier, bob, dave, ada):
    """Public words and files only, and nothing to write with."""
    question = make_question(earlier.category, "Shelf", is_for_requester=False)
    fields.answer(earlier, by=dave, answers={question: "zqshelfzq"})
    actions.classify(
        earlier, by=dave, priority="normal", category=earlier.category, tags=["zqtagzq"]
    )
    known = Problem.objects.create(title="zqproblemzq", owner=ada, created_by=ada)
    problems.link(earlier, known, by=dave)
    hidden = ("zqnotezq", "zqshelfzq", "zqtagzq", "zqproblemzq", 'id="reply"', "data-socket")
    theirs = login(dave).get(earlier.workspace_url).text
    assert [each for each in hidden if each not in theirs] == []

    page = login(bob).get(earlier.workspace_url)

    assert "It fell." in texts(page, ".ccr-copy__text")
    assert [each for each in hidden if each in page.text] == []
    assert text(page, "#composer") == (
        "You read this because you have another ticket of Alice. You can’t write here."
    )
    stream = login(bob).get(f"{earlier.workspace_url}lines/?after=1")
    assert "zqnotezq" not in stream.text
    note = earlier.events.get(kind="note").number
    assert note not in lines(stream)


@pytest.mark.plan("SEC-A6")
def test_files_follow_their_lines(login, ticket, earlier, alice, bob, dave):
    made = [
        Attachment.objects.create(uploader=alice, name="a.png", size=1, event=line)
        for line in (earlier.events.get(kind="message"), earlier.events.get(kind="note"))
    ]

    assert login(bob).get(made[1].get_absolute_url()).status_code == 404
    assert list(Attachment.objects.visible_to(bob)) == [made[0]]
    assert set(Attachment.objects.visible_to(dave)) == set(made)


@pytest.mark.plan("SEC-A3")
@pytest.mark.parametrize("verb", ["write", "move", "classify", "hand_over"])
def test_nothing_can_be_done_there(login, ticket, earlier, bob, verb):
    app = "messaging" if verb in ("write", "move") else "tickets"
    count = earlier.event_count

    answer = login(bob).post(reverse(f"{app}:{verb}", args=[earlier.reference]), {"body": "Hi"})

    earlier.refresh_from_db()
    assert answer.status_code == 403
    assert earlier.event_count == count
    with pytest.raises(PermissionDenied):
        post_message(earlier, by=bob, body="Hi")
    assert write(login(bob), ticket, "Hi").status_code == 302


@pytest.mark.plan("SEC-A10")
@pytest.mark.parametrize("end", ["closed", "withdrawn", "handed over", "binned"])
def test_it_ends_with_the_ticket_in_hand(login, ticket, earlier, alice, bob, ada, end):
    """P7: at the next request. A resolved ticket has not ended."""
    solved = {"text": "Replaced.", "resolution": ResolutionKind.REPLACED}
    if end in ENDED:
        if end == Status.CLOSED:
            actions.change_status(ticket, Status.RESOLVED, by=bob, **solved)
        assert sees(login, bob, earlier)
        actions.change_status(ticket, Status(end), by=alice)
    elif end == "handed over":
        assert sees(login, bob, earlier)
        actions.assign(ticket, to=make_agent("Noor"), by=ada)
    else:
        assert sees(login, bob, earlier)
        actions.bin_ticket(ticket, by=ada)

    assert not sees(login, bob, earlier)
    assert earlier.part_of(bob) is None
    assert earlier not in Ticket.objects.visible_to(bob)


@pytest.mark.plan("SEC-A3")
def test_it_reaches_no_other_customer_and_no_other_agent(
    login, ticket, earlier, carol, bob, dave, ada, kettles
):
    carols = make_ticket(carol, dave, category=kettles, by=ada)
    noor = make_agent("Noor")

    assert (earlier.part_of(bob), carols.part_of(bob)) == (Part.EARLIER, None)
    assert (earlier.part_of(noor), carols.part_of(dave)) == (None, Part.ASSIGNEE)
    assert set(Ticket.objects.visible_to(bob)) == {ticket, earlier}
    assert not sees(login, bob, carols)


def test_lists_and_queues_do_not_show_them(login, ticket, earlier, bob):
    """What an agent works on stays what they have and may take."""
    for view in ("mine", "waiting", "unassigned", "done"):
        page = login(bob).get(reverse("tickets:workspace"), {"view": view})
        assert earlier.reference not in page.text


def test_the_page_names_the_newest_few(login, ticket, earlier, alice, bob, ada, kettles):
    for number in range(5):
        make_ticket(alice, category=kettles, subject=f"Story {number}")
    earlier.refresh_from_db()
    post_message(earlier, by=alice, body="Once more.")

    for person in (bob, ada):
        page = login(person).get(ticket.workspace_url)
        assert [each.subject for each in page.context["earlier"]] == [
            "The lid came off", "Story 4", "Story 3", "Story 2", "Story 1",
        ]  # fmt: skip
        assert earlier.workspace_url in page.text
    assert login(bob).get(earlier.workspace_url).context["earlier"] == []


def test_who_may_take_it_or_has_finished_with_it_gets_no_list(
    login, ticket, earlier, alice, bob, kettles
):
    Expertise.objects.create(agent=bob, category=make_category("Else"))
    actions.change_status(ticket, Status.CLOSED, by=alice)

    assert login(bob).get(ticket.workspace_url).context["earlier"] == []


@pytest.mark.plan("SEC-G2")
def test_queries_do_not_grow_with_the_story(login, ticket, alice, bob, kettles):
    client = login(bob)
    counts = []
    for total in (1, 3):
        while Ticket.objects.of_customer(ticket).count() < total:
            make_ticket(alice, category=kettles)
        with CaptureQueriesContext(connection) as captured:
            page = client.get(ticket.workspace_url)
        assert len(page.context["earlier"]) == total
        counts.append(len(captured))

    assert counts[0] == counts[1]


def test_somebody_who_was_quicker_is_named_all_the_same(login, ticket, earlier, alice, bob, dave):
    """Bob sees the colleague's ticket, as he has another of Alice, and can't take it."""
    url = reverse("tickets:take", args=[earlier.reference])
    assert told(login(bob).post(url, follow=True)) == [f"{earlier} is already assigned to {dave}."]

    Expertise.objects.create(agent=dave, category=earlier.category)

    assert login(bob).post(url).status_code == 403  # not of his team, so it was never his to take


@pytest.mark.plan("SEC-C15")
@pytest.mark.django_db(transaction=True)
async def test_there_is_no_socket_for_it(login, ticket, earlier, bob):
    client = await in_thread(login)(bob)

    socket = PageSocket(f"/ws/tickets/{earlier}/", client)

    assert await socket.open() == 4404
    async with PageSocket(f"/ws/tickets/{ticket}/", client):
        pass


# --- Followers ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["bob", "ada"])
def test_staff_follow_with_one_button(login, request, ticket, name):
    """It writes no history line and twice is once."""
    person = request.getfixturevalue(name)
    count = ticket.event_count
    assert "Follow by email" in text(login(person).get(ticket.workspace_url), "#ticket-facts")

    follow(login(person), ticket)
    page = follow(login(person), ticket)

    assert Follower.objects.get().person == person
    facts = text(page, "#ticket-facts")
    assert f"Follow {person}" in facts
    assert "Stop following" in facts
    ticket.refresh_from_db()
    assert ticket.event_count == count

    page = follow(login(person), ticket, "unfollow")
    assert "Follow by email" in text(page, "#ticket-facts")
    assert not Follower.objects.exists()


def test_customers_do_not_learn_who_follows(login, ticket, alice, ada):
    participants.follow(ticket, by=ada)

    assert "Ada" not in text(login(alice).get(ticket.get_absolute_url()), "#ticket-aside")


@pytest.mark.plan("SEC-A3")
@pytest.mark.parametrize(
    ("name", "answer"), [("alice", 403), ("carol", 403), ("pete", 403), ("dave", 404)]
)
def test_nobody_else_follows(login, request, ticket, name, answer):
    person = request.getfixturevalue(name)

    assert follow(login(person), ticket).status_code == answer
    with pytest.raises(PermissionDenied):
        participants.follow(ticket, by=person)
    assert not Follower.objects.exists()


def test_following_gives_no_right(login, ticket, dave, ada):
    """SEC-A10"""
    participants.follow(ticket, by=ada)
    Follower.objects.create(ticket=ticket, person=dave)

    assert ticket.part_of(dave) is None
    assert not sees(login, dave, ticket)
    assert sees(login, ada, ticket)


def test_nobody_follows_a_complaint_of_their_own(ada, bob):
    own = make_ticket(ada, bob)

    for verb in (participants.follow, participants.unfollow):
        with pytest.raises(PermissionDenied):
            verb(own, by=ada)
