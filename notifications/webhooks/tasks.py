from celery import shared_task

from accounts.bells import ring

from ..owed import CALL_WEBHOOKS
from . import delivering


@shared_task
def call_webhooks():
    """One turn of one webhook, and another bell while there is work: a slow receiver must not keep
    a lone worker from everything else."""
    if delivering.take_turn():
        ring(CALL_WEBHOOKS)
