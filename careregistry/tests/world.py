"""Everybody and everything that ``permissions.yaml`` speaks of."""

import os
import re
import uuid
from contextlib import contextmanager
from datetime import timedelta
from functools import cache, cached_property

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import addresses, invitations, photos, records
from accounts.applications import path_to_apply_again
from accounts.models import (
    Address,
    AgentProfile,
    Application,
    DataExport,
    LoginRecord,
    Role,
    Standing,
    User,
)
from accounts.sign_ins import path_to_dispute
from accounts.tests.factories import make_admin, make_agent, make_user
from messaging.actions import post_message, post_note
from messaging.inbound import ledger
from messaging.models import AgentAddress, Fate, InboundMail, Mailbox, Reason, SenderRule
from notifications import outbox
from notifications.models import Preference, Webhook
from notifications.webhooks import delivering
from notifications.webhooks import events as webhooks
from tickets import actions
from tickets.improvement import problems
from tickets.improvement.feedback import path_to_rate
from tickets.models import (
    Attachment,
    Calendar,
    Category,
    ComplaintCode,
    ComplaintTrack,
    Concern,
    Expertise,
    Feedback,
    LinkKind,
    Problem,
    Rule,
    RuleRun,
    SlaPolicy,
    Ticket,
    Tombstone,
)
from tickets.parties import calls, participants
from tickets.relations import links, merging, splitting
from tickets.tests.factories import (
    make_calendar,
    make_category,
    make_code,
    make_policy,
    make_question,
    make_ticket,
    make_track,
)
from tickets.workflow import ResolutionKind, Status

from .matrix import PEOPLE
from .sent import FORMS, TICKET_FORM

UNKNOWN = {
    "reference": "CCR-2026-99999",
    "pk": uuid.UUID(int=0),
    "object_id": 999_999,
    "signed": "1:x",
    "session_id": 999_999,
    "dispute": "1:x",
    "ending": "1:x",
    "rating_id": 999_999,
    "problem_id": 999_999,
    "link_id": 999_999,
    "address_id": 999_999,
    "photo_key": "0" * 40,
}
ONLY_READS = ("SELECT", "SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT")


