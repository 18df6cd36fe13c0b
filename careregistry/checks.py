"""What must be true before this installation serves people. Production fails closed."""

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from celery.signals import beat_init, worker_init
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.checks import Error, Tags, register
from django.db import connection

from accounts.hosts import is_local

MIN_KEY_LENGTH = 50


def unsafe_settings() -> list[str]:
    """Why these settings may not serve people: a sentence for each fault, none on this machine."""
    site = urlsplit(settings.SITE_URL)
    if is_local(site.hostname or "") and not settings.PRODUCTION:
        foreign = [host for host in settings.ALLOWED_HOSTS if not is_local(host)]
        if settings.DEBUG and foreign:
            return [f"DEBUG is on while other hosts are answered: {', '.join(foreign)}."]
        return []
    faults = [
        (settings.DEBUG, "DEBUG is on for a public host."),
        (site.scheme != "https", "SITE_URL is public, so it must begin with https://."),
        ("*" in settings.ALLOWED_HOSTS, "ALLOWED_HOSTS answers to any host name."),
        (settings.SECRET_KEY == settings.HISTORY_KEY, "SECRET_KEY and HISTORY_KEY are the same."),
        (
            settings.EMAIL_BACKEND.endswith("FolderBackend"),
            "EMAIL_URL is missing, so nobody would get any mail.",
        ),
    ]
    faults += [
        (
            len(getattr(settings, name)) < MIN_KEY_LENGTH,
            f"{name} is shorter than {MIN_KEY_LENGTH} characters.",
        )
        for name in ("SECRET_KEY", "HISTORY_KEY")
    ]
    return [sentence for is_fault, sentence in faults if is_fault]


@register(Tags.security, deploy=True)
def check_settings(app_configs, **kwargs):
    return [Error(sentence, id="careregistry.E001") for sentence in unsafe_settings()]


@register()
def check_times(app_configs, **kwargs):
    """Of what happens by itself. 0 switches a step off."""
    faults = [
        f"REMIND_DAYS_BEFORE must be less than {name}."
        for name in ("WAITING_DAYS", "CLOSE_AFTER_DAYS")
        if 0 < getattr(settings, name) <= settings.REMIND_DAYS_BEFORE
    ]
    return [Error(sentence, id="careregistry.E002") for sentence in faults]


def has_demonstration_accounts() -> bool:
    try:
        return get_user_model().objects.filter(is_demo=True).exists()
    finally:
        connection.close()


def stop_if_unsafe(*, is_migrated=True, **kwargs) -> None:
    """End this process, with all reasons, when it would serve people unsafely.

    Called by every way to start: asgi, wsgi, worker, beat and ``manage.py up``, which asks first
    before it migrates, when there may be no people to look at. SystemExit, because Celery only
    logs what else a start signal raises.
    """
    reasons = unsafe_settings()
    if settings.PRODUCTION and is_migrated:
        # In a thread of its own: asgi is imported inside a running event loop.
        with ThreadPoolExecutor(1) as thread:
            if thread.submit(has_demonstration_accounts).result():
                reasons.append(
                    "The database holds demonstration accounts. Start with an empty database."
                )
    if reasons:
        raise SystemExit("\n - ".join(["Not started:", *reasons]))


worker_init.connect(stop_if_unsafe)
beat_init.connect(stop_if_unsafe)
