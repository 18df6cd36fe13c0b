"""The ticket, its numbered history and what belongs to both."""

import secrets
import uuid
from datetime import timedelta

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, F, IntegerField, OuterRef, Q, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField

from accounts.models import Role, User

from .workflow import ENDED, LIVE, REQUESTER_WORDS, Part, ResolutionKind, Status, next_statuses


class CappedCount(Subquery):
    """Counts the rows of a sliced subquery, so that no page counts a whole table.

    ``CappedCount(Ticket.objects.filter(assignee=OuterRef("pk")).values("pk")[:100])``
    """

    template = "(SELECT COUNT(*) FROM (%(subquery)s) capped)"
    output_field = IntegerField()


class CategoryQuerySet(models.QuerySet):
    def active(self):
        return self.filter(is_active=True)


class Category(models.Model):
    """What a complaint is about. Its experts are the team that works it."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    parent = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="children",
        verbose_name=_("part of"),
    )
    team_name = models.CharField(
        _("team name"), max_length=100, help_text=_("What customers read, for example Returns team")
    )
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Only active categories are offered on the form")
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    objects = CategoryQuerySet.as_manager()

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        ordering = ["position", "name"]
        constraints = [
            models.CheckConstraint(condition=~Q(pk=F("parent")), name="category_not_its_own_parent")
        ]

    def __str__(self):
        return self.name


class Expertise(models.Model):
    """An agent knows a category, and the ones below it."""

    class Level(models.IntegerChoices):
        BASIC = 1, _("Basic")
        GOOD = 2, _("Good")
        EXPERT = 3, _("Expert")

    agent = models.ForeignKey(
        User, models.CASCADE, related_name="expertise", limit_choices_to={"role": Role.AGENT}
    )
    category = models.ForeignKey(Category, models.CASCADE, related_name="experts")
    level = models.PositiveSmallIntegerField(_("level"), choices=Level, default=Level.GOOD)

    class Meta:
        verbose_name = _("expertise")
        verbose_name_plural = _("expertise")
        constraints = [models.UniqueConstraint(fields=["agent", "category"], name="expertise_once")]

    def __str__(self):
        return f"{self.agent}: {self.category} ({self.get_level_display()})"


class ReferenceCounter(models.Model):
    """The last number given in a year. Taking one locks the row, so there are no gaps."""

    year = models.PositiveSmallIntegerField(unique=True)
    last = models.PositiveIntegerField(default=0)

    @classmethod
    def next_reference(cls) -> str:
        """The next number of this year, like CCR-2026-00482. Inside a transaction."""
        year = timezone.localdate().year
        if not cls.objects.filter(year=year).update(last=F("last") + 1):
            cls.objects.get_or_create(year=year)
            cls.objects.filter(year=year).update(last=F("last") + 1)
        return f"CCR-{year}-{cls.objects.get(year=year).last:05d}"


class Priority(models.TextChoices):
    LOW = "low", _("Low")
    NORMAL = "normal", _("Normal")
    HIGH = "high", _("High")
    URGENT = "urgent", _("Urgent")


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

    def unassigned(self):
        return self.live().filter(assignee=None)

    def pool_of(self, agent):
        """The unassigned tickets ``agent`` may take: of categories they know, or that nobody
        knows, and never their own."""
        orphaned = ~Exists(
            Expertise.objects.filter(
                Q(category=OuterRef("category")) | Q(category=OuterRef("category__parent"))
            )
        )
        mine = Category.objects.filter(
            Q(experts__agent=agent) | Q(parent__experts__agent=agent)
        ).values("pk")
        return self.unassigned().filter(Q(category__in=mine) | orphaned).exclude(requester=agent)

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
        """What a row of a list shows, in one query."""
        return self.select_related("requester", "assignee", "category", "status_event__actor")


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
    def is_chat_open(self):
        return self.status not in ENDED

    @property
    def words_for_requester(self):
        return REQUESTER_WORDS[Status(self.status)]

    @property
    def reopen_until(self):
        """Until when the requester may open it again; None if that makes no sense now."""
        ended_at = self.closed_at or self.resolved_at
        if self.status not in (Status.RESOLVED, Status.CLOSED) or ended_at is None:
            return None
        return ended_at + timedelta(days=settings.REOPEN_DAYS)

    @property
    def may_be_reopened(self):
        return self.reopen_until is not None and timezone.now() <= self.reopen_until

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


class Audience(models.TextChoices):
    EVERYONE = "everyone", _("Everyone on the ticket")
    STAFF = "staff", _("Staff only")


class TicketEventQuerySet(models.QuerySet):
    def visible_to(self, user):
        """The lines ``user`` may read. Staff-only lines are for those who work on the ticket:
        its requester never sees them, whatever their role."""
        lines = self.filter(ticket__in=Ticket.objects.visible_to(user).values("pk"))
        if user.is_authenticated and user.role in (Role.AGENT, Role.ADMIN):
            return lines.filter(Q(audience=Audience.EVERYONE) | ~Q(ticket__requester=user))
        return lines.filter(audience=Audience.EVERYONE)

    def update(self, **kwargs):
        raise TypeError("History lines are never changed.")

    def delete(self):
        raise TypeError("History lines are never removed.")


class TicketEvent(models.Model):
    """One numbered line of a ticket's history. Written by ``history.write`` and never changed.

    ``data`` holds ids, codes, numbers and dates only; human words stand in ``text``, and the
    digest covers their salted hash, so that words can be erased by law and the chain still holds.
    """

    class Kind(models.TextChoices):
        RAISED = "raised", _("Raised")
        ASSIGNED = "assigned", _("Assigned")
        STATUS = "status", _("Status changed")
        MESSAGE = "message", _("Message")
        NOTE = "note", _("Internal note")
        CLASSIFIED = "classified", _("Priority or category changed")
        RATED = "rated", _("Rated")
        BINNED = "binned", _("Deleted")
        RESTORED = "restored", _("Restored")

    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="events")
    number = models.PositiveIntegerField(_("line"))
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    actor = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", verbose_name=_("by")
    )
    at = models.DateTimeField(_("at"), default=timezone.now)
    audience = models.CharField(
        _("audience"), max_length=10, choices=Audience, default=Audience.EVERYONE
    )
    data = models.JSONField(default=dict, blank=True)
    text = models.TextField(_("words"), blank=True)
    salt = models.CharField(max_length=32, blank=True)
    words_hash = models.CharField(max_length=64, blank=True)
    digest = models.CharField(max_length=64)
    # The one-time key of the form that wrote this: the same key writes one line only.
    key = models.UUIDField(null=True)

    objects = TicketEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("history line")
        ordering = ["ticket", "number"]
        constraints = [
            models.UniqueConstraint(fields=["ticket", "number"], name="event_number_once"),
            models.UniqueConstraint(
                fields=["ticket", "key"], condition=Q(key__isnull=False), name="event_key_once"
            ),
        ]

    def __str__(self):
        return f"{self.ticket} line {self.number}"

    def save(self, **kwargs):
        if not self._state.adding:
            raise TypeError("History lines are never changed.")
        super().save(**kwargs)

    def delete(self, **kwargs):
        raise TypeError("History lines are never removed.")


def attachment_path(attachment, filename) -> str:
    """An unguessable name outside the web root; the person's own name stays in the row."""
    token = secrets.token_hex(20)
    return f"{token[:2]}/{token[2:]}"


class AttachmentQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Files follow their line; one not sent yet belongs to whoever uploaded it."""
        sent = Q(event__in=TicketEvent.objects.visible_to(user).values("pk"))
        if user.is_authenticated and user.is_approved:
            return self.filter(sent | Q(event=None, uploader=user))
        return self.none()

    def waiting_in(self, draft_key, user):
        return self.filter(event=None, draft_key=draft_key, uploader=user).order_by("created_at")


class Attachment(models.Model):
    """A file that came with a line, or that waits in a draft for its line."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    event = models.ForeignKey(TicketEvent, models.PROTECT, null=True, related_name="attachments")
    uploader = models.ForeignKey(User, models.PROTECT, related_name="+")
    draft_key = models.UUIDField(null=True, db_index=True)
    file = models.FileField(upload_to=attachment_path, max_length=100)
    name = models.CharField(_("name"), max_length=255)
    content_type = models.CharField(_("type"), max_length=100)
    size = models.PositiveIntegerField(_("size"))
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(_("added"), default=timezone.now)

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("attachment")

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return reverse("tickets:attachment", args=[self.pk])

    @property
    def icon(self):
        kinds = {"image": "file-earmark-image", "video": "file-earmark-play"}
        if self.content_type == "application/pdf":
            return "file-earmark-pdf"
        return kinds.get(self.content_type.split("/")[0], "file-earmark-text")


class TicketDraft(models.Model):
    """A ticket somebody is still writing. Visitors keep the key in their session."""

    key = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(User, models.CASCADE, null=True, related_name="ticket_drafts")
    fields = models.JSONField(default=dict)  # as typed, checked again at every step
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("ticket draft")
        indexes = [models.Index(fields=["updated_at"], name="draft_updated")]

    def __str__(self):
        return str(self.fields.get("subject") or _("Untitled"))


class Feedback(models.Model):
    """The requester's rating (CSAT): one for each time a ticket ended."""

    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="feedback")
    round = models.PositiveSmallIntegerField(default=0)  # how often it had been opened again
    rating = models.PositiveSmallIntegerField(
        _("rating"), validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    comment = models.TextField(_("comment"), blank=True)
    agent = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="feedback_received", verbose_name=_("agent")
    )
    created_at = models.DateTimeField(_("given"), default=timezone.now)

    class Meta:
        verbose_name = _("feedback")
        verbose_name_plural = _("feedback")
        constraints = [
            models.UniqueConstraint(fields=["ticket", "round"], name="feedback_once_a_round"),
            models.CheckConstraint(condition=Q(rating__range=(1, 5)), name="feedback_one_to_five"),
        ]
        indexes = [models.Index(fields=["-created_at"], name="feedback_newest")]

    def __str__(self):
        return f"{self.rating} of 5 for {self.ticket}"


class DaySummary(models.Model):
    """What happened on a day, kept by a job so that no page counts the table."""

    day = models.DateField(_("day"), unique=True)
    raised = models.PositiveIntegerField(_("raised"), default=0)
    resolved = models.PositiveIntegerField(_("resolved"), default=0)

    class Meta:
        verbose_name = _("day")
        verbose_name_plural = _("days")
        ordering = ["-day"]

    def __str__(self):
        return str(self.day)
