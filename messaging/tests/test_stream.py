"""The lines as they come: what an open page asks for and gets."""

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from messaging import actions as messaging
from tickets import actions
from tickets.models import Ticket
from tickets.tests.factories import make_ticket
from tickets.tests.reading import lines, text, texts
from tickets.workflow import ResolutionKind, Status

from .talking import talk


def stream(client, ticket, query, staff=False):
    page = ticket.workspace_url if staff else ticket.get_absolute_url()
    return client.get(f"{page}lines/?{query}")


@pytest.fixture
def client_of_alice(login, alice):
    return login(alice)


def test_what_is_new_comes_as_the_page_shows_it(client_of_alice, bob, ticket):
    """D4-3, D4-4: with the promise and the facts around it."""
    last = ticket.event_count
    talk(ticket, bob, "Hello.", "It is on its way.")

    answer = stream(client_of_alice, ticket, f"after={last}")

    assert answer.status_code == 200
    assert answer.headers["X-Last-Line"] == str(ticket.event_count)
    assert lines(answer) == [last + 1, last + 2]
    page = client_of_alice.get(ticket.get_absolute_url())
    for item in ("#ticket-stub", "#ticket-aside"):
        assert texts(answer, item) == texts(page, item)
    for message in answer.text.split('<li class="ccr-msg')[1:3]:
        assert message.split("</li>")[0] in page.text


def test_nothing_new_is_nothing(client_of_alice, login, bob, ticket):
    answers = [
        stream(client_of_alice, ticket, f"after={ticket.event_count}"),
        stream(client_of_alice, ticket, f"after={ticket.event_count + 1}"),
        stream(login(bob), ticket, f"after={ticket.event_count}", staff=True),
    ]

    assert [(answer.status_code, answer.content) for answer in answers] == [(204, b"")] * 3


def test_what_is_for_staff_is_nothing_to_the_requester(login, alice, bob, ticket):
    """Nor is its number."""
    last = ticket.event_count
    messaging.post_note(ticket, by=bob, body="The canary sings.")
    actions.classify(ticket, by=bob, priority="high", category=ticket.category)

    answer = stream(login(alice), ticket, f"after={last}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert "X-Last-Line" not in answer.headers

    answer = stream(login(bob), ticket, f"after={last}", staff=True)
    assert lines(answer) == [last + 1, last + 2]
    assert texts(answer, ".ccr-copy--note")[0].endswith("The canary sings.")


def test_a_word_after_a_note_comes_alone(client_of_alice, bob, ticket):
    last = ticket.event_count
    messaging.post_note(ticket, by=bob, body="The canary sings.")
    talk(ticket, bob, "Hello.")

    answer = stream(client_of_alice, ticket, f"after={last}")

    assert lines(answer) == [last + 2]
    assert answer.headers["X-Last-Line"] == str(last + 2)
    assert "canary" not in answer.text


def test_a_move_that_came_with_a_message_is_told_by_the_promise(client_of_alice, bob, ticket):
    last = ticket.event_count
    messaging.post_message(ticket, by=bob, body="Which model?", then=Status.WAITING)

    answer = stream(client_of_alice, ticket, f"after={last}")

    assert lines(answer) == [last + 1]
    assert "Bob needs your answer." in text(answer, "#ticket-now")
    assert answer.headers["X-Last-Line"] == str(last + 2)


def test_the_box_is_left_alone_until_the_conversation_is_shut_or_opened(login, alice, bob, ticket):
    """Somebody may be writing in it."""
    last = ticket.event_count
    talk(ticket, bob, "Hello.")
    actions.change_status(ticket, Status.WAITING, by=bob)
    for person, staff in ((alice, False), (bob, True)):
        assert texts(stream(login(person), ticket, f"after={last}", staff), "#composer") == []

    last = ticket.event_count
    actions.change_status(ticket, Status.CLOSED, by=alice)
    for person, staff in ((alice, False), (bob, True)):
        answer = stream(login(person), ticket, f"after={last}", staff)
        assert "closed this ticket. Chats are disabled" in text(answer, "#composer")

    last = ticket.event_count
    actions.change_status(ticket, Status.OPEN, by=bob)
    for person, staff in ((alice, False), (bob, True)):
        answer = stream(login(person), ticket, f"after={last}", staff)
        assert "Chats are disabled" not in text(answer, "#composer")
        assert 'name="body"' in answer.text


def test_a_resolution_brings_the_question_for_a_rating(client_of_alice, bob, ticket):
    last = ticket.event_count
    actions.change_status(
        ticket, Status.RESOLVED, by=bob, text="Replaced.", resolution=ResolutionKind.REPLACED
    )

    answer = stream(client_of_alice, ticket, f"after={last}")

    assert "How did we handle it?" in text(answer, "#ticket-feedback")
    assert "Bob marked this resolved. Replaced." in text(answer, "#ticket-now")
    assert texts(answer, ".ccr-msg__text") == ["Replaced."]


@pytest.fixture
def noon():
    """Far from the next day. Asked for before whatever happens on this one."""
    with time_machine.travel("2026-11-20T12:00:00Z"):
        yield


def test_a_new_day_is_announced_once(noon, client_of_alice, bob, ticket):
    """Only where the line before, which the page has, was of another day."""
    last = ticket.event_count
    talk(ticket, bob, "Hello.", "Again.")

    assert texts(stream(client_of_alice, ticket, f"after={last}"), ".ccr-log__day") == []
    assert texts(stream(client_of_alice, ticket, "after=0"), ".ccr-log__day") == ["Today"]


def test_everything_before_a_line(login, alice, bob, ticket):
    talk(ticket, alice, *(f"Word {number}" for number in range(5)))
    messaging.post_note(ticket, by=bob, body="The canary sings.")

    answer = stream(login(alice), ticket, "before=6")
    assert lines(answer) == [1, 2, 4, 5]
    assert "ticket-stub" not in answer.text
    assert lines(stream(login(alice), ticket, "before=99")) == [1, 2, 4, 5, 6, 7, 8]
    assert lines(stream(login(bob), ticket, "before=99", staff=True)) == [1, 2, 4, 5, 6, 7, 8, 9]
    assert lines(stream(login(alice), ticket, "before=1")) == []


@pytest.mark.plan("SEC-B11")
@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "x",
        "-1",
        "1.5",
        "1e9",
        "0x1",
        "%00",
        "%ED%A0%80",
        " 1",
        "1;2",
        "NaN",
        "null",
        "²",
        "½",
        "None",
    ],
)
def test_garbage_means_from_the_beginning(client_of_alice, ticket, garbage):
    for name in ("after", "before"):
        answer = stream(client_of_alice, ticket, f"{name}={garbage}")
        assert answer.status_code == 200
        assert lines(answer) == [1, 2]


