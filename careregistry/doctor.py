"""What a doctor would ask of this installation, and how to mend what ails it."""

import logging
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.core.cache import cache
from django.core.mail import get_connection
from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Q
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.checkups import CHECKUPS, Checkup, Finding, Level, checkup
from accounts.console import capped
from notifications.mail.circuit import circuit_open
from notifications.mail.outbox import HUNG_UP, TOO_SLOW, why_no_talk
from notifications.models import OutgoingMail, Webhook, WebhookDelivery
from tickets import anchors
from tickets.automation import clockwork
from tickets.models import ClockHand, Ticket, TicketEvent

from .celery import LAST_JOB
from .health import MIN_FREE_BYTES, oldest_due_mail_seconds, redis_answers, unapplied_migrations

logger = logging.getLogger(__name__)

MOST_COUNTED = 100
MOST_NAMED = 3
COMFORTABLE_BYTES = 10 * MIN_FREE_BYTES
ANSWER_SECONDS = 7  # some mail servers wait for five before they greet
SILENCE = timedelta(minutes=5)  # longer than any job is seldom
LATE_SECONDS = 600  # of a mail that could have been sent
LATELY = timedelta(days=7)
UNANCHORED = timedelta(days=2)
BACKED_UP = timedelta(hours=26)  # by a job that runs once a day


def examine() -> Iterator[tuple[Checkup, Finding]]:
    for each in CHECKUPS:
        try:
            yield each, each.ask()
        except Exception as trouble:  # the others may say why
            if isinstance(trouble, DatabaseError) and _lacks_migrations():
                continue  # that is said already, and the tables come with them
            logger.exception("%s could not be asked.", each.code)
            words = _("It could not be asked: %(trouble)s")
            found = words % {"trouble": f"{type(trouble).__name__}: {trouble}"}
            yield each, Finding(Level.BAD, found, _("See what the others say, and the log."))


def _lacks_migrations() -> bool:
    try:
        return bool(unapplied_migrations())
    except DatabaseError:
        return False


# --- What everything stands on --------------------------------------------------


@checkup("database", gettext_lazy("Database"))
def ask_database():
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_database_size(current_database())")
            return Finding(Level.OK, f"PostgreSQL, {filesizeformat(cursor.fetchone()[0])}")
        cursor.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
        size = filesizeformat(cursor.fetchone()[0])
        cursor.execute("PRAGMA journal_mode")
        mode = cursor.fetchone()[0]
    found = _("SQLite, %(size)s, journal mode %(mode)s") % {"size": size, "mode": mode}
    if mode == "wal":
        return Finding(Level.OK, found)
    hint = _("People will wait for each other. Put DATA_DIR on a local disk and start anew.")
    return Finding(Level.BAD, found, hint)


@checkup("migrations", gettext_lazy("Migrations"))
def ask_migrations():
    left = unapplied_migrations()
    if not left:
        return Finding(Level.OK, _("All are done"))
    names = [f"{migration.app_label}.{migration.name}" for migration, _back in left]
    shown = ", ".join([*names[:MOST_NAMED], *(["…"] if names[MOST_NAMED:] else [])])
    found = _("%(n)s to do: %(names)s") % {"n": len(names), "names": shown}
    return Finding(Level.BAD, found, _("Run: manage.py migrate"))


@checkup("disk", gettext_lazy("Disk"))
def ask_disk():
    free = shutil.disk_usage(settings.DATA_DIR).free
    words = _("%(free)s are free under %(folder)s")
    found = words % {"free": filesizeformat(free), "folder": settings.DATA_DIR}
    level = Level.OK if free >= COMFORTABLE_BYTES else Level.WARN
    level = level if free >= MIN_FREE_BYTES else Level.BAD
    hint = "" if level == Level.OK else _("Make room, or move DATA_DIR to a larger disk.")
    return Finding(level, found, hint)


