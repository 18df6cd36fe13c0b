"""Mail that comes in: where it is fetched from, what became of each, and who may write."""

import secrets

from cryptography.fernet import InvalidToken
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Role, User
from accounts.sealing import seal, unseal
from tickets.models import Category, Ticket, TicketEvent


def raw_path(mail, filename) -> str:
    """An unguessable name outside the web root; nothing of who wrote, or what."""
    token = secrets.token_hex(20)
    return f"mail-in/{token[:2]}/{token[2:]}"


class SecretField(models.TextField):
    """Encrypted at rest. A value whose key is gone reads as empty: it has to be entered anew."""

    def get_prep_value(self, value):
        return seal(value, "messaging.mailboxes") if value else ""

    def from_db_value(self, value, expression, connection):
        try:
            return unseal(value, "messaging.mailboxes") if value else ""
        except InvalidToken:
            return ""


class Mailbox(models.Model):
    """One folder on an IMAP server that mail is fetched from, by UID."""

    class Security(models.TextChoices):
        TLS = "tls", _("TLS")
        STARTTLS = "starttls", _("STARTTLS")
        NONE = "none", _("None, for a server on this machine")

    class SignIn(models.TextChoices):
        PASSWORD = "password", _("Password")
        MICROSOFT = "microsoft", _("Microsoft (OAuth2)")
        GOOGLE = "google", _("Google (OAuth2)")

    name = models.CharField(_("name"), max_length=100, unique=True)
    host = models.CharField(_("server"), max_length=255)
    port = models.PositiveIntegerField(
        _("port"), default=993, validators=[MinValueValidator(1), MaxValueValidator(65535)]
    )
    security = models.CharField(
        _("security"), max_length=10, choices=Security, default=Security.TLS
    )
    username = models.CharField(_("user name"), max_length=255)
    sign_in = models.CharField(
        _("sign-in by"), max_length=10, choices=SignIn, default=SignIn.PASSWORD
    )
    # The password or the refresh token, and the secret of the app registered with the provider.
    secret = SecretField(blank=True, editable=False)
    client_secret = SecretField(blank=True, editable=False)
    client_id = models.CharField(_("client ID"), max_length=255, blank=True)
    tenant = models.CharField(
        _("tenant"), max_length=100, blank=True, help_text=_("Microsoft only. Empty: common")
    )
    folder = models.CharField(_("folder"), max_length=255, default="INBOX")
    move_to = models.CharField(
        _("then move to"), max_length=255, blank=True,
        help_text=_("A folder on the server. Empty: mail stays and is marked as read"),
    )  # fmt: skip
    category = models.ForeignKey(
        Category, models.PROTECT, null=True, blank=True, verbose_name=_("category"),
        help_text=_("Of what comes to no category’s own address. Empty: the first one"),
    )  # fmt: skip
    is_active = models.BooleanField(_("active"), default=True)

    uid_validity = models.PositiveBigIntegerField(null=True, editable=False)
    last_uid = models.PositiveBigIntegerField(default=0, editable=False)
    # Whose fetching ended the conversation, the last of them at the end.
    broken_uids = models.JSONField(default=list, db_default=[], editable=False)
    leased_until = models.DateTimeField(null=True, editable=False)
    polled_at = models.DateTimeField(_("last polled"), null=True, editable=False)
    reconciled_at = models.DateTimeField(null=True, editable=False)
    on_server = models.PositiveIntegerField(_("mails on the server"), null=True, editable=False)
    missing = models.PositiveIntegerField(_("of them not here"), default=0, editable=False)
    last_problem = models.CharField(_("last problem"), max_length=300, blank=True, editable=False)
    watched_since = models.DateTimeField(default=timezone.now, editable=False)
    alarmed_at = models.DateTimeField(null=True, editable=False)

    # Where its mails are numbered. Elsewhere the same number names another mail.
    PLACE = ("host", "port", "username", "folder")

    class Meta:
        verbose_name = _("mailbox")
        verbose_name_plural = _("mailboxes")
        ordering = ["name"]

    def __str__(self):
        return self.name

    @property
    def place(self) -> tuple:
        return tuple(getattr(self, name) for name in self.PLACE)


class Fate(models.TextChoices):
    RECEIVED = "received", _("Not read yet")
    TICKETED = "ticketed", _("Became a ticket")
    APPENDED = "appended", _("Added to a ticket")
    REPEATED = "repeated", _("Came before")
    IGNORED = "ignored", _("Recorded only")
    HELD = "held", _("Held for an administrator")
    QUARANTINED = "quarantined", _("Could not be processed")
    DROPPED = "dropped", _("Dropped by an administrator")


class Reason(models.TextChoices):
    """Why a mail was recorded only, held or could not be processed."""

    BOUNCE = "bounce", _("A report that a mail could not be delivered")
    LOOP = "loop", _("It came from ourselves")
    BLOCKED = "blocked", _("The sender is blocked")
    AUTOMATIC = "automatic", _("Written by a machine")
    SPAM = "spam", _("Marked as spam by the mail server")
    NO_SENDER = "no_sender", _("It names no sender")
    SEVERAL = "several", _("It names several senders")
    SHUT = "shut", _("The sender’s account is closed, or not approved")
    STAFF = "staff", _("Claims to come from staff, without proof")
    UNCLEAR = "unclear", _("What is new in it can’t be told from what it quotes")
    NOT_THEIRS = "not_theirs", _("Its sender can’t write on the ticket it answers")
    TOO_MANY = "too_many", _("The sender wrote many tickets within an hour")
    REFUSED = "refused", _("The ticket did not take it")
    TOO_LARGE = "too_large", _("Too large")
    UNREADABLE = "unreadable", _("It can’t be read")
    FAILED = "failed", _("An error of ours")


