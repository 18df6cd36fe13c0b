from django.db import transaction
from django.dispatch import receiver

from tickets.signals import line_written

from . import live


@receiver(line_written)
def ring_the_open_pages(sender, ticket, event, **kwargs):
    transaction.on_commit(lambda: live.ring(ticket, event), robust=True)
