from celery import shared_task

from . import ruling
from .inbound import imap, ledger, watching


@shared_task
def run_rules():
    ruling.tick()


@shared_task
def poll_mail():
    if imap.poll_all():
        ledger.process_waiting()
    watching.alarm()


@shared_task
def process_mail():
    ledger.process_waiting()


@shared_task
def remove_left_mails():
    watching.remove_left_mails()
