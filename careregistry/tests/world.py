"""What is asked of everybody and everything, and what it changes."""

import os
import re
import uuid
from contextlib import contextmanager
from functools import cache, cached_property

from allauth.usersessions.models import UserSession
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.applications import path_to_apply_again
from accounts.models import Address, Standing, User
from accounts.sign_ins import path_to_dispute
from notifications.mail.unsubscribing import path_to_stop
from notifications.models import Notification, PushSubscription
from tickets.improvement.feedback import path_to_rate
from tickets.models import Category, LinkKind
from tickets.relations import links

from .matrix import PEOPLE
from .population import Population
from .sent import FORMS, TICKET_FORM

UNKNOWN = {
    "reference": "CCR-2026-99999",
    "pk": uuid.UUID(int=0),
    "object_id": 999_999,
    "signed": "1:x",
    "session_id": 999_999,
    "dispute": "1:x",
    "ending": "1:x",
    "choice": "1:x",
    "browser_id": 999_999,
    "rating_id": 999_999,
    "problem_id": 999_999,
    "link_id": 999_999,
    "notification_id": 999_999,
    "address_id": 999_999,
    "photo_key": "0" * 40,
}
ONLY_READS = ("SELECT", "SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT")


class World(Population):
    """The requests of each column, each about what belongs to it."""

    def __init__(self, media_root):
        super().__init__()
        self.media_root = media_root
        self.clients = {name: self._sign_in(name) for name in PEOPLE}
        self._drafts()
        self.rows = snapshot()
        self.was_written_to = False
        self.hidden = self._hidden()

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

    def _hidden(self) -> list[bytes]:
        """What no page may show."""
        hashes = User.objects.values_list("password", flat=True)
        return [each.encode() for each in {*hashes, *self.secrets}]

    # --- What a request is about ------------------------------------------------

    def kwargs(self, person, route, thing) -> dict:
        """What stands in the address."""
        known = {
            "reference": lambda: self.ticket(person, state_for(route.name, thing)).reference,
            "pk": lambda: self.file(person, "note" if "note" in thing else "public", thing).pk,
            "participant_id": lambda: self.people["participant"].pk,
            "object_id": lambda: self._record(route, thing).pk,
            "content_type_id": lambda: ContentType.objects.get_for_model(Category).pk,
            "app_label": lambda: "tickets",
            "signed": lambda: path_to_apply_again(self.old_application).split("/")[-2],
            "address_id": lambda: self._address(person, thing).pk,
            "person_id": lambda: self._pictured(person, thing).pk,
            "photo_key": lambda: "".join(self._pictured(person, thing).photo.name.split("/")[1:]),
            "session_id": lambda: self._session(person, thing).pk,
            "factor_id": lambda: self.factor.pk,
            "dispute": lambda: path_to_dispute(self.sign_in).split("/")[-2],
            "ending": lambda: path_to_rate(self.ticket("owner", "resolved")).split("/")[-2],
            "browser_id": lambda: self._browser(person, thing).pk,
            "choice": lambda: path_to_stop(self.people["owner"], "message").split("/")[-2],
            "rating_id": lambda: self.rating.pk,
            "link_id": lambda: self._link(person, route).pk,
            "notification_id": lambda: self._told(person, thing).pk,
            "problem_id": lambda: (
                (self.mended if route.name == "tickets:reopen_problem" else self.problem).pk
            ),
            "token": lambda: "nobody-was-sent-this",
            "url": lambda: "nothing/here/",
        }
        return {name: known[name]() for name in route.arguments}

    def _link(self, person, route):
        """Made by hand, or by splitting."""
        kind = LinkKind.SPLIT if route.name == "tickets:unsplit" else LinkKind.RELATED
        of_whom = person if (person, "live") in self.tickets else "owner"
        return links.at(self.tickets[of_whom, "live"][0]).get(kind=kind)

    def _address(self, person, thing):
        """The second of this person, which is not used by default, or of somebody else."""
        owner = self.people.get(person) if thing != "of another" else None
        return Address.objects.filter(user=owner or self.anyone, is_default=False).get()

    def _pictured(self, person, thing):
        """An agent with a photo, or a customer who is somebody else."""
        return self.anyone if thing == "of a customer" else self.people["agent_assigned"]

    def _told(self, person, thing):
        """What this person was told of their account, or somebody else."""
        owner = self.people.get(person) if thing != "of another" else None
        return Notification.objects.get(cause=f"world:{(owner or self.anyone).pk}")

    def _session(self, person, thing):
        """Of this person in another browser, or of somebody else."""
        owner = self.people.get(person) if thing != "of another" else None
        return UserSession.objects.get(user=owner or self.anyone)

    def _browser(self, person, thing):
        """In which this person allowed pushes, or somebody else."""
        owner = self.people.get(person) if thing != "of another" else None
        return PushSubscription.objects.get(user=owner or self.anyone)

    def _record(self, route, thing):
        """What an address of the console is about, whoever asks."""
        if thing == "administrator":
            return self.people["declined"]
        if thing == "own":
            return self.ticket("admin_owner", "live")
        if thing == "long in the bin":
            return self.binned
        kind = re.match(r"admin/(\w+)/(\w+)/", route.pattern)
        model = apps.get_model(*kind.groups()) if kind else Category
        return self.chosen.get(model) or model._default_manager.order_by("pk").first()

    def form(self, person, name, thing) -> dict | None:
        """What somebody with every right would send to change rows, if anything."""
        make = FORMS.get((name, thing)) or FORMS.get(name)
        return make(self, person) if make else None

    def browser(self, person, **kinds) -> Client:
        """A browser in which ``person`` has signed in."""
        client = Client(**kinds)
        client.cookies = self.clients[person].cookies.copy()
        if not kinds:
            client.handler = self.clients[person].handler  # it has its middleware already
        return client

    def send(self, person, route, method, thing="", *, unknown=False, browser=None, more=None):
        """The answer to one request.

        ``unknown``: the same about something that does not exist. ``more``: is sent as well.
        """
        kwargs = self.kwargs(person, route, thing)
        if unknown:
            kwargs |= {name: UNKNOWN[name] for name in kwargs.keys() & UNKNOWN.keys()}
        ask = getattr(browser or self.browser(person), method.lower())
        form = {"data": (more or {}) | (self.form(person, route.name, thing) or {})}
        response = ask(route.path(**kwargs), **(form if method == "POST" else {}))
        if response.streaming:
            response.getvalue()  # which closes the file
        return response

    @contextmanager
    def undone(self):
        """Whatever happens in here has not happened afterwards."""
        before = self.was_written_to
        with transaction.atomic():
            yield
            transaction.set_rollback(True)
        self.was_written_to = before
        for path in set(kept_files()) - set(self.rows["files"]):
            os.remove(path)

    def watch(self, execute, sql, params, many, context):
        """Every statement passes here. Where all of them only read, nothing has to be compared."""
        self.was_written_to |= not sql.startswith(ONLY_READS)
        return execute(sql, params, many, context)

    @cached_property
    def known(self) -> dict[type, set]:
        """The keys of all rows, by model."""
        models = apps.get_models()
        return {model: {row[0] for row in self.rows.get(model._meta.label, ())} for model in models}

    def is_unchanged(self) -> bool:
        if self.was_written_to:
            return snapshot() == self.rows
        return kept_files() == self.rows["files"]


