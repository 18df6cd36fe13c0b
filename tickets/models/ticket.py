"""The ticket: where it stands, who has it, what is owed and by when."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField

from accounts.models import NAMES, PRIVATE, Role, User
from tickets.wording import desk_day
from tickets.workflow import (
    ENDED,
    LIVE,
    REQUESTER_WORDS,
    Part,
    ResolutionKind,
    Status,
    next_statuses,
)

from .categories import Category, Expertise, Priority
from .feedback import Feedback
from .fields import CategoryField
from .service_levels import SlaPolicy


class ReferenceCounter(models.Model):
    """The last number given in a year. Taking one locks the row, so there are no gaps."""

    year = models.PositiveSmallIntegerField(unique=True)
    last = models.PositiveIntegerField(default=0)

    @classmethod
    def next_reference(cls) -> str:
        """The next number of this year, like CCR-2026-00482. Inside a transaction."""
        year = desk_day().year
        if not cls.objects.filter(year=year).update(last=F("last") + 1):
            cls.objects.get_or_create(year=year)
            cls.objects.filter(year=year).update(last=F("last") + 1)
        return f"CCR-{year}-{cls.objects.get(year=year).last:05d}"


class TicketKind(models.TextChoices):
    """D3-6: not only complaints."""

    COMPLAINT = "complaint", _("Complaint")
    QUESTION = "question", _("Question")
    REQUEST = "request", _("Request")


class Tag(models.Model):
    """A word by which staff find tickets again. Written in small letters."""

    name = models.CharField(_("name"), max_length=50, unique=True)

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering = ["name"]

    def __str__(self):
        return self.name


class TicketQuerySet(models.QuerySet):
    def visible_to(self, user):
        """The tickets ``user`` may open: everyone their own, agents also theirs and the
        unassigned ones of their categories, administrators all, the unapproved none.

        See also ``Ticket.part_of``, the same rule for one row.
        """
        if not (user.is_authenticated and user.is_approved):
            return self.none()
        present = self.filter(deleted_at=None)
        if user.role == Role.ADMIN:
            return present
        own = Q(requester=user)
        if user.role == Role.AGENT:
            pool = Q(pk__in=self.model.objects.pool_of(user).values("pk"))
            return present.filter(own | Q(assignee=user) | pool)
        return present.filter(own)

    def seen_by(self, user, reference: str):
        """The ticket ``reference`` and what ``user`` is to it; (None, None) if they may not see it.

        Asks ``part_of`` about the one row, which is much quicker than ``visible_to`` about all.
        """
        found = self.filter(reference=reference).first()
        part = found.part_of(user) if found else None
        return (found, part) if part else (None, None)

    def assigned_to(self, agent):
        """What ``agent`` works on: the part of ``visible_to`` that lists ask for most."""
        return self.filter(assignee=agent, deleted_at=None)

    def unassigned(self):
        return self.live().filter(assignee=None)

    def pool_of(self, agent):
        """The unassigned tickets ``agent`` may take: those of their team."""
        return self.unassigned().of_team(agent)

    def of_team(self, agent):
        """Of categories ``agent`` knows, or that no agent knows, and never their own."""
        known = Expertise.objects.filter(
            Q(category=OuterRef("pk")) | Q(category=OuterRef("parent"))
        )
        # Judged once for each category, not for each ticket.
        theirs = Category.objects.filter(
            Exists(known.filter(agent=agent)) | ~Exists(known.of_agents())
        )
        return self.filter(category__in=theirs).exclude(requester=agent)

    def live(self):
        return self.filter(status__in=LIVE, deleted_at=None)

    def lately_resolved(self):
        """The newest first; what needs its requester can't be among them, as the index knows."""
        ended = self.filter(status__in=[Status.RESOLVED, Status.CLOSED], needs_requester=False)
        return ended.order_by("-last_event_at", "-pk")

    def with_rating(self):
        """Adds ``rating``, the requester's newest; None if there is none."""
        newest = Feedback.objects.filter(ticket=OuterRef("pk")).order_by("-round")
        return self.annotate(rating=Subquery(newest.values("rating")[:1]))

    def with_people(self):
        """Who has to do with it, and what it is about, in one query."""
        people = self.select_related("requester", "assignee", "category")
        return people.defer(*(f"{who}__{n}" for who in ("requester", "assignee") for n in PRIVATE))

    def for_rows(self):
        """What a row of the workspace's list shows, and no more."""
        return self.select_related("requester", "assignee", "category").only(
            "reference", "subject", "status", "priority", "last_message_by",
            "created_at", "last_event_at", "due_at", "warn_before", "category__name",
            *(f"{who}__{name}" for who in ("requester", "assignee") for name in NAMES),
        )  # fmt: skip

    def for_requester_rows(self):
        """What a row of the requester's list shows, promise included, and no more."""
        return self.select_related("assignee", "status_event__actor").only(
            "reference", "subject", "status", "requester_id", "needs_requester", "created_at",
            "last_event_at", "due_at", "policy", "resolved_at", "closed_at",
            *(f"assignee__{name}" for name in NAMES),
            "status_event__text", "status_event__actor__first_name",
        )  # fmt: skip

    def with_promise(self):
        """What ``promises.promise_of`` reads besides."""
        return self.with_people().select_related("status_event__actor")