@checkup("redis", gettext_lazy("Cache (Redis)"))
def ask_redis():
    if not settings.REDIS_URL:
        return Finding(Level.OK, _("Not used"))
    if redis_answers():
        return Finding(Level.OK, _("It answers"))
    hint = _("Start it, or see REDIS_URL. Until then pages ask instead of being rung.")
    return Finding(Level.WARN, _("It does not answer"), hint)


# --- What works by itself -------------------------------------------------------


@checkup("worker", gettext_lazy("Worker"))
def ask_worker():
    seen = cache.get(LAST_JOB)
    hint = _("Start it: the service careregistry-worker, or make run. If it runs, see its log.")
    return _seen_lately(seen, _("Last job"), _("It has never done a job"), hint)


@checkup("scheduler", gettext_lazy("Scheduler"))
def ask_scheduler():
    hand = ClockHand.objects.first()
    hint = _("Run one: celery -A careregistry beat, or a worker with --beat.")
    never = _("It has never set anything off")
    return _seen_lately(hand and hand.looked_at, _("Last set off"), never, hint)


def _seen_lately(at, what, never, hint) -> Finding:
    if at is None:
        if _is_new():
            return Finding(Level.WARN, _("Not yet: all this was set up just now"), _("Ask again."))
        return Finding(Level.BAD, never, hint)
    found = _("%(what)s %(time)s ago") % {"what": what, "time": timesince(at)}
    is_fresh = timezone.now() - at <= SILENCE
    return Finding(Level.OK if is_fresh else Level.BAD, found, "" if is_fresh else hint)


def _is_new() -> bool:
    first = MigrationRecorder(connection).migration_qs.earliest("applied")
    return timezone.now() - first.applied <= SILENCE


@checkup("clock", gettext_lazy("Clock"))
def ask_clock():
    stuck = Ticket.objects.filter(stuck_since__isnull=False)[: MOST_COUNTED + 1].count()
    if stuck:
        words = ngettext(
            "What happens by itself fails with %(n)s ticket",
            "What happens by itself fails with %(n)s tickets",
            stuck,
        )
        hint = _("The console’s first page leads to them; the worker’s log says why.")
        return Finding(Level.WARN, words % {"n": capped(stuck, MOST_COUNTED)}, hint)
    if clockwork.is_steady(timezone.now()):
        return Finding(Level.OK, _("Time passes steadily"))
    hint = _("It acts again after an hour of steady time. Keep all hosts’ clocks set (NTP).")
    return Finding(Level.WARN, _("It only watches: time has jumped, or nobody looked"), hint)


# --- What goes out and comes in ---------------------------------------------------


