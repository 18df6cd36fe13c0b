from celery import shared_task

from accounts.steadiness import while_steady

from . import anchors, expiry, summaries
from .automation import clockwork, routing
from .improvement import problems
from .promise import usual


@shared_task
def summarise_days():
    summaries.summarise_days()


@shared_task
def measure_usual_times():
    usual.measure()


@shared_task
@while_steady
def drop_old_drafts():
    expiry.drop_old_drafts()


@shared_task
def anchor_history():
    anchors.write()


@shared_task
def remove_left_files():
    expiry.remove_left_files()


@shared_task
def run_the_clock():
    clockwork.tick()


@shared_task
def route_tickets():
    routing.run()


@shared_task
def tell_of_mended_problems():
    problems.tell()
