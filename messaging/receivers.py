from django.db import transaction
from django.dispatch import receiver

from accounts.bells import ring
from tickets.automation import rules
from tickets.signals import line_written

from . import live

RUN_RULES = "messaging.tasks.run_rules"


@receiver(line_written)
def ring_the_open_pages(sender, ticket, event, **kwargs):
    transaction.on_commit(lambda: live.ring(ticket, event), robust=True)


@receiver(line_written)
def owe_the_looks_of_rules(sender, ticket, event, **kwargs):
    if rules.owe(ticket, event):
        ring(RUN_RULES)
