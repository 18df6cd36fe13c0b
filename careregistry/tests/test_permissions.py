"""``permissions.yaml`` is what the product does: each cell, and nothing beside it."""

import re
from contextlib import nullcontext

import pytest
from asgiref.sync import async_to_sync, sync_to_async

from messaging.actions import post_message, post_note
from messaging.tests.sockets import PATIENCE, PageSocket
from tickets.models import Ticket
from tickets.workflow import Part

from .matrix import (
    DOOR,
    LETTERS,
    METHODS,
    PAGE_ROWS,
    PARTS,
    PEOPLE,
    ROWS,
    SAFE,
    SELDOM,
    SOCKET_ROWS,
    page_routes,
    part_of,
    requests_by,
    requests_of,
    row_for,
    socket_actions,
    turn,
)

pytestmark = pytest.mark.django_db

LOGIN = "/account/login/"
# Who is refused before anything is looked up, so that the answer can't depend on what exists.
OUTSIDERS = {
    "anonymous", "owner", "other_customer", "participant", "pending_agent", "pending_admin",
}  # fmt: skip


# --- Every route has a row, every row a route ---------------------------------------


@pytest.mark.plan("SEC-A1")
def test_every_route_has_a_row():
    without = [
        route.pattern
        for route in page_routes()
        if not any(row_for(route.name, method) for method in METHODS)
    ]

    assert without == []


@pytest.mark.plan("SEC-A1")
def test_every_row_has_a_route():
    assert [str(row) for row in PAGE_ROWS if not requests_of(row)] == []


@pytest.mark.plan("SEC-A1")
def test_every_socket_action_has_a_row():
    ruled = {(action, path) for action, path in socket_actions() if socket_row(action, path)}

    assert ruled == socket_actions()
    for row in SOCKET_ROWS:
        assert any(row.fits(path, action) for action, path in socket_actions()), str(row)


@pytest.mark.plan("SEC-A1")
def test_every_cell_is_one_of_the_letters():
    assert {letter for row in ROWS for _, letter in row.cells} <= set(LETTERS)


# --- Pages ----------------------------------------------------------------------------


def bare(response) -> str:
    """The page without what differs from one request to the next."""
    words = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", response.text)
    return words.replace(response.request["PATH_INFO"], "")


def is_refused_like(letter, response) -> bool:
    match letter:
        case "F":
            return response.status_code == 403
        case "N":
            return response.status_code == 404
        case "L":
            return response.status_code == 302 and response.headers["Location"].startswith(LOGIN)
        case "R":
            return response.status_code == 302 and not is_refused_like("L", response)
        case "T":
            return response.status_code in (200, 302, 403, 409, 422)
    return False


@pytest.mark.plan("SEC-A1")
@pytest.mark.plan("SEC-A2")
@pytest.mark.plan("SEC-A3")
@pytest.mark.plan("SEC-A4")
@pytest.mark.parametrize("row", [row for row in PAGE_ROWS if row.part == "site"], ids=str)
def test_page(world, row):
    """Each cell: the answer, and that refusals and safe methods leave no trace."""
    assert_answers(world, row)


@pytest.mark.load
@pytest.mark.plan("SEC-A1")
@pytest.mark.plan("SEC-A4")
@pytest.mark.plan("SEC-A11")
@pytest.mark.parametrize("row", [row for row in PAGE_ROWS if row.part == "console"], ids=str)
def test_page_of_the_console(world, row):
    assert_answers(world, row)


@pytest.mark.plan("SEC-A11")
def test_the_console_has_a_door(world):
    """Each of its pages refuses somebody, in turn."""
    for route in page_routes():
        row = row_for(route.name, "GET")
        if (
            row
            and row.part == "console"
            and (outside := [p for p in PEOPLE if row.cell(p) in DOOR])
        ):
            person = outside[turn(route) % len(outside)]
            assert_refused(world, person, route, "GET", row.thing, row.cell(person))
    assert world.is_unchanged()


def assert_answers(world, row):
    for person in PEOPLE:
        letter = row.cell(person)
        for route, method in requests_by(person, row) if letter != "–" else ():
            if letter == "Y":
                assert_allowed(world, person, route, method, row.thing)
            else:
                assert_refused(world, person, route, method, row.thing, letter)
        assert world.is_unchanged(), f"as {person}"


def assert_allowed(world, person, route, method, thing):
    """POST is answered by a page or leads on to one, and what was sent is kept. No page shows the
    hash of a password or a secret."""
    good = (200, 204, 302) if method == "POST" else (200, 204)
    has_form = world.form(person, route.name, thing) is not None
    must_change = method == "POST" and has_form and route.name != "theme"  # that is a cookie
    with world.undone() if method not in SAFE else nullcontext():
        response = world.send(person, route, method, thing)
        where = f"{method} {route.pattern} as {person}: {response.status_code}"
        assert response.status_code in good, where
        page = b"" if response.streaming else response.content  # a file is what it is
        assert not [each for each in world.hidden if each in page], where
        assert not must_change or not world.is_unchanged(), f"{where}, and changed nothing"


