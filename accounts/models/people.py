"""Who someone is. What their role may do stands in ``permissions.py``."""

import secrets
import zlib
from datetime import tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import get_language_info
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField


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
    ERASED = "erased", _("Erased")


# Who may hold a session at all: the pending to read that they are waiting.
MAY_SIGN_IN = {Standing.PENDING, Standing.ACTIVE}


NAMES = ("first_name", "last_name", "email", "photo")  # what a person is shown by
# What no page about a person's tickets reads: it need not be loaded with each of them.
PRIVATE = (
    "password", "last_login", "is_superuser", "password_changed_at",
    "must_change_password", "erase_at", "legal_hold", "is_demo", "deleted_at",
)  # fmt: skip


def photo_path(user, filename) -> str:
    """An unguessable name outside the web root; nothing of the person's own name."""
    token = secrets.token_hex(20)
    return f"photos/{token[:2]}/{token[2:]}"


def languages() -> list[tuple[str, str]]:
    """What people can ask to be written to in, each by its own name."""
    return [(code, get_language_info(code)["name_local"]) for code, _name in settings.LANGUAGES]


def time_zones() -> list[tuple[str, str]]:
    """Every zone a person can live in, as choices."""
    return [(name, name.replace("_", " ")) for name in sorted(available_timezones())]


class UserQuerySet(models.QuerySet):
    def active(self):
        return self.filter(standing=Standing.ACTIVE, deleted_at=None)

    def customers(self):
        return self.active().filter(role=Role.CUSTOMER)

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
    phone = PhoneNumberField(_("phone number"), blank=True)
    # How they like to be written to. Pages come in it as far as there are translations.
    language = models.CharField(
        _("language"), max_length=10, choices=settings.LANGUAGES, blank=True
    )
    time_zone = models.CharField(_("time zone"), max_length=64, choices=time_zones, blank=True)
    photo = models.FileField(upload_to=photo_path, max_length=100, blank=True, editable=False)
    password_changed_at = models.DateTimeField(
        _("password changed"), null=True, blank=True, editable=False
    )
    # Given a password by somebody else: sees nothing before choosing their own.
    must_change_password = models.BooleanField(default=False, editable=False)
    # They asked to be deleted: when it happens, unless they sign in before.
    erase_at = models.DateTimeField(_("to be erased"), null=True, blank=True, editable=False)
    # Nothing of theirs is erased while somebody says why it must be kept.
    legal_hold = models.CharField(_("legal hold"), max_length=500, blank=True, editable=False)
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
            models.CheckConstraint(
                condition=Q(legal_hold="") | ~Q(standing=Standing.ERASED),
                name="who_is_held_is_not_erased",
            ),
        ]
        indexes = [
            models.Index(fields=["role", "standing"], name="user_role_standing"),
            models.Index(
                fields=["erase_at"], condition=Q(erase_at__isnull=False), name="user_to_be_erased"
            ),
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
    def foreign_language(self) -> str:
        """The English name of what they like to be written to in, if pages are in another."""
        is_foreign = self.language not in ("", settings.LANGUAGE_CODE)
        return get_language_info(self.language)["name"] if is_foreign else ""

    @property
    def zone(self) -> tzinfo:
        """Where their day begins. The desk's, unless they chose their own, and that still exists:
        now and then a name is given up."""
        try:
            return ZoneInfo(self.time_zone or settings.TIME_ZONE)
        except ZoneInfoNotFoundError:
            return timezone.get_default_timezone()

    def _get_session_auth_hash(self, secret=None):
        """What a session or a socket must agree with: it ends when the password changes, or the
        address. Django asks here, with this key and with former ones."""
        proof = f"{self.password}\n{self.email}"
        return salted_hmac("accounts.User", proof, secret=secret, algorithm="sha256").hexdigest()

    @property
    def photo_url(self) -> str:
        """Where the photo is fetched, if there is one; ``photo_path`` made it unguessable."""
        if not self.photo:
            return ""
        key = self.photo.name.removeprefix("photos/").replace("/", "")
        return reverse("account_photo", args=[self.pk, key])

    @property
    def initials(self):
        return f"{self.first_name[:1]}{self.last_name[:1]}".upper() or self.email[:1].upper()

    @property
    def avatar_class(self):
        """A colour that stays with the person: CSS may depend on data only by class."""
        return f"ccr-avatar--{zlib.crc32(self.email.encode()) % 6 + 1}"