@checkup("mail_out", gettext_lazy("Mail out"))
def ask_mail_out():
    if settings.EMAIL_BACKEND.endswith("FolderBackend"):
        words = _("Every mail becomes a file in %(folder)s") % {"folder": settings.MAIL_DIR}
        return Finding(Level.WARN, words, _("Set EMAIL_URL, and people get their mail."))
    if stopped := circuit_open():
        words = _("The server refuses everything: %(answer)s")
        hint = _("Mend what it says; a few mails try it every few minutes. Nothing is given up.")
        return Finding(Level.BAD, words % {"answer": stopped.last_answer}, hint)
    smtp = get_connection(timeout=ANSWER_SECONDS)
    try:
        smtp.open()
    except OSError as trouble:
        hint = _("See EMAIL_URL. What is owed is kept and sent later.")
        return Finding(Level.BAD, why_no_talk(trouble), hint)
    finally:
        smtp.close()
    server = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    owed = OutgoingMail.objects.filter(state=OutgoingMail.State.OWED)
    is_silent = Q(last_answer__startswith=TOO_SLOW) | Q(last_answer__startswith=HUNG_UP)
    if owed.filter(is_silent).exists():
        words = _("%(server)s has a mail and does not say whether it takes it") % {"server": server}
        return Finding(Level.BAD, words, _("See its log: what does it do before it answers?"))
    waiting = oldest_due_mail_seconds()
    if waiting > LATE_SECONDS:
        words = _("A mail has been waiting for %(minutes)s minutes") % {"minutes": waiting // 60}
        return Finding(Level.BAD, words, _("See the worker, and: manage.py outbox list"))
    failed = _given_up(OutgoingMail)
    if failed:
        return Finding(Level.WARN, failed, _("Mend what they say, then: manage.py outbox retry"))
    return Finding(Level.OK, _("%(server)s answers") % {"server": server})


def _given_up(owed) -> str:
    since = timezone.now() - LATELY
    failed = owed.objects.filter(state=owed.State.FAILED, created_at__gte=since)
    unsent = failed.filter(sent_at=None)  # what came back did go out
    count = unsent[: MOST_COUNTED + 1].count()
    words = ngettext("%(n)s was given up this week", "%(n)s were given up this week", count)
    return words % {"n": capped(count, MOST_COUNTED)} if count else ""


@checkup("webhooks", gettext_lazy("Webhooks"))
def ask_webhooks():
    failing = Webhook.objects.filter(failing_since__isnull=False)[:MOST_COUNTED]
    if failing:
        names = ", ".join(webhook.name for webhook in failing)
        hint = _(
            "Their deliveries in the console say why. Switch on again what was switched off, or "
            "save it as it is if nobody needs it."
        )
        return Finding(Level.WARN, _("Failing: %(names)s") % {"names": names}, hint)
    failed = _given_up(WebhookDelivery)
    if failed:
        return Finding(Level.WARN, failed, _("Send them again from the console."))
    return Finding(Level.OK, _("All that was owed was accepted, or is on its way"))


# --- What proves and what saves ---------------------------------------------------


@checkup("history", gettext_lazy("Anchors of the history"))
def ask_history():
    newest = [anchors.NOTHING, *anchors.read()][-1]
    later = TicketEvent.objects.filter(pk__gt=newest.last_line).order_by("pk").first()
    found = _("None yet")
    if newest.at:
        written = timezone.localtime(datetime.fromisoformat(newest.at))
        found = _("Last written %(at)s") % {"at": date_format(written, "DATETIME_FORMAT")}
    if later and timezone.now() - later.at > UNANCHORED:
        return Finding(Level.WARN, found, _("Run: manage.py anchor_history. See the scheduler."))
    return Finding(Level.OK, found)


@checkup("backup", gettext_lazy("Backup"))
def ask_backup():
    if not settings.BACKUP_DIR:
        hint = _("Set BACKUP_DIR; docs/operations.md says what a backup must keep.")
        return Finding(Level.WARN, _("No backup is known"), hint)
    hint = _("See the job that makes them, and docs/operations.md.")
    try:
        newest = max(_files_in(settings.BACKUP_DIR), key=lambda file: file.st_mtime, default=None)
    except OSError as trouble:
        words = _("BACKUP_DIR can’t be read: %(trouble)s")
        return Finding(Level.BAD, words % {"trouble": trouble}, hint)
    if newest is None:
        words = _("There is none in %(folder)s") % {"folder": settings.BACKUP_DIR}
        return Finding(Level.BAD, words, hint)
    made_at = datetime.fromtimestamp(newest.st_mtime, UTC)
    facts = {"time": timesince(made_at), "size": filesizeformat(newest.st_size)}
    found = _("The newest is %(time)s old and has %(size)s") % facts
    is_well = newest.st_size and timezone.now() - made_at <= BACKED_UP
    return Finding(Level.OK, found) if is_well else Finding(Level.BAD, found, hint)


def _files_in(folder: str) -> list[os.stat_result]:
    """Half-written ones have a name that begins with a dot. Nobody reads what is in them."""
    with os.scandir(folder) as entries:
        return [each.stat() for each in entries if each.is_file() and each.name[0] != "."]