def assert_refused(world, person, route, method, thing, letter):
    response = world.send(person, route, method, thing)
    where = f"{method} {route.pattern} as {person}: {response.status_code}"
    assert is_refused_like(letter, response), where
    if route.arguments and (letter == "N" or (letter == "F" and person in OUTSIDERS)):
        nothing = world.send(person, route, method, thing, unknown=True)
        assert nothing.status_code == response.status_code, where
        assert bare(nothing) == bare(response), where


@pytest.mark.plan("SEC-A1")
@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("part", PARTS)
def test_methods_without_a_row_are_refused(world, part, person):
    """Those that browsers send, and a seldom one of each page in turn, so that each page meets
    every method."""
    routes = [route for route in page_routes() if part_of(route.name) == part]
    for number, route in enumerate(routes, PEOPLE.index(person)):
        rows = {row_for(route.name, method) for method in METHODS} - {None}
        refusals = {row.cell(person) for row in rows}
        for method in ("GET", "POST", SELDOM[number % len(SELDOM)]):
            if row_for(route.name, method):
                continue
            response = world.send(person, route, method)
            assert response.status_code == 405 or any(
                is_refused_like(letter, response) for letter in refusals & {"L", "F"}
            ), f"{method} {route.pattern} as {person}: {response.status_code}"
    assert world.is_unchanged()


# --- Lists ----------------------------------------------------------------------------


def references_in(response) -> set[str]:
    return set(re.findall(r"CCR-\d{4}-\d{5}", response.text))


@pytest.mark.plan("SEC-A2")
@pytest.mark.plan("SEC-A3")
@pytest.mark.parametrize(
    "person",
    [
        "owner", "other_customer", "participant",
        "agent_assigned", "agent_unassigned", "agent_pool", "agent_owner",
    ],
)  # fmt: skip
def test_lists_show_only_what_one_may_open(world, person):
    """Own, shared, assigned and pool, in every view of every list. Other tickets of an agent's
    customers stand on those tickets' pages alone."""
    client = world.clients[person]
    asker = world.people[person]
    pages = [client.get(f"/tickets/?tab={tab}") for tab in ("open", "resolved", "all", "shared")]
    if asker.is_agent:
        views = ("mine", "waiting", "unassigned", "done", "all")
        pages += [client.get(f"/workspace/?view={view}") for view in views]

    shown = set().union(*map(references_in, pages))

    assert shown == {
        ticket.reference
        for ticket in Ticket.objects.visible_to(asker)
        if ticket.part_of(asker) != Part.EARLIER
    }
    assert bool(shown) == (person not in ("other_customer", "agent_unassigned"))


# --- Sockets --------------------------------------------------------------------------


def socket_row(action, path):
    return next((row for row in SOCKET_ROWS if row.fits(path, action)), None)


def socket_of(world, person, path):
    path = path.replace("*", world.ticket(person, "live").reference)
    return PageSocket(f"/{path}", world.clients[person])


@pytest.mark.plan("SEC-A1")
@pytest.mark.plan("SEC-A4")
@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("row", SOCKET_ROWS, ids=str)
def test_socket(world, row, person, monkeypatch, django_capture_on_commit_callbacks):
    # The connection holds the world, which is in no other.
    monkeypatch.setattr("channels.db.close_old_connections", lambda: None)
    # Only who writes rings, not the watch for what is new in the world.
    monkeypatch.setattr("messaging.live.LOOK_EVERY", 3600)
    letter = row.cell(person)
    act = {"JOIN": join, "BELL": hear_a_bell, "TYPING": type_something}[row.methods[0]]
    if letter != "–":
        answer = async_to_sync(act)(world, row, person, django_capture_on_commit_callbacks)
        assert answer == letter


async def join(world, row, person, committed) -> str:
    socket = socket_of(world, person, row.route)
    code = await socket.open()
    await socket.leave()
    return str(code or "Y")


async def hear_a_bell(world, row, person, committed) -> str:
    def speak():
        ticket = Ticket.objects.get(pk=world.ticket(person, "live").pk)
        say = post_note if row.thing == "note" else post_message
        with committed(execute=True):
            say(ticket, by=world.people["admin"], body="Hello")

    async with socket_of(world, person, row.route) as socket:
        await sync_to_async(speak)()
        return await hears(socket, "bell", row.cell(person))


async def type_something(world, row, person, committed) -> str:
    witness = world.clients["superuser" if person == "admin" else "admin"]
    path = f"/ws/tickets/{world.ticket(person, 'live')}/"
    async with socket_of(world, person, row.route) as socket, PageSocket(path, witness) as other:
        await socket.say({"type": "typing"})
        return await hears(other, "typing", row.cell(person))


async def hears(socket, kind, expected) -> str:
    """Waits long for what should come and a moment for what should not."""
    try:
        await socket.frame(kind, within=PATIENCE if expected == "Y" else 0.1)
    except TimeoutError:
        return "H"
    return "Y"
