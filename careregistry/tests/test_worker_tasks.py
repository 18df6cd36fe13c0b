"""P5: bells and the clock call the worker's jobs by their names."""

import subprocess
import sys

from django.conf import settings

from notifications import owed


def test_a_worker_knows_each_job_by_its_name():
    """In a process of its own: here other tests have imported them."""
    known = "from careregistry.celery import app; app.loader.import_default_modules()"
    listed = [sys.executable, "-c", f"{known}; print(*app.tasks)"]

    answer = subprocess.run(listed, capture_output=True, text=True, check=True, timeout=60)

    called = {job["task"] for job in settings.CELERY_BEAT_SCHEDULE.values()}
    called |= {owed.SEND_MAIL, owed.SEND_SHORT, owed.CALL_WEBHOOKS}
    assert called - set(answer.stdout.split()) == set()
