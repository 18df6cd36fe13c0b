"""How somebody comes to work here: by asking, or by being asked."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .people import Role, User

STAFF_ROLES = [(role.value, role.label) for role in (Role.AGENT, Role.ADMIN)]


class ApplicationQuerySet(models.QuerySet):
    def pending(self):
        return self.filter(decided_at=None).order_by("created_at")

    def open_of(self, person) -> "Application | None":
        return self.pending().filter(applicant=person).first()

    def newest_of(self, person) -> "Application | None":
        return self.filter(applicant=person).order_by("-pk").first()


class Application(models.Model):
    """Somebody asks to become an agent or an administrator. Decided once, by an administrator."""

    class Decision(models.TextChoices):
        ACCEPTED = "accepted", _("Accepted")
        DECLINED = "declined", _("Declined")
        EXPIRED = "expired", _("Expired")  # by the clock, as nobody decided in time

    applicant = models.ForeignKey(User, models.PROTECT, related_name="applications")
    role = models.CharField(_("role"), max_length=10, choices=STAFF_ROLES)
    why = models.TextField(_("why"), blank=True, max_length=2000)
    created_at = models.DateTimeField(_("asked"), default=timezone.now)
    decision = models.CharField(_("decision"), max_length=10, choices=Decision, blank=True)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decided_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="decided_applications"
    )
    reason = models.TextField(_("reason"), blank=True, max_length=2000)

    objects = ApplicationQuerySet.as_manager()

    class Meta:
        verbose_name = _("role request")
        constraints = [
            models.UniqueConstraint(
                fields=["applicant"],
                condition=Q(decided_at=None),
                name="one_open_application_each",
            ),
            models.CheckConstraint(
                condition=Q(decision="", decided_at=None, decided_by=None)
                | Q(decision="expired", decided_at__isnull=False, decided_by=None)
                | (
                    Q(decision__in=["accepted", "declined"])
                    & Q(decided_at__isnull=False, decided_by__isnull=False)
                ),
                name="application_decided_completely",
            ),
            models.CheckConstraint(
                condition=~Q(applicant=models.F("decided_by")), name="nobody_decides_on_their_own"
            ),
        ]
        indexes = [
            models.Index(
                fields=["created_at"], condition=Q(decided_at=None), name="application_pending"
            )
        ]

    def __str__(self):
        return f"{self.applicant} ({self.get_role_display()})"

    @property
    def is_open(self):
        return self.decided_at is None

    @property
    def expires_at(self) -> datetime:
        """When it ends by itself."""
        return self.created_at + timedelta(days=settings.APPLICATION_DAYS)

    @property
    def again_at(self) -> datetime | None:
        """From when its applicant may ask once more, if it came to nothing."""
        if self.decision == self.Decision.EXPIRED:
            return self.decided_at
        if self.decision == self.Decision.DECLINED:
            return self.decided_at + timedelta(days=settings.REAPPLY_DAYS)
        return None


class InvitationQuerySet(models.QuerySet):
    def open(self):
        return self.filter(accepted_at=None, revoked_at=None, expires_at__gt=timezone.now())


class Invitation(models.Model):
    """An administrator asks somebody to work here: one link, once, for some days."""

    email = models.EmailField(_("email address"), max_length=254)
    first_name = models.CharField(_("first name"), max_length=150)
    last_name = models.CharField(_("last name"), max_length=150, blank=True)
    role = models.CharField(_("role"), max_length=10, choices=STAFF_ROLES, default=Role.AGENT)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(
        User, models.PROTECT, related_name="+", verbose_name=_("invited by")
    )
    created_at = models.DateTimeField(_("invited"), default=timezone.now)
    expires_at = models.DateTimeField(_("open until"))
    accepted_at = models.DateTimeField(_("accepted"), null=True, blank=True)
    accepted_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("account")
    )
    revoked_at = models.DateTimeField(_("taken back"), null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        constraints = [
            models.CheckConstraint(
                condition=Q(accepted_at=None, accepted_by=None)
                | Q(accepted_at__isnull=False, accepted_by__isnull=False, revoked_at=None),
                name="invitation_accepted_completely",
            ),
            models.UniqueConstraint(
                fields=["email"],
                condition=Q(accepted_at=None, revoked_at=None),
                name="one_open_invitation_each",
            ),
        ]
        indexes = [models.Index(fields=["-created_at"], name="invitation_newest")]

    def __str__(self):
        return f"{self.email} ({self.get_role_display()})"
