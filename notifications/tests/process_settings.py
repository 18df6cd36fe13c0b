"""Settings of a real worker process in tests: the tests' database, a queue and a mail server."""

from careregistry.settings import DATA_DIR
from careregistry.settings_test import *  # noqa: F403

EMAIL_BACKEND = "notifications.mail.backends.SmtpBackend"
CELERY_BROKER_URL = "filesystem://"
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "data_folder_in": str(DATA_DIR / "queue"),
    "data_folder_out": str(DATA_DIR / "queue"),
    "control_folder": str(DATA_DIR / "queue-control"),
    "polling_interval": 0.2,
}
PUSH_INTERNAL_HOSTS = ["127.0.0.1"]
WORKER_NICENESS = 0  # other tests compute at the same time
CELERY_BEAT_SCHEDULE = {
    "send-owed-mail": {"task": "notifications.tasks.send_owed_mail", "schedule": 0.5},
    "call-webhooks": {"task": "notifications.webhooks.tasks.call_webhooks", "schedule": 0.5},
    "send-short-messages": {
        "task": "notifications.short_messages.tasks.send_short_messages",
        "schedule": 0.5,
    },
}
