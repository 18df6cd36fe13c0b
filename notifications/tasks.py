from celery import shared_task

from .mail import outbox


@shared_task
def send_owed_mail():
    """There is work: a bell after a commit, or the sweep that finds lost bells."""
    outbox.drain()
