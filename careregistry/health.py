"""Is it alive, is it ready? Bare answers for everybody, details for administrators."""

import os
import shutil

import redis
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from notifications.models import OutgoingMail
from tickets.models import ClockHand, Ticket

MIN_FREE_BYTES = 100 * 1024**2


@require_safe
@never_cache
@login_not_required
def live(request):
    """This process answers. Asks nothing else, so a broken database restarts nobody."""
    return HttpResponse("ok", content_type="text/plain")


@require_safe
@never_cache
@login_not_required
def ready(request):
    """200 when people can be sent here, 503 when not. What is wrong is for administrators."""
    checks = {"database": database_answers()}
    # The others ask the database, so there is no point without it.
    checks["migrations"] = checks["database"] and is_migrated()
    checks["data_folder"] = has_room()
    is_ready = all(checks.values())
    status = 200 if is_ready else 503
    if checks["migrations"] and request.user.is_authenticated and request.user.is_staff:
        return JsonResponse({"ready": is_ready, **checks, **details()}, status=status)
    return HttpResponse(
        "ready" if is_ready else "not ready", status=status, content_type="text/plain"
    )


def database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def unapplied_migrations() -> list:
    executor = MigrationExecutor(connection)
    return executor.migration_plan(executor.loader.graph.leaf_nodes())


def is_migrated() -> bool:
    """Asked of the database until it says yes: under running code that never becomes a no."""
    if not is_migrated.known:
        is_migrated.known = not unapplied_migrations()
    return is_migrated.known


is_migrated.known = False


def has_room() -> bool:
    return (
        os.access(settings.DATA_DIR, os.W_OK)
        and shutil.disk_usage(settings.DATA_DIR).free >= MIN_FREE_BYTES
    )


def details() -> dict:
    """What an administrator asks when something feels slow. None of it blocks readiness."""
    return {
        "oldest_due_mail_seconds": oldest_due_mail_seconds(),
        "clock_looked_seconds_ago": clock_looked_seconds_ago(),
        "stuck_tickets": Ticket.objects.filter(stuck_since__isnull=False)[:100].count(),
        "redis": redis_answers() if settings.REDIS_URL else None,
        "disk_free_bytes": shutil.disk_usage(settings.DATA_DIR).free,
    }


def oldest_due_mail_seconds() -> int:
    """How long the mail that waits longest could have been sent already: the worker's delay."""
    now = timezone.now()
    first = OutgoingMail.objects.due(now).first()
    return int((now - first.next_try_at).total_seconds()) if first else 0


def clock_looked_seconds_ago() -> int | None:
    """None until it looked for the first time."""
    hand = ClockHand.objects.first()
    return hand and int((timezone.now() - hand.looked_at).total_seconds())


def redis_answers() -> bool:
    server = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)
    try:
        return server.ping()
    except redis.RedisError:
        return False
    finally:
        server.close()
