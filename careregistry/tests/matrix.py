"""``permissions.yaml`` and everybody and everything it speaks of."""

import re
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache

import yaml
from django.apps import apps
from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse
from django.utils import timezone

from accounts.models import Application, Role, Standing, User
from accounts.tests.factories import PASSWORD, make_admin, make_agent, make_user
from messaging.actions import post_message, post_note
from messaging.routing import websocket_urlpatterns
from notifications import outbox
from notifications.models import OutgoingMail
from tickets import actions
from tickets.models import (
    Attachment,
    Category,
    DaySummary,
    Expertise,
    Feedback,
    Ticket,
    TicketDraft,
)
from tickets.tests.factories import make_category, make_ticket
from tickets.workflow import ResolutionKind, Status

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
SAFE = {"GET", "HEAD", "OPTIONS"}
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
        for method in row.methods
        if row.fits(route.name, method) and (row.thing or row_for(route.name, method) is row)
    ]


# --- The world --------------------------------------------------------------------

UNKNOWN = {"reference": "CCR-2026-99999", "pk": uuid.UUID(int=0), "object_id": 999_999}

TICKET_FORM = {
    "subject": "Lamp arrived broken",
    "description": "The glass is in pieces.",
    "priority": "normal",
}


def text_file(name="bill.txt"):
    return SimpleUploadedFile(name, b"Paid in full.", content_type="text/plain")


