from django import template

from accounts.models import Standing, User

from ..models import AddressTrouble, Channel, Notification
from ..told import lost_mail

register = template.Library()


@register.inclusion_tag("notifications/_mail_trouble.html")
def mail_trouble(person, reader: str = "staff", ticket=None) -> dict:
    """That mails to ``person``, or to somebody invited, come back and no more are sent, in the
    words of ``reader`` (staff, or themselves); or that they stopped those about answers, and have
    no account to read them in; or that the last one about ``ticket`` did not arrive. Nothing if
    they arrive."""
    troubled = AddressTrouble.objects.filter(email=person.email.lower(), flagged_at__isnull=False)
    return {
        "trouble": troubled.first(),
        "lost_mail": ticket and lost_mail(ticket, person),
        "has_stopped_answers": _reads_mail_only(person) and _has_stopped_answers(person),
        "person": person,
        "reader": reader,
    }


def _reads_mail_only(person) -> bool:
    return isinstance(person, User) and person.standing == Standing.UNCLAIMED


def _has_stopped_answers(person) -> bool:
    refused = person.notification_preferences.filter(channel=Channel.EMAIL, is_wanted=False)
    return refused.filter(kind=Notification.Kind.MESSAGE).exists()
