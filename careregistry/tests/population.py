"""Everybody and everything that ``permissions.yaml`` speaks of."""

import uuid
from datetime import timedelta

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.utils import timezone

from accounts import addresses, invitations, photos, records
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
from accounts.tests.factories import make_admin, make_agent, make_user
from messaging.actions import post_message, post_note
from messaging.inbound import ledger
from messaging.models import AgentAddress, Fate, InboundMail, Mailbox, Reason, SenderRule
from notifications.mail import bounces, outbox
from notifications.models import (
    Circuit,
    Notification,
    Preference,
    PushSubscription,
    Reaching,
    ShortMessage,
    Webhook,
)
from notifications.owing import owe
from notifications.short_messages import browsers
from notifications.tests.telephones import SERVICE
from notifications.webhooks import delivering
from notifications.webhooks import events as webhooks
from tickets import actions
from tickets.improvement import problems
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


class Population:
    """One person for each column, with a ticket in each state for whoever has one."""

    def __init__(self):
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
            Reaching.objects.create(user=person, sms_number="+447400123456")
            digest = browsers.digest_of(f"{SERVICE}/{self._name_of(person)}")
            PushSubscription.objects.create(user=person, digest=digest)
        ShortMessage.objects.create(
            channel="push", recipient=self.anyone, expires_at=timezone.now(), state="failed",
            notification=Notification.objects.filter(recipient=self.people["owner"]).first(),
        )  # fmt: skip
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
        for person in (self.anyone, *self.people.values()):
            owe("welcome", person, cause=f"world:{person.pk}")
        outbox.address_notifications()
        bounces.note_trouble("nobody@example.org", "550 5.1.1 Gone")
        Circuit.objects.create(name="elsewhere", opened_at=timezone.now())

    def _name_of(self, person):
        return next((name for name, each in self.people.items() if each == person), "anyone")

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