class World:
    """One person for each column, with a ticket in each state for whoever has one."""

    def __init__(self, media_root):
        self.media_root = media_root
        self.category = make_category("Faulty product", team_name="Returns team")
        self.question = make_question(self.category, "Shelf", is_for_requester=False)
        self.spare_category = make_category("Spare")
        self.people = self._people()
        self.anyone = make_user("Nobody")  # whom no column is about
        self._tickets()
        self._records()
        self._links()
        self._problems()
        self._complaints()
        self.clients = {name: self._sign_in(name) for name in PEOPLE}
        self._drafts()
        self.rows = snapshot()
        self.was_written_to = False

    def _people(self):
        pending = {"standing": Standing.PENDING}
        people = {
            "owner": make_user("Alice"),
            "other_customer": make_user("Carol"),
            "participant": make_user("Dan"),
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
        self.old_application = Application.objects.create(
            applicant=people["declined"], role=Role.ADMIN, decision="declined",
            decided_at=timezone.now() - timedelta(days=40), decided_by=people["admin"],
        )  # fmt: skip
        return people

    def _tickets(self):
        """For each owner: with an agent and live, resolved and closed, and without an agent."""
        states = {"live": Status.OPEN, "resolved": Status.RESOLVED, "closed": Status.CLOSED}
        self.tickets = {}
        for owner in ("owner", "agent_owner", "admin_owner"):
            for state, status in states.items():
                self._raise(owner, state, assignee=self.people["agent_assigned"], status=status)
            self._raise(owner, "unassigned")
            self._raise(owner, "to call", assignee=self.people["agent_assigned"])
            calls.ask_for_call(
                self.ticket(owner, "to call"), by=self.people[owner], phone="+441134960000"
            )
            for staff in ("agent_assigned", "admin", "superuser"):
                participants.follow(self.ticket(owner, "to call"), by=self.people[staff])
        self._raise("owner", "in the bin")
        self.binned = self.ticket("owner", "in the bin")
        actions.bin_ticket(self.binned, by=self.people["admin"])
        self.binned.deleted_at -= timedelta(days=settings.BIN_DAYS)
        self.binned.save()

    def _raise(self, owner, state, status=None, **fields):
        requester, boss = self.people[owner], self.people["admin"]
        live = make_ticket(requester, category=self.category, by=boss, **fields)
        files = {
            "public": self._with_file(post_message, live, requester),
            "note": self._with_file(post_note, live, boss),
        }
        if owner == "owner":
            participants.add(live, self.people["participant"].email, by=boss)
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
        self.chosen = {
            User: self.anyone,
            Ticket: ticket,
            Category: self.spare_category,
            Attachment: self.file("owner", "public"),
        }
        for person in (self.anyone, *self.people.values()):
            for label in ("Home", "Work"):
                lines = {"street": "1 Low Road", "city": "Leeds", "country": "UK"}
                addresses.add(Address(user=person, label=label, **lines))
        for person in (self.anyone, self.people["agent_assigned"]):
            photos.keep(person, b"a photo")
        AgentProfile.objects.create(agent=self.people["agent_assigned"])
        Preference.objects.create(user=self.anyone, kind="welcome", is_wanted=False)
        who = {"email": "ida@example.org", "first_name": "Ida", "last_name": "Iles"}
        invitations.invite(**who, role=Role.AGENT, by=self.people["admin"])
        self.rating = Feedback.objects.create(
            ticket=ticket, rating=4, round=7, improvement="Send a photo of it.",
            agent=self.people["agent_assigned"],
        )  # fmt: skip
        Concern.objects.create(author=self.anyone, text="The letters are small.")
        # No service level uses the first calendar, so it may be deleted.
        self.calendar = make_calendar()
        self.chosen[Calendar] = make_calendar()
        self.chosen[SlaPolicy] = make_policy(calendar=self.calendar, category=self.spare_category)
        # The first rule never acted, so it may be deleted.
        self.chosen[Rule] = Rule.objects.create(name="New one", trigger="raised", note="Look.")
        acted = Rule.objects.create(name="Old one", trigger="raised", note="Look.")
        RuleRun.objects.create(
            rule=acted, ticket=ticket, event=ticket.events.get(number=1), state="done"
        )
        Tombstone.objects.create(
            ticket_pk=0, reference="CCR-2026-00000", lines=[], event_count=0,
            removed_by=self.people["admin"],
        )  # fmt: skip
        LogEntry.objects.create(
            user=self.people["admin"], action_flag=CHANGE, object_repr="x", object_id=ticket.pk,
            content_type=ContentType.objects.get_for_model(ticket),
        )  # fmt: skip
        self.sign_in = LoginRecord.objects.create(user=self.anyone, kind="signed_in")
        records.note(self.anyone, "restored", by=self.people["admin"])
        DataExport.objects.create(
            user=self.anyone, asked_by=self.people["admin"], ready_at=timezone.now(),
            expires_at=timezone.now() + timedelta(days=7),
        )  # fmt: skip
        for person in (self.anyone, *self.people.values()):
            UserSession.objects.create(
                user=person, session_key=f"other-{person.pk}", ip="192.0.2.1", user_agent=""
            )
        self.factor = Authenticator.objects.create(
            user=self.people["declined"], type="totp", data={"secret": ""}
        )
        Authenticator.objects.create(user=self.anyone, type="recovery_codes", data={})
        self.secrets = ["the-word-of-the-mailbox", "the-word-of-its-provider"]
        secret, client_secret = self.secrets
        Mailbox.objects.create(
            name="Care", host="127.0.0.1", port=9, username="care",
            secret=secret, client_secret=client_secret,
        )  # fmt: skip
        SenderRule.objects.create(pattern="spam.example", verdict="block")
        AgentAddress.objects.create(
            address="bob@care.example.net", agent=self.people["agent_assigned"]
        )
        self.held = ledger.store(b"From: nobody\n\nHello", source=InboundMail.Source.PIPE)
        InboundMail.objects.update(fate=Fate.HELD, reason=Reason.NO_SENDER, fingerprint="f")
        webhook = Webhook(name="CRM", url="https://93.184.215.14/", events=[])
        self.secrets += [delivering.new_secret(webhook), webhook.secret]
        webhook.save()
        webhooks.owe_test(webhook)
        outbox.address_notifications()

    def _links(self):
        """Each live ticket has a related one, one split off it and one merged into it."""
        boss = self.people["admin"]
        for owner in ("owner", "agent_owner", "admin_owner"):
            live = self.ticket(owner, "live")
            links.link(live, to=self.ticket(owner, "to call"), kind=LinkKind.RELATED, by=boss)
            again = {"subject": "The lid", "category": self.category}
            splitting.split(live, numbers=[1], by=boss, **again)
            self._raise(owner, "merged")
            merging.merge(self.ticket(owner, "merged"), into=live, by=boss)

    def _link(self, person, route):
        """Made by hand, or by splitting."""
        kind = LinkKind.SPLIT if route.name == "tickets:unsplit" else LinkKind.RELATED
        of_whom = person if (person, "live") in self.tickets else "owner"
        return links.at(self.tickets[of_whom, "live"][0]).get(kind=kind)

    def _problems(self):
        """One behind the tickets whose requesters want to be called, and one that is mended."""
        boss, now = self.people["admin"], timezone.now()
        known = {"owner": boss, "created_by": boss}
        self.problem = Problem.objects.create(title="Batch B-17 stays cold", **known)
        self.mended = Problem.objects.create(
            title="The shop was shut", mended_at=now, mended_by=boss, mended_text="It is open.",
            told_at=now, **known,
        )  # fmt: skip
        for (_owner, state), (ticket, _files) in self.tickets.items():
            if state == "to call":
                problems.link(ticket, self.problem, by=boss)

    def _complaints(self):
        """The tickets whose requesters want to be called are regulated complaints as well."""
        regulated = make_category("Insurance")
        self.track = make_track(regulated)
        self.chosen[ComplaintTrack] = make_track()
        self.codes = {kind: make_code(kind, "known").pk for kind in ("cause", "remedy")}
        self.chosen[ComplaintCode] = make_code("cause", "unused")
        for (_owner, state), (ticket, _files) in self.tickets.items():
            if state == "to call":
                same = {"by": self.people["admin"], "priority": ticket.priority}
                actions.classify(ticket, category=regulated, **same)

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

    def file(self, person, of, thing=""):
        state = "unassigned" if person == "agent_pool" or "another" in thing else "live"
        owner = person if (person, state) in self.tickets else "owner"
        return self.tickets[owner, state][1][of]

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
            "rating_id": lambda: self.rating.pk,
            "link_id": lambda: self._link(person, route).pk,
            "problem_id": lambda: (
                (self.mended if route.name == "tickets:reopen_problem" else self.problem).pk
            ),
            "token": lambda: "nobody-was-sent-this",
            "url": lambda: "nothing/here/",
        }
        return {name: known[name]() for name in route.arguments}

    def _address(self, person, thing):
        """The second of this person, which is not used by default, or of somebody else."""
        owner = self.people.get(person) if thing != "of another" else None
        return Address.objects.filter(user=owner or self.anyone, is_default=False).get()

    def _pictured(self, person, thing):
        """An agent with a photo, or a customer who is somebody else."""
        return self.anyone if thing == "of a customer" else self.people["agent_assigned"]

    def _session(self, person, thing):
        """Of this person in another browser, or of somebody else."""
        owner = self.people.get(person) if thing != "of another" else None
        return UserSession.objects.get(user=owner or self.anyone)

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