class World:
    """One person for each column, with a ticket in each state for whoever has one."""

    def __init__(self, media_root):
        self.media_root = media_root
        self.category = make_category("Faulty product", team_name="Returns team")
        self.spare_category = make_category("Spare")
        self.people = self._people()
        self.anyone = make_user("Nobody")  # whom no column is about
        self._tickets()
        self._records()
        self.clients = {name: self._sign_in(name) for name in PEOPLE}
        self._drafts()
        self.rows = snapshot()

    def _people(self):
        pending = {"standing": Standing.PENDING}
        people = {
            "owner": make_user("Alice"),
            "other_customer": make_user("Carol"),
            "pending_agent": make_user("Pete", role=Role.AGENT, **pending),
            "pending_admin": make_user("Paula", role=Role.ADMIN, **pending),
            "declined": make_user("Dora", role=Role.ADMIN, standing=Standing.DECLINED),
            "suspended": make_agent("Sam"),
            "deleted": make_admin("Dina"),
            "agent_assigned": make_agent("Bob"),
            "agent_unassigned": make_agent("Dave"),
            "agent_pool": make_agent("Erin"),
            "agent_owner": make_agent("Fred"),
            "admin": make_admin("Ada"),
            "admin_owner": make_admin("Ruth"),
            "superuser": make_admin("Sue", is_superuser=True),
        }
        Expertise.objects.create(agent=people["agent_pool"], category=self.category)
        for name in ("pending_agent", "pending_admin"):
            Application.objects.create(applicant=people[name], role=people[name].role)
        return people

    def _tickets(self):
        """For each owner: with an agent and live, resolved and closed, and without an agent."""
        states = {"live": Status.OPEN, "resolved": Status.RESOLVED, "closed": Status.CLOSED}
        self.tickets = {}
        for owner in ("owner", "agent_owner", "admin_owner"):
            for state, status in states.items():
                self._raise(owner, state, assignee=self.people["agent_assigned"], status=status)
            self._raise(owner, "unassigned")

    def _raise(self, owner, state, status=None, **fields):
        requester, boss = self.people[owner], self.people["admin"]
        live = make_ticket(requester, category=self.category, by=boss, **fields)
        files = {
            "public": self._with_file(post_message, live, requester),
            "note": self._with_file(post_note, live, boss),
        }
        if status == Status.RESOLVED:
            solved = {"text": "Replaced it.", "resolution": ResolutionKind.REPLACED}
            actions.change_status(live, Status.RESOLVED, by=boss, **solved)
        elif status == Status.CLOSED:
            actions.change_status(live, Status.CLOSED, by=requester)
        self.tickets[owner, state] = (live, files)

    def _with_file(self, say, ticket, by):
        key = uuid.uuid4()
        file = Attachment.objects.create(
            uploader=by, draft_key=key, name="bill.txt", content_type="text/plain", size=4,
            file=ContentFile(b"Paid", name="bill.txt"),
        )  # fmt: skip
        say(ticket, by=by, body="Here is the bill.", key=key)
        return file

    def _records(self):
        """One row at least of everything the console shows."""
        ticket = self.ticket("owner", "live")
        self.chosen = {User: self.anyone, Ticket: ticket, Category: self.spare_category}
        TicketDraft.objects.create(owner=self.anyone)
        Feedback.objects.create(ticket=ticket, rating=4, round=7)
        DaySummary.objects.create(day=timezone.localdate())
        LogEntry.objects.create(
            user=self.people["admin"], action_flag=CHANGE, object_repr="x", object_id=ticket.pk,
            content_type=ContentType.objects.get_for_model(ticket),
        )  # fmt: skip
        outbox.address_notifications()

    def _sign_in(self, name):
        client = Client()
        person = self.people.get(name)
        if person:
            client.force_login(person)
        # These were let in once. Their session is still there when the door shuts.
        if name == "suspended":
            person.standing = Standing.SUSPENDED
            person.save()
        elif name == "deleted":
            person.deleted_at = timezone.now()
            person.save()
        return client

    def _drafts(self):
        """Everybody who may has begun a ticket of their own."""
        form = TICKET_FORM | {"category": self.category.pk}
        for client in self.clients.values():
            client.post(reverse("tickets:new"), form)

    # --- What a request is about ------------------------------------------------

    def ticket(self, person, state):
        """The ticket that ``person``'s column is about."""
        if person == "agent_pool" and state == "live":
            state = "unassigned"
        owner = person if (person, state) in self.tickets else "owner"
        return self.tickets[owner, state][0]

    def file(self, person, of):
        state = "unassigned" if person == "agent_pool" else "live"
        owner = person if (person, state) in self.tickets else "owner"
        return self.tickets[owner, state][1][of]

    def kwargs(self, person, route, thing) -> dict:
        """What stands in the address."""
        known = {
            "reference": lambda: self.ticket(person, state_for(route.name, thing)).reference,
            "pk": lambda: self.file(person, "note" if thing == "note" else "public").pk,
            "object_id": lambda: self._record(route, thing).pk,
            "content_type_id": lambda: ContentType.objects.get_for_model(Category).pk,
            "app_label": lambda: "tickets",
            "url": lambda: "nothing/here/",
        }
        return {name: known[name]() for name in route.arguments}

    def _record(self, route, thing):
        """What an address of the console is about, whoever asks."""
        if thing == "administrator":
            return self.people["declined"]
        if thing == "own":
            return self.ticket("admin_owner", "live")
        kind = re.match(r"admin/(\w+)/(\w+)/", route.pattern)
        model = apps.get_model(*kind.groups()) if kind else Category
        return self.chosen.get(model) or model._default_manager.order_by("pk").first()

    def form(self, person, name, thing) -> dict | None:
        """What somebody with every right would send to change rows, if anything."""
        make = FORMS.get((name, thing)) or FORMS.get(name)
        return make(self, person) if make else None

    def send(self, person, route, method, thing="", *, unknown=False, **headers):
        """The answer to one request. ``unknown``: the same about something that does not exist."""
        kwargs = self.kwargs(person, route, thing)
        if unknown:
            kwargs |= {name: UNKNOWN[name] for name in kwargs.keys() & UNKNOWN.keys()}
        client = Client()
        client.cookies = self.clients[person].cookies.copy()
        data = {"data": self.form(person, route.name, thing) or {}} if method == "POST" else {}
        response = getattr(client, method.lower())(route.path(**kwargs), **data, headers=headers)
        if response.streaming:
            response.getvalue()  # which closes the file
        return response

    @contextmanager
    def undone(self):
        """Whatever happens in here has not happened afterwards."""
        with transaction.atomic():
            yield
            transaction.set_rollback(True)
        for path in set(kept_files()) - set(self.rows["files"]):
            path.unlink()

    def is_unchanged(self) -> bool:
        return snapshot() == self.rows


# Some verbs only make sense in one state.
STATES = {
    "messaging:reopen": "closed",
    "messaging:rate": "resolved",
    "tickets:take": "unassigned",
}


def state_for(name, thing) -> str:
    return {"closed": "closed", "reopening": "closed"}.get(thing) or STATES.get(name, "live")


def _draft_key(world, person):
    draft = world.people.get(person) and world.people[person].ticket_drafts.first()
    return {"key": str(draft.key if draft else uuid.uuid4())}


def _message(world, person):
    return {"body": "A word", "key": str(uuid.uuid4()), "kind": "reply"}


def _new_ticket(world, person):
    return TICKET_FORM | {"category": world.category.pk, "subject": "Another lamp"}


