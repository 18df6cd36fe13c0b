"""What is known of somebody's telephones and browsers: told in their archive, erased with them."""

from django.dispatch import receiver
from django.utils.translation import gettext_lazy

from accounts.archive import Part
from accounts.retention import RULES, Rule
from accounts.signals import erasing, exporting

from ..models import PushSubscription, Reaching, ShortMessage
from ..owed import UNLEASED

State = ShortMessage.State
NOTHING_SAID = {"number": "", "text": "", "last_answer": ""}


@receiver(exporting)
def export_reaching(sender, user, **kwargs):
    rows = Reaching.objects.filter(user=user).values(
        "quiet_from", "quiet_until", "digest_at", "sms_number"
    )
    return Part("reached_at", (row | {"sms_number": str(row["sms_number"])} for row in rows))


@receiver(exporting)
def export_browsers(sender, user, **kwargs):
    """Without what lets us push there."""
    theirs = PushSubscription.objects.filter(user=user).order_by("pk")
    return Part("browsers_with_push", theirs.values("browser", "created_at").iterator())


@receiver(exporting)
def export_short_messages(sender, user, **kwargs):
    sent = ShortMessage.objects.filter(recipient=user).order_by("pk")
    rows = sent.values("channel", "number", "state", "created_at", "sent_at").iterator()
    return Part("pushes_and_sms", (row | {"number": str(row["number"])} for row in rows))


@receiver(erasing)
def forget_telephones(sender, user, **kwargs):
    """That they were told, and when, stays."""
    PushSubscription.objects.filter(user=user).delete()
    Reaching.objects.filter(user=user).delete()
    theirs = ShortMessage.objects.filter(recipient=user)
    theirs.filter(state=State.OWED).update(state=State.DROPPED, **UNLEASED)
    theirs.update(**NOTHING_SAID)


def _old(moment):
    settled = ShortMessage.objects.exclude(state=State.OWED).filter(created_at__lt=moment)
    return settled.exclude(recipient__legal_hold__gt="")


RULES.append(
    Rule(
        "short_messages",
        gettext_lazy("That a push or an SMS was sent is forgotten"),
        _old,
        lambda messages: messages.delete()[0],
    )
)
