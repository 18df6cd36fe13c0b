"""Who has which tickets, and whether what their histories tell is whole."""

from tickets import history
from tickets.models import Ticket


def has(agent):
    """References of what ``agent`` has, or of what nobody has, in the order they were raised."""
    return [str(each) for each in Ticket.objects.filter(assignee=agent).order_by("pk")]


def is_whole(*tickets):
    found = Ticket.objects.filter(pk__in=[ticket.pk for ticket in tickets])
    return list(history.problems(found)) == []
