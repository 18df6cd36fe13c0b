"""The engine that carries bells and clocks. The database rows are the promise."""

import logging
import os
from pathlib import Path

from celery import Celery
from celery.signals import setup_logging
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careregistry.settings")

TRANSPORT_ALIASES["filesystem"] = "careregistry.broker:Transport"

app = Celery("careregistry")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_our_logging(loglevel, **kwargs):
    """With a receiver here the worker and the clock add no handlers of their own, which would
    write what ours leave out. ``--loglevel`` is for what the engine says of itself."""
    logging.getLogger("celery").setLevel(loglevel)


for key in ("data_folder_in", "data_folder_out", "control_folder"):
    if folder := app.conf.broker_transport_options.get(key):
        Path(folder).mkdir(parents=True, exist_ok=True, mode=0o750)
