from django.db import transaction
from django.dispatch import receiver

from accounts.bells import ring
from tickets.automation import rules
from tickets.signals import line_written, ticket_raised

from . import away, live
from .signals import message_posted

RUN_RULES = "messaging.tasks.run_rules"


@receiver(line_written)
def ring_the_open_pages(sender, ticket, event, **kwargs):
    transaction.on_commit(lambda: live.ring(ticket, event), robust=True)


@receiver(line_written)
def owe_the_looks_of_rules(sender, ticket, event, **kwargs):
    if rules.owe(ticket, event):
        ring(RUN_RULES)


@receiver([ticket_raised, message_posted])
def answer_while_nobody_is_there(sender, ticket, event, **kwargs):
    away.answer(ticket, event)
