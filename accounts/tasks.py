from celery import shared_task

from . import applications, erasure, exports, leftovers, limits, retention, sessions
from .steadiness import while_steady


@shared_task
@while_steady
def expire_applications():
    applications.expire()


@shared_task
@while_steady
def forget_old_attempts():
    """What no limit and no browser needs any more."""
    limits.forget_old()
    sessions.SessionStore.clear_expired()


@shared_task
def make_exports():
    exports.make_due()


@shared_task
@while_steady
def drop_old_exports():
    exports.drop_old()


@shared_task
@while_steady
def erase_due():
    erasure.erase_due()


@shared_task
@while_steady
def keep_retention():
    for _outcome in retention.keep_rules():
        pass


@shared_task
def remove_left_files():
    leftovers.remove_left_files()
