"""``permissions.yaml``, and the routes and sockets that it must speak of."""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache

import pytest
import yaml
from django.conf import settings
from django.urls import URLPattern, get_resolver, reverse

from messaging.routing import websocket_urlpatterns

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
SAFE = {"GET", "HEAD", "OPTIONS"}
# The console has more pages than all the rest, behind one door.
PARTS = ["site", pytest.param("console", marks=pytest.mark.load)]
SELDOM = ("HEAD", "PUT", "PATCH", "DELETE", "OPTIONS")
DOOR = {"F", "L"}  # said before anything is looked up
SOCKET_ACTIONS = ("JOIN", "BELL")  # besides the frames a consumer understands

# Who stands for a column: one person each, but there is more than one way to be shut out.
SHUT = ("declined", "suspended", "deleted")

# --- The file ---------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """``GET POST admin:*_add @thing``: these methods of these routes, asked about that thing."""

    group: str
    methods: tuple[str, ...]
    route: str
    thing: str
    cells: tuple[tuple[str, str], ...]

    def __str__(self):
        methods = ["ANY"] if self.methods == METHODS else self.methods
        return " ".join([*methods, self.route, *(["@" + self.thing] if self.thing else [])])

    def cell(self, person: str) -> str:
        return dict(self.cells)["shut" if person in SHUT else person]

    @property
    def part(self) -> str:
        return part_of(self.route)

    @property
    def pages(self) -> int:
        return len({route.name for route, _method in requests_of(self)})

    def fits(self, route: str, method: str) -> bool:
        return method in self.methods and fnmatchcase(route, self.route)


def _row(group, key, cells, columns):
    words, _, thing = key.partition(" @")
    *methods, route = words.split()
    cells = cells.split()
    assert len(cells) == len(columns), f"{key} has {len(cells)} cells"
    methods = METHODS if methods == ["ANY"] else tuple(methods)
    return Row(group, methods, route, thing, tuple(zip(columns, cells, strict=True)))


def _read():
    file = yaml.safe_load((settings.BASE_DIR / "permissions.yaml").read_text(encoding="utf-8"))
    columns = list(file["columns"])
    rows = [
        _row(group, key, cells, columns)
        for group, table in file["table"].items()
        for key, cells in table.items()
    ]
    return columns, [str(letter) for letter in file["cells"]], rows


COLUMNS, LETTERS, ROWS = _read()
PEOPLE = [person for column in COLUMNS for person in (SHUT if column == "shut" else [column])]
# People of one kind, who take turns where a page answers them alike.
KINDS = [
    [person for person in PEOPLE if person.startswith(kind) or person in more]
    for kind, more in (
        ("anonymous", ()), ("owner", ("other_customer", "participant")), ("pending", ()),
        ("agent", ()), ("admin", ("superuser",)), ("shut", SHUT),
    )
]  # fmt: skip
PAGE_ROWS = [row for row in ROWS if not row.route.startswith("ws/")]
SOCKET_ROWS = [row for row in ROWS if row.route.startswith("ws/")]


# --- The product ------------------------------------------------------------------


@dataclass(frozen=True)
class Route:
    """A route by its name, or by its view's if it has none, and its whole pattern."""

    name: str
    pattern: str
    entry: URLPattern

    def path(self, **kwargs):
        if self.entry.name:
            return reverse(self.name, kwargs=kwargs)
        return "/" + re.sub(r"<\w+:(\w+)>|\(\?P<(\w+)>.*", _filler(kwargs), self.pattern)

    @property
    def arguments(self) -> set[str]:
        return set(self.entry.pattern.converters) | set(self.entry.pattern.regex.groupindex)


def part_of(name: str) -> str:
    return "console" if name.startswith("admin:") else "site"


def _filler(kwargs):
    return lambda match: str(kwargs[match[1] or match[2]])


def _walk(patterns, namespace="", prefix=""):
    for entry in patterns:
        whole = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield Route(namespace + (entry.name or entry.callback.__name__), whole, entry)
        else:
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from _walk(entry.url_patterns, inner, whole)


@cache
def page_routes() -> list[Route]:
    return list(_walk(get_resolver().url_patterns))


def socket_actions() -> set[tuple[str, str]]:
    """What each socket lets one do, as (action, route)."""
    return {
        (action, str(entry.pattern))
        for entry in websocket_urlpatterns
        for action in (
            *SOCKET_ACTIONS,
            *(frame.upper() for frame in entry.callback.consumer_class.understands),
        )
    }


@cache
def row_for(name: str, method: str) -> Row | None:
    """The first row that fits counts; rows about a thing of their own come on top."""
    return next((r for r in PAGE_ROWS if not r.thing and r.fits(name, method)), None)


@cache
def requests_of(row: Row) -> list[tuple[Route, str]]:
    """Each request that ``row`` decides."""
    return [
        (route, method)
        for route in page_routes()
        if fnmatchcase(route.name, row.route)
        for method in row.methods
        if row.thing or row_for(route.name, method) is row
    ]


def requests_by(person: str, row: Row) -> list[tuple[Route, str]]:
    """Those of ``requests_of`` that ``person`` makes.

    In the console people take turns from page to page, with two methods and a seldom one: each
    page meets every answer and every method, and everybody meets each row. Who is let in to a page
    with a row of its own always asks.
    """
    asked = requests_of(row)
    if row.part == "site":
        return asked
    seldom = [method for method in SELDOM if method in row.methods]
    kind = next(number for number, kind in enumerate(KINDS) if person in kind)
    always = row.pages == 1 and row.cell(person) not in DOOR
    return [
        (route, method)
        for route, method in asked
        if (always or is_turn_of(person, row, route))
        and (method not in seldom or seldom[(kind + turn(route)) % len(seldom)] == method)
    ]


def is_turn_of(person: str, row: Row, route: Route) -> bool:
    """Whether ``person`` asks for those whom ``row`` answers alike: at the door of many pages for
    all of them, else for those of their kind."""
    (kind,) = (kind for kind in KINDS if person in kind)
    letter = row.cell(person)
    everybody = [each for each in PEOPLE if row.cell(each) == letter]
    is_before_many = letter in DOOR and row.part == "console" and row.pages >= len(everybody)
    alike = everybody if is_before_many else [each for each in kind if row.cell(each) == letter]
    return alike[turn(route) % len(alike)] == person


@cache
def turn(route: Route) -> int:
    return page_routes().index(route)