class Ticket(models.Model):
    """A registered complaint or query.

    The description, reasons and resolutions are words in the history. What lists need stands
    here, written by the same actions. ``status`` changes in ``tickets.actions`` alone.
    """

    reference = models.CharField(_("number"), max_length=20, unique=True, editable=False)
    requester = models.ForeignKey(
        User, models.PROTECT, related_name="requested_tickets", verbose_name=_("customer")
    )
    assignee = models.ForeignKey(
        User,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="assigned_tickets",
        verbose_name=_("agent"),
    )
    category = models.ForeignKey(Category, models.PROTECT, verbose_name=_("category"))
    kind = models.CharField(
        _("kind"), max_length=10, choices=TicketKind, default=TicketKind.COMPLAINT
    )
    tags = models.ManyToManyField(Tag, blank=True, related_name="tickets", verbose_name=_("tags"))
    subject = models.CharField(_("subject"), max_length=200)
    priority = models.CharField(
        _("priority"), max_length=10, choices=Priority, default=Priority.NORMAL
    )
    against = models.CharField(_("product, shop or person"), max_length=200, blank=True)
    incident_on = models.DateField(_("date of the incident"), null=True, blank=True)
    purchased_on = models.DateField(_("purchase date"), null=True, blank=True)
    contact_phone = PhoneNumberField(_("phone number"), blank=True)

    status = models.CharField(
        _("status"), max_length=10, choices=Status, default=Status.NEW, editable=False
    )
    status_event = models.ForeignKey(
        "TicketEvent", models.PROTECT, null=True, related_name="+", editable=False
    )  # the line that brought the ticket where it stands: who, when, in which words
    needs_requester = models.GeneratedField(
        expression=Q(status=Status.WAITING), output_field=models.BooleanField(), db_persist=True
    )
    resolution_kind = models.CharField(
        _("resolution"), max_length=20, choices=ResolutionKind, blank=True, editable=False
    )
    # By when the next step is owed, whoever owes it: an answer, the requester's reply, the end
    # of a hold, the closing of what is resolved. Nothing is owed once it has ended.
    due_at = models.DateTimeField(_("due"), null=True, editable=False)
    # From when on the time for our answer counts. None while it is not we who owe the next step.
    due_since = models.DateTimeField(null=True, editable=False)
    # The service level: what was promised, by when it must be solved, and how much of that time
    # is left while the clock is stopped. Reckoned in ``tickets.sla`` alone.
    policy = models.ForeignKey(SlaPolicy, models.SET_NULL, null=True, editable=False)
    resolve_by = models.DateTimeField(_("to be solved by"), null=True, editable=False)
    resolve_left = models.DurationField(null=True, editable=False)
    warn_before = models.DurationField(null=True, editable=False)
    # When ``tickets.clockwork`` has to look at it next, and until when it has looked already.
    wakes_at = models.DateTimeField(null=True, editable=False)
    clocked_until = models.DateTimeField(default=timezone.now, editable=False)
    stuck_since = models.DateTimeField(null=True, editable=False)  # the clock fails with it
    # When it last came to whoever may take it. Says nothing while somebody has it.
    pooled_at = models.DateTimeField(default=timezone.now, editable=False)
    created_at = models.DateTimeField(_("raised"), default=timezone.now, editable=False)
    last_event_at = models.DateTimeField(_("updated"), default=timezone.now, editable=False)
    last_message_by = models.CharField(max_length=10, choices=Part, editable=False, blank=True)
    message_count = models.PositiveIntegerField(default=0, editable=False)
    first_responded_at = models.DateTimeField(null=True, editable=False)
    resolved_at = models.DateTimeField(null=True, editable=False)
    closed_at = models.DateTimeField(null=True, editable=False)
    reopen_count = models.PositiveSmallIntegerField(default=0, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    event_count = models.PositiveIntegerField(default=0, editable=False)
    head_digest = models.CharField(max_length=64, blank=True, editable=False)
    # The one-time key of the draft this came from: the same draft makes one ticket only.
    draft_key = models.UUIDField(null=True, unique=True, editable=False)

    objects = TicketQuerySet.as_manager()

    class Meta:
        verbose_name = _("ticket")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=ENDED) | Q(due_at__isnull=False), name="ticket_promises"
            ),
            models.CheckConstraint(
                condition=Q(assignee=None) | ~Q(assignee=F("requester")),
                name="nobody_works_on_their_own_ticket",
            ),
        ]
        indexes = [
            models.Index(
                F("requester"),
                F("needs_requester").desc(),
                F("last_event_at").desc(),
                F("id").desc(),
                name="ticket_of_requester",
            ),
            models.Index(  # what the list opens with: the few live ones among many
                F("requester"),
                F("needs_requester").desc(),
                F("last_event_at").desc(),
                F("id").desc(),
                condition=Q(status__in=LIVE),
                name="ticket_live_of_requester",
            ),
            models.Index(
                fields=["assignee", "due_at", "id"],
                condition=Q(status__in=LIVE),
                name="ticket_live_of_assignee",
            ),
            models.Index(
                F("assignee"),
                F("last_event_at").desc(),
                F("id").desc(),
                name="ticket_of_assignee",
            ),
            models.Index(
                fields=["created_at", "id"],
                condition=Q(status__in=LIVE, assignee=None),
                name="ticket_unassigned",
            ),
            models.Index(
                fields=["status", "due_at"],
                condition=Q(status__in=LIVE),
                name="ticket_live",
            ),
            models.Index(
                fields=["due_at", "id"],
                condition=Q(status__in=LIVE),
                name="ticket_live_by_due",
            ),
            models.Index(
                fields=["wakes_at", "id"],
                condition=Q(wakes_at__isnull=False, deleted_at=None),
                name="ticket_wakes",
            ),
            models.Index(
                fields=["stuck_since"],
                condition=Q(stuck_since__isnull=False),
                name="ticket_stuck",
            ),
            models.Index(fields=["created_at"], name="ticket_created"),
            models.Index(
                fields=["resolved_at"],
                condition=Q(resolved_at__isnull=False),
                name="ticket_resolved",
            ),
        ]

    def __str__(self):
        return self.reference

    def get_absolute_url(self):
        return reverse("messaging:ticket", args=[self.reference])

    @property
    def workspace_url(self):
        return reverse("messaging:workspace_ticket", args=[self.reference])

    def url_for(self, user):
        """The page on which ``user`` meets this ticket."""
        if user.pk == self.requester_id:
            return self.get_absolute_url()
        return self.workspace_url

    @cached_property
    def description(self) -> str:
        """What the requester wrote when raising it: the words of line 1."""
        return self.events.get(number=1).text

    @cached_property
    def details(self) -> list[CategoryField]:
        """What its category asks besides, with the answers."""
        return list(CategoryField.objects.of(self))

    @property
    def details_for_requester(self) -> list[CategoryField]:
        return [detail for detail in self.details if detail.is_for_requester and detail.answer]

    def part_of(self, user) -> Part | None:
        """What ``user`` is to this ticket; None: it does not exist for them.

        See also ``TicketQuerySet.visible_to``, the same rule for sets.
        """
        if not (user.is_authenticated and user.is_approved) or self.deleted_at:
            return None
        if user.pk == self.requester_id:
            return Part.REQUESTER  # and nothing more, whatever their role
        if user.role == Role.ADMIN:
            return Part.ADMIN
        if user.role == Role.AGENT:
            if user.pk == self.assignee_id:
                return Part.ASSIGNEE
            if Ticket.objects.pool_of(user).filter(pk=self.pk).exists():
                return Part.POOL
        return None

    def next_statuses(self, user) -> list[Status]:
        moves = next_statuses(self.status, self.part_of(user))
        if self.part_of(user) == Part.REQUESTER and not self.may_be_reopened:
            moves = [to for to in moves if to != Status.OPEN]
        return moves

    @property
    def is_live(self):
        return self.status in LIVE

    @property
    def awaits_answer(self):
        """The requester had the last word."""
        return self.last_message_by == Part.REQUESTER and self.is_live

    @property
    def is_chat_open(self):
        return self.status not in ENDED

    @property
    def words_for_requester(self):
        return REQUESTER_WORDS[Status(self.status)]

    @property
    def moved_by(self) -> str:
        """Who brought it where it stands, as its requester calls them."""
        mover = self.status_event.actor
        return mover.first_name if mover else str(_("The registry"))

    @property
    def closes_at(self):
        """When it closes by itself: it was resolved, and nobody wrote since."""
        is_silent = self.status == Status.RESOLVED and settings.CLOSE_AFTER_DAYS
        return self.due_at if is_silent else None

    @property
    def reopen_until(self):
        """Until when the requester may open it again; None if that makes no sense now."""
        ended_at = self.closed_at or self.resolved_at
        if self.status not in (Status.RESOLVED, Status.CLOSED) or ended_at is None:
            return None
        until = ended_at + timedelta(days=settings.REOPEN_DAYS)
        # As long as it is not closed, whose reminder says that it can be opened again.
        return max(until, self.due_at) if self.status == Status.RESOLVED else until

    @property
    def may_be_reopened(self):
        return self.reopen_until is not None and timezone.now() <= self.reopen_until

    def waiting_call(self):
        """The call the requester asked for, or None."""
        return self.call_requests.filter(called_at=None).first()

    @property
    def newest_feedback(self):
        """The requester's last rating, or None; what has never ended has none to look for."""
        if not (self.resolved_at or self.closed_at or self.reopen_count):
            return None
        return self.feedback.order_by("-round").first()

    @property
    def may_be_rated(self):
        """Resolved or closed, lately, and not rated since it was last opened."""
        ended_at = self.resolved_at or self.closed_at
        return (
            self.status in (Status.RESOLVED, Status.CLOSED)
            and ended_at is not None
            and timezone.now() <= ended_at + timedelta(days=settings.RATING_DAYS)
            and not self.feedback.filter(round=self.reopen_count).exists()
        )
