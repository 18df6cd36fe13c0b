"""The engine that carries bells and clocks. The database rows are the promise."""

import os
from pathlib import Path

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careregistry.settings")

app = Celery("careregistry")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

for key in ("data_folder_in", "data_folder_out", "control_folder"):
    if folder := app.conf.broker_transport_options.get(key):
        Path(folder).mkdir(parents=True, exist_ok=True, mode=0o750)
