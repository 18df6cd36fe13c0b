"""Mails on their way, the addresses that take none, and what stops them all."""

import secrets

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from tickets.models import Ticket

from ..owed import Leased, LeasedQuerySet, Owed

DIGEST = "<digest-"  # how the Message-ID begins of a mail about several tickets


def new_message_id(beginning: str = "<") -> str:
    domain = settings.DEFAULT_FROM_EMAIL.rsplit("@", 1)[-1].strip(">")
    return f"{beginning}{secrets.token_hex(16)}@{domain}>"


def new_digest_id() -> str:
    return new_message_id(DIGEST)


class OutgoingMailQuerySet(LeasedQuerySet):
    def due(self, now):
        """What may be sent now."""
        owed = self.filter(~_is_behind(), state=OutgoingMail.State.OWED, next_try_at__lte=now)
        return owed.unleased(now).order_by("next_try_at", "pk")

    def behind(self):
        """What waits for an earlier one."""
        return self.filter(_is_behind(), state=OutgoingMail.State.OWED)


def _is_behind() -> Q:
    """Whether a mail waits for an earlier one of its ticket to its person; a digest may be of each
    of them."""
    earlier = OutgoingMail.objects.filter(
        state=OutgoingMail.State.OWED, recipient=OuterRef("recipient"), pk__lt=OuterRef("pk")
    )
    is_digest = Q(message_id__startswith=DIGEST)
    of_tickets = is_digest | Q(ticket__isnull=False)
    return (
        Exists(earlier.filter(ticket=OuterRef("ticket")))
        | (of_tickets & Exists(earlier.filter(is_digest)))
        | (is_digest & Exists(earlier.filter(ticket__isnull=False)))
    )


class OutgoingMail(Owed, Leased):
    """One mail to one person, from the moment it is owed until the server took it."""

    message_id = models.CharField(
        _("Message-ID"), max_length=200, unique=True, default=new_message_id, editable=False
    )
    recipient = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", verbose_name=_("person")
    )
    email = models.EmailField(_("to"), max_length=254)
    ticket = models.ForeignKey(Ticket, models.PROTECT, null=True, related_name="+")
    # Mails composed elsewhere (codes) bring their content; it is emptied once they are sent.
    content = models.JSONField(default=dict, blank=True, editable=False)
    subject = models.CharField(_("subject"), max_length=300, blank=True)
    expires_at = models.DateTimeField(null=True, editable=False)
    # When their server said that it did not arrive after all; the mail counts as failed.
    bounced_at = models.DateTimeField(_("came back"), null=True, editable=False)

    objects = OutgoingMailQuerySet.as_manager()

    class Meta:
        verbose_name = _("outgoing mail")
        verbose_name_plural = _("outgoing mail")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False, bounced_at=None)
                | Q(state="failed", sent_at__isnull=False, bounced_at__isnull=False)
                | (~Q(state="sent") & Q(sent_at=None, bounced_at=None)),
                name="mail_sent_with_time",
            )
        ]
        indexes = [
            models.Index(fields=["next_try_at", "id"], condition=Q(state="owed"), name="mail_owed"),
            models.Index(
                fields=["recipient", "id"], condition=Q(state="owed"), name="mail_owed_to"
            ),
            # How many somebody got within the hour.
            models.Index(fields=["recipient", "-created_at"], name="mail_lately"),
            # Whether the server has taken one since.
            models.Index(
                fields=["-sent_at"], condition=Q(sent_at__isnull=False), name="mail_accepted"
            ),
            models.Index(fields=["created_at"], condition=Q(state="failed"), name="mail_given_up"),
            models.Index(fields=["id"], condition=Q(state="dropped"), name="mail_dropped"),
            # Found by the beginning of the address too, which an index in the order of a language
            # is no help for; and whether an address got the same letter within the hour.
            models.Index(
                fields=["email", "-created_at"],
                opclasses=["varchar_pattern_ops", "timestamptz_ops"],
                name="mail_by_address",
            ),
        ]

    def __str__(self):
        return f"{self.email}: {self.subject or self.message_id}"

    @property
    def occasion(self) -> str:
        """What it tells, also before it is written."""
        kinds = dict.fromkeys(each.get_kind_display() for each in self.notifications.all())
        return ", ".join(map(str, kinds)) or self.subject


class AddressTrouble(models.Model):
    """An address from which mails came back. Flagged, it gets no more of them but what proves that
    it works again: codes, and what its person asked for at this moment."""

    email = models.EmailField(_("mail address"), max_length=254, unique=True)
    bounces = models.PositiveIntegerField(_("mails that came back"), default=0)
    last_bounced_at = models.DateTimeField(_("last time"), default=timezone.now)
    last_answer = models.TextField(_("last answer"), blank=True)
    flagged_at = models.DateTimeField(_("no more mail since"), null=True)

    class Meta:
        verbose_name = _("address in trouble")
        verbose_name_plural = _("addresses in trouble")
        ordering = ["-last_bounced_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(email=Lower("email")), name="troubled_address_is_lower_case"
            )
        ]
        indexes = [models.Index(fields=["-last_bounced_at", "-id"], name="trouble_newest_first")]

    def __str__(self):
        return self.email


class Circuit(models.Model):
    """Whether a server is talked to at all. Closed, all goes through; opened by many refusals on
    end, a few mails try now and then whether it works again."""

    name = models.CharField(_("name"), max_length=20, unique=True)  # "smtp"
    # The mails that were refused for good since the last one that was accepted: owed again if it
    # turns out that the server refuses everything.
    refused = models.JSONField(default=list, blank=True, editable=False)
    opened_at = models.DateTimeField(_("stopped since"), null=True)
    next_try_at = models.DateTimeField(_("next try"), null=True)
    last_answer = models.TextField(_("last answer"), blank=True)

    class Meta:
        verbose_name = _("mail server")
        verbose_name_plural = _("mail servers")

    def __str__(self):
        """As the operator names it."""
        return f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