FORMS = {
    "theme": lambda world, person: {"theme": "dark"},
    "account_login": lambda world, person: {"login": world.anyone.email, "password": PASSWORD},
    "account_signup": lambda world, person: {
        "role": "customer", "first_name": "John", "last_name": "Doe", "email": "j@example.org",
        "password1": PASSWORD, "password2": PASSWORD,
    },
    "account_change_password": lambda world, person: {
        "oldpassword": PASSWORD, "password1": "four quite small words",
        "password2": "four quite small words",
    },
    "account_reset_password": lambda world, person: {"email": world.anyone.email},
    "tickets:new": _new_ticket,
    "tickets:save_draft": _new_ticket,
    "tickets:draft_files": lambda world, person: {"attachments": [text_file()]},
    "tickets:review": _draft_key,
    ("tickets:review", "draft of another"): lambda world, person: _draft_key(world, "owner"),
    "tickets:take": lambda world, person: {},
    "tickets:hand_over": lambda world, person: {"agent": world.people["agent_unassigned"].pk},
    "tickets:classify": lambda world, person: {
        "priority": "urgent", "category": world.spare_category.pk,
    },
    "messaging:reply": _message,
    "messaging:write": _message,
    ("messaging:write", "note"): lambda world, person: _message(world, person) | {"kind": "note"},
    "messaging:close": lambda world, person: {},
    "messaging:withdraw": lambda world, person: {},
    "messaging:reopen": lambda world, person: {},
    "messaging:rate": lambda world, person: {"rating": "5", "comment": "Quick."},
    "messaging:move": lambda world, person: {"status": "waiting"},
    ("messaging:move", "closing"): lambda world, person: {"status": "closed"},
    ("messaging:move", "reopening"): lambda world, person: {"status": "open"},
    ("messaging:move", "withdrawing"): lambda world, person: {"status": "withdrawn"},
    "admin:accounts_user_add": lambda world, person: {
        "first_name": "New", "last_name": "Agent", "email": "new@example.org", "role": "agent",
        "password1": PASSWORD, "password2": PASSWORD,
    },
    "admin:accounts_user_change": lambda world, person: {"first_name": "Renamed"},
    "admin:accounts_user_bin": lambda world, person: {},
    "admin:accounts_application_accept": lambda world, person: {},
    "admin:accounts_application_decline": lambda world, person: {"reason": "We know nobody so."},
    ("admin:accounts_application_changelist", "approve"): lambda world, person: {
        "action": "accept_selected", "answered": "yes",
        "_selected_action": Application.objects.pending().values_list("pk", flat=True),
    },
    "admin:tickets_category_add": lambda world, person: {
        "name": "New", "team_name": "New team", "position": 1, **INLINES,
    },
    "admin:tickets_category_change": lambda world, person: {
        "name": "Renamed", "team_name": "New team", "position": 1, **INLINES,
    },
    "admin:tickets_category_delete": lambda world, person: {"post": "yes"},
    "admin:tickets_ticket_assign": lambda world, person: {
        "agent": world.people["agent_unassigned"].pk, "seen": world.people["agent_assigned"].pk,
    },
    "admin:tickets_ticket_move": lambda world, person: {"status": "waiting"},
    "admin:tickets_ticket_classify": lambda world, person: {
        "priority": "urgent", "category": world.spare_category.pk,
    },
    "admin:tickets_ticket_bin": lambda world, person: {},
    ("admin:tickets_ticket_changelist", "assign"): lambda world, person: {
        "action": "assign_selected", "answered": "yes",
        "agent": world.people["agent_unassigned"].pk,
        "_selected_action": [world.ticket("owner", "unassigned").pk],
    },
    ("admin:notifications_outgoingmail_changelist", "send again"): lambda world, person: {
        "action": "send_again",
        "_selected_action": OutgoingMail.objects.values_list("pk", flat=True)[:2],
    },
}  # fmt: skip

INLINES = {f"experts-{name}_FORMS": 0 for name in ("TOTAL", "INITIAL", "MIN_NUM", "MAX_NUM")}

# Django keeps these for itself: a visit may write to the first, nobody to the others.
NOT_OURS = {Session, ContentType, Permission, Group}


def snapshot() -> dict[str, list]:
    """All rows of the product, and the names of the files it keeps."""
    rows = {
        model._meta.label: list(model._base_manager.order_by("pk").values_list())
        for model in apps.get_models()
        if model not in NOT_OURS and not model._meta.proxy
    }
    return rows | {"files": kept_files()}


def kept_files() -> list:
    return sorted(path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file())
