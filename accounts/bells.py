"""Bells that call the worker. The rows are the promise, so a lost bell costs time and no more."""

import logging

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def ring(task: str) -> None:
    """Call the worker for ``task``, by its name, once what is being done has been kept."""
    transaction.on_commit(lambda: _ring(task), robust=True)


def _ring(task):
    try:
        current_app.send_task(task)
    except (OperationalError, OSError) as error:
        logger.warning("The worker was not called, so %s waits for its hour: %s", task, error)