# Some verbs only make sense in one state.
STATES = {
    "messaging:reopen": "closed",
    "messaging:rate": "resolved",
    "tickets:take": "unassigned",
    "tickets:drop_call": "to call",
    "tickets:complaint_step": "to call",
    "tickets:complaint_response": "to call",
    "tickets:complaint_codes": "to call",
    "tickets:complaint_level": "to call",
    "tickets:unfollow": "to call",
    "tickets:unmerge": "merged",
    "tickets:unlink_problem": "to call",
}


def state_for(name, thing) -> str:
    things = {
        "closed": "closed",
        "reopening": "closed",
        "asked already": "to call",
        "on its own": "to call",
        "another": "unassigned",
        "merged": "merged",
    }
    return things.get(thing) or STATES.get(name, "live")


# Django keeps these for itself: a visit may write to the first, nobody to the others.
NOT_OURS = {Session, ContentType, Permission, Group}


@cache
def all_tables() -> dict[str, str]:
    """The question for all rows of each of the product's models, asked without the ORM: rows are
    compared, thousands of times."""
    return {
        model._meta.label: str(model._base_manager.order_by("pk").values_list().query)
        for model in apps.get_models()
        if model not in NOT_OURS and not model._meta.proxy
    }


def snapshot() -> dict[str, list]:
    """All rows of the product as the database keeps them, and the names of the files it keeps."""
    rows = {}
    with connection.cursor() as cursor:
        for label, question in all_tables().items():
            cursor.execute(question)
            rows[label] = cursor.fetchall()
    return rows | {"files": kept_files()}


def kept_files() -> list[str]:
    return sorted(
        os.path.join(folder, name)
        for folder, _folders, names in os.walk(settings.MEDIA_ROOT)
        for name in names
    )
