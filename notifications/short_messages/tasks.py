from celery import shared_task

from accounts.bells import ring

from ..owed import SEND_SHORT
from . import browsers, sending


@shared_task
def send_short_messages():
    """A turn, and another bell while there is work: a slow push service must not keep a lone
    worker from everything else."""
    if sending.take_turn():
        ring(SEND_SHORT)


@shared_task
def forget_browsers():
    """Those whose person has not been signed in there for long."""
    browsers.forget_ended()
