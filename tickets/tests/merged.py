"""Two tickets made one, and what is there before and after."""

from django.apps import apps
from django.urls import reverse

from notifications.models import Notification
from tickets.models import Ticket, TicketEvent
from tickets.relations import merging


def send(client, name, ticket, *args, **data):
    return client.post(reverse(f"tickets:{name}", args=[ticket.reference, *args]), data)


def merge(ticket, into, by):
    merging.merge(Ticket.objects.get(pk=ticket.pk), into=Ticket.objects.get(pk=into.pk), by=by)
    for each in (ticket, into):
        each.refresh_from_db()


def newest(ticket):
    line = ticket.events.order_by("-number").first()
    return line.kind, line.audience, line.data


def rows(but=(), without=()):
    """Everything about tickets, but for lines of these kinds and these columns of tickets."""
    found = {}
    for model in (*apps.get_app_config("tickets").get_models(), Notification):
        every = model._base_manager.order_by("pk")
        if model is TicketEvent:
            every = every.exclude(kind__in=but)
        names = [field.attname for field in model._meta.concrete_fields]
        names = [name for name in names if model is not Ticket or name not in without]
        found[model._meta.label] = list(every.values_list(*names))
    return found
