"""What happened around an account: sign-ins, consents, what administrators did. Only added to."""

import os

from django.conf import settings
from django.core.files.storage import FileSystemStorage
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .people import User


class OnlyAdded(models.QuerySet):
    def update(self, **kwargs):
        raise TypeError("Records are never changed.")

    def delete(self):
        raise TypeError("Records are removed by retention and erasure alone, see purge().")

    def purge(self) -> int:
        """Remove these rows for good. Only retention rules and erasure ask for that."""
        return super().delete()[0]


class Record(models.Model):
    objects = OnlyAdded.as_manager()

    class Meta:
        abstract = True

    def save(self, **kwargs):
        if not self._state.adding:
            raise TypeError("Records are never changed.")
        super().save(**kwargs)

    def delete(self, **kwargs):
        raise TypeError("Records are removed by retention and erasure alone, see purge().")


class AccountEvents(OnlyAdded):
    def forget_reasons(self) -> None:
        """Empty the words people typed. What was done, when and by whom stays; erasure asks."""
        models.QuerySet.update(self, reason="")


class LoginRecord(Record):
    """A sign-in, a refused one or a sign-out, for the account's owner and administrators."""

    class Kind(models.TextChoices):
        SIGNED_IN = "signed_in", _("Signed in")
        REFUSED = "refused", _("Refused")
        SIGNED_OUT = "signed_out", _("Signed out")
        REVOKED = "revoked", _("Signed out from elsewhere")

    class Method(models.TextChoices):
        PASSWORD = "password", _("Password")
        CODE = "code", _("Code by email")
        GOOGLE = "google", _("Google")
        PASSKEY = "passkey", _("Passkey")
        SIGN_UP = "sign_up", _("Sign-up")

    user = models.ForeignKey(
        User, models.CASCADE, null=True, related_name="login_records", verbose_name=_("person")
    )  # nobody: an address without an account was tried; it is not kept
    kind = models.CharField(_("what"), max_length=10, choices=Kind)
    method = models.CharField(_("how"), max_length=10, choices=Method, blank=True)
    at = models.DateTimeField(_("when"), default=timezone.now)
    ip = models.GenericIPAddressField(_("network address"), null=True)
    device = models.CharField(_("device"), max_length=100, blank=True)  # Firefox on Windows
    is_new_device = models.BooleanField(_("new device"), default=False)

    class Meta:
        verbose_name = _("sign-in")
        indexes = [
            models.Index(fields=["user", "-at"], name="login_of_user"),
            models.Index(fields=["-at"], name="login_newest"),
        ]

    def __str__(self):
        return f"{self.get_kind_display()}: {self.user or _('unknown address')}"


class KnownDevice(models.Model):
    """A browser somebody has signed in with, known by a random cookie. No cookie, a new device."""

    user = models.ForeignKey(User, models.CASCADE, related_name="known_devices")
    token_hash = models.CharField(max_length=64)
    seen_at = models.DateTimeField(default=timezone.now)  # the newest sign-in, and from where
    address = models.CharField(max_length=50, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "token_hash"], name="device_known_once")
        ]


class Consent(Record):
    """Somebody agreed to a version of a document."""

    class Document(models.TextChoices):
        TERMS = "terms", _("Terms of service")
        PRIVACY = "privacy", _("Privacy and your data")

    user = models.ForeignKey(User, models.CASCADE, related_name="consents")
    document = models.CharField(_("document"), max_length=10, choices=Document)
    version = models.CharField(_("version"), max_length=20)
    at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        verbose_name = _("consent")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "document", "version"], name="consent_once_per_version"
            )
        ]

    def __str__(self):
        return f"{self.get_document_display()} {self.version}"


class AccountEvent(Record):
    """What was done to an account: who, when, what. ``data`` holds codes and ids, no words."""

    class Kind(models.TextChoices):
        APPLIED = "applied", _("Asked for a role")
        ACCEPTED = "accepted", _("Accepted")
        DECLINED = "declined", _("Declined")
        INVITED = "invited", _("Invited")
        CREATED = "created", _("Created by an administrator")
        ROLE_CHANGED = "role_changed", _("Role changed")
        SUSPENDED = "suspended", _("Suspended")
        REACTIVATED = "reactivated", _("Let in again")
        BINNED = "binned", _("Deleted")
        RESTORED = "restored", _("Restored")
        PASSWORD_CHANGED = "password_changed", _("Password changed")
        EMAIL_CHANGED = "email_changed", _("Email address changed")
        SECOND_FACTOR_ADDED = "factor_added", _("Second factor added")
        SECOND_FACTOR_REMOVED = "factor_removed", _("Second factor removed")
        RECOVERY_CODES_MADE = "codes_made", _("Recovery codes made")
        GOOGLE_CONNECTED = "google_connected", _("Google connected")
        GOOGLE_DISCONNECTED = "google_removed", _("Google disconnected")
        EXPORTED = "exported", _("Data downloaded")
        ERASURE_ASKED = "erasure_asked", _("Asked to be deleted")
        ERASURE_STOPPED = "erasure_stopped", _("Deletion stopped")
        ERASED = "erased", _("Erased")
        HELD = "held", _("Put on legal hold")
        RELEASED = "released", _("Legal hold ended")

    user = models.ForeignKey(
        User, models.PROTECT, related_name="account_events", verbose_name=_("person")
    )
    kind = models.CharField(_("what"), max_length=20, choices=Kind)
    by = models.ForeignKey(  # nobody: the clock
        User, models.PROTECT, null=True, related_name="+", verbose_name=_("by")
    )
    at = models.DateTimeField(_("when"), default=timezone.now)
    reason = models.TextField(_("reason"), blank=True, max_length=2000)
    data = models.JSONField(default=dict, blank=True)

    objects = AccountEvents.as_manager()

    class Meta:
        verbose_name = _("account history line")
        indexes = [
            models.Index(fields=["user", "-at"], name="account_event_of_user"),
            models.Index(fields=["-at"], name="account_event_newest"),
        ]

    def __str__(self):
        return f"{self.user}: {self.get_kind_display()}"


class Attempt(models.Model):
    """One try that is limited: a wrong password, a code asked for. ``limits.py`` counts them."""

    bucket = models.CharField(max_length=64)  # a hash: no address or name can be read from it
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(fields=["bucket", "at"], name="attempt_of_bucket"),
            models.Index(fields=["at"], name="attempt_oldest"),
        ]


class ExportStorage(FileSystemStorage):
    """Apart from what people uploaded, as everything of one person in one file is worth more."""

    @property
    def base_location(self):
        return settings.EXPORT_DIR

    @property
    def location(self):
        return os.path.abspath(settings.EXPORT_DIR)


def export_storage():
    return ExportStorage()


class DataExport(models.Model):
    """Everything of one person in an archive, made by the worker, for some days."""

    user = models.ForeignKey(User, models.CASCADE, related_name="data_exports")
    asked_by = models.ForeignKey(User, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(_("asked"), default=timezone.now)
    ready_at = models.DateTimeField(_("ready"), null=True)
    expires_at = models.DateTimeField(_("until"), null=True)
    file = models.FileField(max_length=100, blank=True, storage=export_storage)
    leased_until = models.DateTimeField(null=True)  # a worker is at it
    tries = models.PositiveSmallIntegerField(default=0)
    trouble = models.CharField(_("what went wrong"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("data export")
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(ready_at=None, trouble=""),
                name="one_export_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(ready_at=None) | Q(expires_at__isnull=False),
                name="a_ready_export_expires",
            ),
        ]

    def __str__(self):
        return f"{self.user}, {self.created_at:%Y-%m-%d}"
