"""Who someone is. What their role may do stands in ``permissions.py``."""

import zlib

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    CUSTOMER = "customer", _("Customer")
    AGENT = "agent", _("Agent")
    ADMIN = "admin", _("Administrator")


class Standing(models.TextChoices):
    """How far we let someone in. Only ``active`` people see anything of the registry."""

    UNCLAIMED = "unclaimed", _("Address not confirmed")
    PENDING = "pending", _("Waiting for approval")
    ACTIVE = "active", _("Active")
    DECLINED = "declined", _("Declined")
    SUSPENDED = "suspended", _("Suspended")


# Who may hold a session at all: the unclaimed while they type their code, the pending to
# read that they are waiting.
MAY_SIGN_IN = {Standing.UNCLAIMED, Standing.PENDING, Standing.ACTIVE}


NAMES = ("first_name", "last_name", "email")  # what a person is shown by


class UserQuerySet(models.QuerySet):
    def active(self):
        return self.filter(standing=Standing.ACTIVE, deleted_at=None)

    def agents(self):
        """Who can be given a ticket."""
        return self.active().filter(role=Role.AGENT)

    def admins(self):
        return self.active().filter(role=Role.ADMIN)


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):
    def get_by_natural_key(self, email):
        return self.get(email=email.lower())

    def create_user(self, email, password=None, **fields):
        user = self.model(email=email, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser, PermissionsMixin):
    # Rights come from one table by role, so nobody carries rights of their own.
    groups = None
    user_permissions = None

    email = models.EmailField(_("email address"), max_length=254)
    first_name = models.CharField(_("first name"), max_length=150)
    last_name = models.CharField(_("last name"), max_length=150, blank=True)
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.CUSTOMER)
    standing = models.CharField(
        _("standing"), max_length=10, choices=Standing, default=Standing.UNCLAIMED
    )
    is_demo = models.BooleanField(_("demonstration account"), default=False, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True, editable=False)

    objects = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["first_name"]

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = [
            models.UniqueConstraint(fields=["email"], name="user_email_unique"),
            models.CheckConstraint(
                condition=Q(email=Lower("email")), name="user_email_is_lower_case"
            ),
            models.CheckConstraint(
                condition=Q(is_superuser=False) | Q(role=Role.ADMIN), name="superuser_is_admin"
            ),
        ]
        indexes = [
            models.Index(fields=["role", "standing"], name="user_role_standing"),
            models.Index(fields=["is_demo"], condition=Q(is_demo=True), name="user_demonstration"),
        ]

    def __str__(self):
        return self.get_full_name() or self.email

    def save(self, **kwargs):
        self.email = self.email.lower()  # one person, however they capitalise the address
        super().save(**kwargs)

    @property
    def is_active(self):
        """May hold a session. To see or do anything they must be approved as well."""
        return self.standing in MAY_SIGN_IN and self.deleted_at is None

    @property
    def is_approved(self):
        return self.standing == Standing.ACTIVE and self.deleted_at is None

    @property
    def is_staff(self):
        """Django's word for who may enter the admin site."""
        return self.is_approved and self.role == Role.ADMIN

    @property
    def is_agent(self):
        return self.role == Role.AGENT

    @property
    def is_admin(self):
        return self.role == Role.ADMIN

    def get_full_name(self):
        return f"{self.first_name} {self.last_name}".strip()

    def get_short_name(self):
        return self.first_name

    @property
    def initials(self):
        return f"{self.first_name[:1]}{self.last_name[:1]}".upper() or self.email[:1].upper()

    @property
    def avatar_class(self):
        """A colour that stays with the person: CSS may depend on data only by class."""
        return f"ccr-avatar--{zlib.crc32(self.email.encode()) % 6 + 1}"


class ApplicationQuerySet(models.QuerySet):
    def pending(self):
        return self.filter(decided_at=None).order_by("created_at")


class Application(models.Model):
    """Somebody asks to become an agent or an administrator. Decided once, by an administrator."""

    class Decision(models.TextChoices):
        ACCEPTED = "accepted", _("Accepted")
        DECLINED = "declined", _("Declined")

    applicant = models.ForeignKey(User, models.PROTECT, related_name="applications")
    role = models.CharField(
        _("role"), max_length=10, choices=[(r.value, r.label) for r in (Role.AGENT, Role.ADMIN)]
    )
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
                | (~Q(decision="") & Q(decided_at__isnull=False, decided_by__isnull=False)),
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
