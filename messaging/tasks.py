from celery import shared_task

from accounts.bells import ring

from . import ruling
from .inbound import imap, ledger, watching


@shared_task
def run_rules():
    ruling.tick()


@shared_task
def poll_mail():
    """One turn in each mailbox. What is left after it waits behind what else there is to do."""
    try:
        if imap.poll_all(imap.TURN):
            ring("messaging.tasks.poll_mail")
            process_mail()
    finally:
        watching.alarm()


@shared_task
def process_mail():
    """A turn of some seconds, as there are mails that are slow to read. What is left after it waits
    behind what else there is to do."""
    if ledger.process_waiting(ledger.TURN):
        ring("messaging.tasks.process_mail")


@shared_task
def remove_left_mails():
    watching.remove_left_mails()
