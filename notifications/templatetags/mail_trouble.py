from django import template

from ..models import AddressTrouble

register = template.Library()


@register.inclusion_tag("notifications/_mail_trouble.html")
def mail_trouble(person, reader: str = "staff") -> dict:
    """That mails to ``person`` come back and no more are sent, in the words of ``reader`` (staff,
    or themselves); nothing if they arrive."""
    troubled = AddressTrouble.objects.filter(email=person.email.lower(), flagged_at__isnull=False)
    return {"trouble": troubled.first(), "person": person, "reader": reader}
