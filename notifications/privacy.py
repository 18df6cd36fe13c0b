"""What people were told, as they get it in their archive, and what of it is erased."""

from django.db.models import Q
from django.dispatch import receiver
from django.utils.translation import gettext_lazy

from accounts.archive import Part
from accounts.models import Application
from accounts.retention import RULES, Rule
from accounts.signals import erasing, exporting
from tickets.models import Ticket

from .models import AddressTrouble, Notification, OutgoingMail, Preference, WebhookDelivery
from .owed import UNLEASED

State = OutgoingMail.State


@receiver(exporting)
def export_notifications(sender, user, **kwargs):
    told = Notification.objects.filter(recipient=user).order_by("pk")
    return Part("notifications", told.values("kind", "created_at", "read_at").iterator())


@receiver(exporting)
def export_mails(sender, user, **kwargs):
    """Without subjects: those sent to staff name other people, and the tickets are here anyway."""
    sent = OutgoingMail.objects.filter(recipient=user).order_by("pk")
    return Part("mails", sent.values("email", "state", "created_at", "sent_at").iterator())


@receiver(exporting)
def export_trouble(sender, user, **kwargs):
    came_back = AddressTrouble.objects.filter(email=user.email.lower())
    fields = ("email", "bounces", "last_bounced_at", "last_answer", "flagged_at")
    return Part("mails_that_came_back", came_back.values(*fields).iterator())


@receiver(exporting)
def export_preferences(sender, user, **kwargs):
    chosen = Preference.objects.filter(user=user).order_by("pk")
    return Part(
        "notification_choices", chosen.values("kind", "channel", "is_wanted", "is_daily").iterator()
    )


@receiver(erasing)
def forget_mails(sender, user, addresses, **kwargs):
    """Nothing more is sent to them. That they were told, and when, stays; the words go, also
    those that others were told about them."""
    to_them = OutgoingMail.objects.filter(Q(recipient=user) | Q(email__in=addresses))
    to_them.filter(state=State.OWED).update(state=State.DROPPED, **UNLEASED)
    AddressTrouble.objects.filter(email__in=[each.lower() for each in addresses]).delete()
    to_them.update(email=f"erased-{user.pk}@erased.invalid", **_NO_WORDS)
    for mails in _about(user):
        mails.update(**_NO_WORDS)
    Preference.objects.filter(user=user).delete()


def _about(user) -> list:
    """The mails that tell of them, by each way there is an index for. One that was to be about
    several tickets names none as its own, even if it came to be about theirs only."""
    tickets = Ticket.objects.filter(requester=user).values("pk")
    applications = Application.objects.filter(applicant=user).values_list("pk", flat=True)
    causes = [f"application:{pk}" for pk in applications]
    told = Notification.objects.filter(mail__isnull=False)
    return [
        OutgoingMail.objects.filter(ticket__in=tickets),
        OutgoingMail.objects.filter(pk__in=told.filter(event__ticket__in=tickets).values("mail")),
        OutgoingMail.objects.filter(pk__in=told.filter(cause__in=causes).values("mail")),
    ]


_NO_WORDS = {"subject": "", "content": {}, "last_answer": ""}


def _old_mails(moment):
    settled = OutgoingMail.objects.exclude(state=State.OWED).filter(created_at__lt=moment)
    worded = ~Q(email="") | ~Q(subject="") | ~Q(last_answer="")
    return settled.filter(worded).exclude(recipient__legal_hold__gt="")


RULES += [
    Rule(
        "mails",
        gettext_lazy("Address and subject of mails in the outbox are emptied"),
        _old_mails,
        lambda mails: mails.update(email="", **_NO_WORDS),
    ),
    Rule(
        "bounces",
        gettext_lazy("That mails to an address came back is forgotten"),
        lambda moment: AddressTrouble.objects.filter(last_bounced_at__lt=moment),
        lambda troubles: troubles.delete()[0],
    ),
    Rule(
        "webhooks",
        gettext_lazy("Deliveries of webhooks are removed"),
        lambda moment: WebhookDelivery.objects.exclude(state=State.OWED).filter(
            created_at__lt=moment
        ),
        lambda deliveries: deliveries.delete()[0],
    ),
]