@pytest.mark.plan("SEC-B11")
@pytest.mark.parametrize("digits", [10, 20, 5_000, 60_000])
def test_huge_numbers_are_after_everything(client_of_alice, ticket, digits):
    """More digits than Python reads by default, too."""
    huge = "9" * digits

    assert stream(client_of_alice, ticket, f"after={huge}").status_code == 204
    assert lines(stream(client_of_alice, ticket, f"before={huge}")) == [1, 2]


@pytest.mark.plan("SEC-A2")
def test_each_side_has_its_own_stream(login, alice, bob, carol, dave, ada, ticket):
    def answers(person):
        client = login(person)
        return [stream(client, ticket, "after=0", staff).status_code for staff in (False, True)]

    assert answers(alice) == [200, 403]
    assert answers(bob) == [403, 200]
    assert answers(ada) == [403, 200]
    assert answers(carol) == [404, 403]
    assert answers(dave) == [404, 404]


@pytest.mark.plan("SEC-A10")
def test_after_a_reassignment_the_old_agent_gets_nothing(login, bob, dave, ada, ticket):
    client = login(bob)
    assert stream(client, ticket, "after=0", staff=True).status_code == 200

    actions.assign(ticket, to=dave, by=ada)

    assert stream(client, ticket, "after=0", staff=True).status_code == 404


@pytest.mark.plan("SEC-G2")
def test_queries_do_not_grow_with_the_lines(client_of_alice, alice, bob, ticket):
    counts = []
    for total in (2, 4, 50):
        talk(ticket, bob, *["Hello."] * (total - ticket.message_count))
        with CaptureQueriesContext(connection) as captured:
            stream(client_of_alice, ticket, "after=3")
        counts.append(len(captured))

    assert counts[0] == counts[1] == counts[2]


@pytest.mark.plan("SEC-H5")
def test_the_stream_stays_in_no_cache(client_of_alice, ticket):
    for query in ("after=0", "after=99", "before=3"):
        assert stream(client_of_alice, ticket, query).headers["Cache-Control"] == "no-store"


SAYINGS = {
    "customer": lambda ticket, alice, bob: talk(ticket, alice, "Hello?"),
    "agent": lambda ticket, alice, bob: talk(ticket, bob, "Hello."),
    "note": lambda ticket, alice, bob: messaging.post_note(ticket, by=bob, body="For us."),
    "question": lambda ticket, alice, bob: messaging.post_message(
        ticket, by=bob, body="Which?", then=Status.WAITING
    ),
}


@pytest.mark.plan("SEC-B11")
@given(sayings=st.lists(st.sampled_from(sorted(SAYINGS)), max_size=12), data=st.data())
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whoever_asks_after_the_last_line_misses_nothing(
    login, alice, bob, ada, kettles, sayings, data
):
    """P4: asking at any moments gives the same lines as opening the page at the end."""
    ticket = make_ticket(requester=alice, assignee=bob, category=kettles, by=ada)
    Ticket.objects.filter(pk=ticket.pk).update(created_at="2020-01-01T00:00Z")  # the hourly limit
    client, seen, last = login(alice), [1, 2], ticket.event_count
    for saying in sayings:
        SAYINGS[saying](ticket, alice, bob)
        if data.draw(st.booleans()):
            answer = stream(client, ticket, f"after={last}")
            seen += lines(answer)
            last = int(answer.headers.get("X-Last-Line", last))
    seen += lines(stream(client, ticket, f"after={last}"))

    assert seen == lines(client.get(f"{ticket.get_absolute_url()}?all=1"))
