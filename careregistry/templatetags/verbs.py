"""What can be done with a ticket, beside its conversation."""

from django import template
from django.urls import reverse

register = template.Library()


@register.inclusion_tag("workspace/_verb.html")
def verb(ticket, route: str, title: str, words: str) -> dict:
    """One that unfolds with its form, which is asked for then; ``words`` lead to it without
    scripts."""
    return {"url": reverse(route, args=[ticket.reference]), "title": title, "words": words}
