import logging

from celery import shared_task
from kombu.exceptions import OperationalError

from . import delivering

logger = logging.getLogger(__name__)


@shared_task
def call_webhooks():
    """One turn of one webhook, and another bell while there is work: a slow receiver must not keep
    a lone worker from everything else."""
    if delivering.take_turn():
        ring()


def ring() -> None:
    """Tell the worker that there is work. A lost bell is harmless: the sweep finds the rows."""
    try:
        call_webhooks.delay()
    except (OperationalError, OSError) as error:
        logger.warning("The worker was not called, so the next sweep calls webhooks: %s", error)
