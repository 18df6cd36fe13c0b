"""The ticket: where it stands, who has it, what is owed and by when."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField

from accounts.models import Role, Standing, User
from tickets.wording import desk_day
from tickets.workflow import (
    ENDED,
    LIVE,
    REQUESTER_WORDS,
    SETTLED,
    Part,
    ResolutionKind,
    Status,
    next_statuses,
)

from .calls import CallRequest
from .categories import Category, Priority
from .fields import CategoryField
from .problems import Problem
from .service_levels import SlaPolicy
from .ticket_sets import TicketQuerySet, categories_of_team


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
    # is left while the clock is stopped. Reckoned in ``tickets.promise.sla`` alone.
    policy = models.ForeignKey(SlaPolicy, models.SET_NULL, null=True, editable=False)
    resolve_by = models.DateTimeField(_("to be solved by"), null=True, editable=False)
    resolve_left = models.DurationField(null=True, editable=False)
    warn_before = models.DurationField(null=True, editable=False)
    # When the clock has to look at it next, and until when it has looked already.
    wakes_at = models.DateTimeField(null=True, editable=False)
    clocked_until = models.DateTimeField(default=timezone.now, editable=False)
    stuck_since = models.DateTimeField(null=True, editable=False)  # the clock fails with it
    # When it last came to whoever may take it. Says nothing while somebody has it.
    pooled_at = models.DateTimeField(default=timezone.now, editable=False)
    created_at = models.DateTimeField(_("raised"), default=timezone.now, editable=False)
    last_event_at = models.DateTimeField(_("updated"), default=timezone.now, editable=False)
    last_message_by = models.CharField(max_length=12, choices=Part, editable=False, blank=True)
    message_count = models.PositiveIntegerField(default=0, editable=False)
    first_responded_at = models.DateTimeField(null=True, editable=False)
    resolved_at = models.DateTimeField(null=True, editable=False)
    closed_at = models.DateTimeField(null=True, editable=False)
    reopen_count = models.PositiveSmallIntegerField(default=0, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    # Where its conversation goes on: never itself a merged ticket. Its own lines and facts stay
    # as they are. See ``tickets.relations.merging``.
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="merged", editable=False, db_index=False
    )  # indexed below: SQLite would search an index of all for the many that have none
    problem = models.ForeignKey(
        Problem, models.PROTECT, null=True, related_name="tickets", verbose_name=_("problem"),
        editable=False,
    )  # fmt: skip
    # The next day the law sets, for a complaint of a regulated kind, and from when on to warn.
    # Set as long as its final response is owed.
    legal_due_at = models.DateTimeField(_("due by law"), null=True, editable=False)
    legal_warn_at = models.DateTimeField(null=True, editable=False)

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
            models.CheckConstraint(
                condition=~Q(merged_into=F("pk")), name="ticket_not_merged_into_itself"
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
            models.Index(  # of whose customers their agent reads the other tickets
                fields=["assignee", "requester"],
                condition=~Q(status__in=ENDED),
                name="ticket_in_hand",
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
                F("problem"),
                F("id").desc(),
                condition=Q(problem__isnull=False),
                name="ticket_of_problem",
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
                fields=["merged_into"],
                condition=Q(merged_into__isnull=False),
                name="ticket_merged",
            ),
            models.Index(
                fields=["stuck_since"],
                condition=Q(stuck_since__isnull=False),
                name="ticket_stuck",
            ),
            models.Index(
                fields=["legal_due_at", "id"],
                condition=Q(legal_due_at__isnull=False),
                name="ticket_due_by_law",
            ),
            models.Index(fields=["created_at"], name="ticket_created"),
            models.Index(fields=["last_event_at"], name="ticket_last_event"),
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
    def home(self):
        """Where its conversation is."""
        return self.merged_into or self

    @property
    def workspace_url(self):
        return reverse("messaging:workspace_ticket", args=[self.reference])

    def url_for(self, user):
        """The page on which ``user`` meets this ticket."""
        if user.pk == self.requester_id or user.role == Role.CUSTOMER:
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
        if self.merged_into_id:
            return self.merged_into.part_of(user)
        if not (user.is_authenticated and user.is_approved) or self.deleted_at:
            return None
        if user.pk == self.requester_id:
            return Part.REQUESTER  # and nothing more, whatever their role
        if user.role == Role.ADMIN:
            return Part.ADMIN
        if user.role == Role.AGENT:
            if user.pk == self.assignee_id:
                return Part.ASSIGNEE
            if self._is_in_pool_of(user):
                return Part.POOL
            if Ticket.objects.in_hand_of(user).filter(requester=self.requester_id).exists():
                return Part.EARLIER
            return None
        # All of them, which are few: whoever asks for many tickets has them prefetched.
        if any(user.pk == each.person_id for each in self.participants.all()):
            return Part.PARTICIPANT
        return None

    def part_by_mail(self, person) -> Part | None:
        """As ``part_of``, where what came from their mailbox is proof enough: whoever never signed
        up is the requester of what they mailed."""
        is_known_by_mail = person.standing == Standing.UNCLAIMED and not person.deleted_at
        if is_known_by_mail and person.pk == self.requester_id and not self.deleted_at:
            return Part.REQUESTER
        return self.part_of(person)

    def _is_in_pool_of(self, agent) -> bool:
        """See also ``TicketQuerySet.pool_of``, the same for sets; they are not its requester."""
        waits = self.assignee_id is None and self.is_live
        return waits and categories_of_team(agent).filter(pk=self.category_id).exists()

    def next_statuses(self, user) -> list[Status]:
        part = self.part_of(user)
        moves = next_statuses(self.status, part)
        if part == Part.REQUESTER and not self.may_be_reopened:
            moves = [to for to in moves if to != Status.OPEN]
        if part != Part.REQUESTER and self.legal_due_at:
            moves = [to for to in moves if to not in SETTLED]
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
        asked_on = Ticket.objects.going_on_in(self)
        return CallRequest.objects.filter(ticket__in=asked_on, called_at=None).first()

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
