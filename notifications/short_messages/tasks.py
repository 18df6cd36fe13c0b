import logging

from celery import shared_task
from kombu.exceptions import OperationalError

from . import browsers, sending

logger = logging.getLogger(__name__)


@shared_task
def send_short_messages():
    """A turn, and another bell while there is work: a slow push service must not keep a lone
    worker from everything else."""
    if sending.take_turn():
        ring()


@shared_task
def forget_browsers():
    """Those whose person has not been signed in there for long."""
    browsers.forget_ended()


def ring() -> None:
    """Tell the worker that there is work. A lost bell is harmless: the sweep finds the rows."""
    try:
        send_short_messages.delay()
    except (OperationalError, OSError) as error:
        logger.warning("The worker was not called, so the next sweep sends them: %s", error)