class InboundMail(models.Model):
    """The ledger: one row for each mail that reached us, from before it is read."""

    class Source(models.TextChoices):
        IMAP = "imap", _("Mailbox")
        LMTP = "lmtp", _("LMTP")
        PIPE = "pipe", _("Command")

    source = models.CharField(_("came by"), max_length=10, choices=Source)
    mailbox = models.ForeignKey(
        Mailbox, models.PROTECT, null=True, related_name="mails", verbose_name=_("mailbox")
    )
    uid_validity = models.PositiveBigIntegerField(null=True)
    uid = models.PositiveBigIntegerField(null=True)
    is_tidied = models.BooleanField(default=True)  # marked as read or moved on the server
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    raw = models.FileField(_("as it came"), upload_to=raw_path, max_length=100, blank=True)
    size = models.PositiveIntegerField(_("bytes"))
    sha256 = models.CharField(max_length=64)
    # What the server before us said of it: to whom, and from whom ("" is a report of a machine).
    envelope_to = models.JSONField(_("delivered to"), default=list, blank=True)
    envelope_from = models.CharField(max_length=320, null=True)

    sender = models.CharField(_("from"), max_length=254, blank=True)
    subject = models.CharField(_("subject"), max_length=200, blank=True)
    message_id = models.CharField(_("Message-ID"), max_length=255, blank=True)
    # Message-ID, sender and content together: the same mail twice has the same.
    fingerprint = models.CharField(max_length=64, blank=True)

    fate = models.CharField(
        _("what became of it"), max_length=12, choices=Fate, default=Fate.RECEIVED
    )
    reason = models.CharField(_("why"), max_length=12, choices=Reason, blank=True)
    detail = models.CharField(_("more about it"), max_length=500, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    leased_until = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(_("processed"), null=True)
    person = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", verbose_name=_("person")
    )
    ticket = models.ForeignKey(
        Ticket, models.PROTECT, null=True, related_name="+", verbose_name=_("ticket")
    )
    event = models.ForeignKey(TicketEvent, models.PROTECT, null=True, related_name="+")
    first = models.ForeignKey("self", models.SET_NULL, null=True, verbose_name=_("came before as"))
    freed_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", verbose_name=_("let through by")
    )

    class Meta:
        verbose_name = _("incoming mail")
        verbose_name_plural = _("incoming mail")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["mailbox", "uid_validity", "uid"],
                condition=Q(uid__isnull=False),
                name="mail_fetched_once",
            ),
            models.UniqueConstraint(
                fields=["fingerprint"],
                condition=~Q(fingerprint="") & ~Q(fate="repeated"),
                name="mail_counted_once",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(fate="received"), name="mail_to_read"),
            models.Index(fields=["fate", "-id"], name="mail_by_fate"),
            models.Index(fields=["mailbox", "-id"], name="mail_by_mailbox"),
            models.Index(fields=["mailbox", "fate"], name="mail_fates_of_mailbox"),
            models.Index(
                fields=["mailbox", "uid"], condition=Q(is_tidied=False), name="mail_to_tidy"
            ),
            # Found by its beginning too, which an index in the order of a language is no help for.
            models.Index(
                fields=["sender"], opclasses=["varchar_pattern_ops"], name="mail_by_sender"
            ),
            models.Index(fields=["received_at"], name="mail_by_age"),
        ]

    def __str__(self):
        return f"{self.sender or _('nobody')}: {self.subject or _('no subject')}"

    @property
    def outcome(self) -> str:
        """What became of it, as a line of a command: id, fate, reason, ticket."""
        return f"{self.pk}\t{self.fate}\t{self.reason}\t{self.ticket or ''}"


class SenderRule(models.Model):
    """An address, or everybody of a domain: blocked, or let in whatever marks of spam it bears."""

    class Verdict(models.TextChoices):
        BLOCK = "block", _("Block")
        LET_IN = "let_in", _("Always let in")

    pattern = models.CharField(
        _("address or domain"), max_length=254, unique=True,
        help_text=_("Like someone@example.org, or example.org for all of them"),
    )  # fmt: skip
    verdict = models.CharField(_("what to do"), max_length=10, choices=Verdict)
    note = models.CharField(_("why"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("sender rule")
        verbose_name_plural = _("blocked and trusted senders")
        ordering = ["pattern"]
        constraints = [
            models.CheckConstraint(
                condition=Q(pattern=Lower("pattern")), name="sender_pattern_is_lower_case"
            )
        ]

    def __str__(self):
        return self.pattern

    def save(self, **kwargs):
        self.pattern = self.pattern.strip().lstrip("@").lower()
        super().save(**kwargs)


class AgentAddress(models.Model):
    """D0-11: what is mailed to this address goes straight to this agent."""

    address = models.EmailField(_("mail address"), max_length=254, unique=True)
    agent = models.ForeignKey(
        User, models.CASCADE, related_name="+", verbose_name=_("agent"),
        limit_choices_to={"role": Role.AGENT},
    )  # fmt: skip

    class Meta:
        verbose_name = _("agent’s own address")
        verbose_name_plural = _("agents’ own addresses")
        ordering = ["address"]
        constraints = [
            models.CheckConstraint(
                condition=Q(address=Lower("address")), name="agent_address_is_lower_case"
            )
        ]

    def __str__(self):
        return self.address

    def save(self, **kwargs):
        self.address = self.address.lower()
        super().save(**kwargs)
