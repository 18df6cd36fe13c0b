"""The engine that carries bells and clocks. The database rows are the promise."""

import gc
import logging
import os
import time
from pathlib import Path

from celery import Celery
from celery.signals import setup_logging, task_postrun, worker_init, worker_ready
from django.conf import settings
from django.core.cache import cache
from django.utils import timezone
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careregistry.settings")

TRANSPORT_ALIASES["filesystem"] = "careregistry.broker:Transport"

LAST_JOB = "last_job"  # the cache knows when a worker ended one, to the minute
NOTED_EVERY = 60

app = Celery("careregistry")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.autodiscover_tasks(["notifications.short_messages", "notifications.webhooks"])


@setup_logging.connect
def keep_our_logging(loglevel, **kwargs):
    """With a receiver here the worker and the clock add no handlers of their own, which would
    write what ours leave out. ``--loglevel`` is for what the engine says of itself."""
    logging.getLogger("celery").setLevel(loglevel)


@worker_init.connect
def settle_down(**kwargs):
    """Whoever waits for a page comes before what happens in the background. All that was imported
    stays, so the garbage collector need not look through it again and again."""
    os.nice(settings.WORKER_NICENESS)
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)


@worker_init.connect
def keep_note_of_jobs(**kwargs):
    task_postrun.connect(note_job)


@worker_ready.connect
def look_at_the_clock(**kwargs):
    """At once, as the scheduler's first turn is a minute away: until then nobody could tell a
    worker that has just started from one that does nothing."""
    app.send_task("tickets.tasks.run_the_clock")


def note_job(**kwargs):
    if time.monotonic() - note_job.noted_at >= NOTED_EVERY:
        note_job.noted_at = time.monotonic()
        cache.set(LAST_JOB, timezone.now(), timeout=None)


note_job.noted_at = -NOTED_EVERY


for key in ("data_folder_in", "data_folder_out", "control_folder"):
    if folder := app.conf.broker_transport_options.get(key):
        Path(folder).mkdir(parents=True, exist_ok=True, mode=0o750)
