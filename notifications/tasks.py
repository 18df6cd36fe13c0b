import logging

from celery import shared_task
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


@shared_task
def send_owed_mail():
    """There is work: a bell after a commit, or the sweep that finds lost bells."""
    from .mail import outbox  # noqa: PLC0415 -- sending owes as well, and rings

    outbox.drain()


def ring() -> None:
    """Tell the worker that there is work. A lost bell is harmless: the sweep finds the rows."""
    try:
        send_owed_mail.delay()
    except (OperationalError, OSError) as error:
        logger.warning("The worker was not called, so the next sweep sends the mail: %s", error)
