"""What is well and what is not: the same list for administrators and for the command."""

import json
import os
import re
import shutil
import time
from datetime import timedelta
from io import StringIO
from types import SimpleNamespace

import pytest
from celery.signals import worker_ready
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import DatabaseError
from django.db.migrations.recorder import MigrationRecorder
from django.urls import reverse
from django.utils import timezone

from accounts import checkups
from accounts.checkups import CHECKUPS, Checkup, Finding, Level
from careregistry import celery, doctor
from messaging.models import InboundMail
from notifications.models import OutgoingMail, Webhook, WebhookDelivery
from notifications.tests.smtp import Sink
from notifications.webhooks.events import owe_test
from tickets.automation import clockwork
from tickets.models import ClockHand, Ticket
from tickets.tasks import run_the_clock
from tickets.tests.factories import make_ticket

from .test_checks import GOOD
from .test_checks import run as run_alone

pytestmark = pytest.mark.django_db

PAGE = "/admin/doctor/"
HOUR = timedelta(hours=1)


def found(code) -> tuple[str, str]:
    """What the checkup says: its level, and its words."""
    (finding,) = [finding for checkup, finding in doctor.examine() if checkup.code == code]
    assert bool(finding.hint) == (finding.level != Level.OK), "A hint, if and only if it is needed"
    return finding.level, finding.found


@pytest.fixture(autouse=True)
def set_up():
    """When the registry was: long ago, so that whoever has done nothing yet should have."""
    MigrationRecorder.Migration.objects.update(applied=timezone.now() - HOUR)
    return MigrationRecorder.Migration.objects.all()


@pytest.fixture
def mail_server(settings):
    """A server that takes mail, but nobody's sign-in."""
    settings.EMAIL_BACKEND = "notifications.mail.backends.SmtpBackend"
    with Sink() as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.hostname, server.port
        yield server


@pytest.fixture
def at_work():
    """Worker and clock were here a moment ago."""
    cache.set(celery.LAST_JOB, timezone.now())
    clockwork.tick()


# --- The page and the command ---------------------------------------------------------


def test_administrators_read_every_finding(login, ada, mail_server, at_work):
    page = login(ada).get(reverse("admin:doctor"))

    assert page.wsgi_request.path == PAGE
    for checkup in CHECKUPS:
        assert str(checkup.name) in page.text
    assert "No backup is known" in page.text
    assert "docs/operations.md says what a backup must keep." in page.text


def test_its_rows_are_named_like_what_an_operator_looks_for():
    names = {checkup.code: str(checkup.name) for checkup in CHECKUPS}

    assert (names["clock"], names["redis"]) == ("Clock", "Cache (Redis)")


@pytest.mark.plan("SEC-A16")
@pytest.mark.parametrize(("person", "status"), [("ada", 200), ("bob", 403), ("alice", 403)])
def test_it_is_for_administrators(login, request, person, status):
    assert login(request.getfixturevalue(person)).get(PAGE).status_code == status


def test_strangers_sign_in_first_and_nobody_sends_anything(client, login, ada):
    assert client.get(PAGE).url.startswith("/account/login/")
    assert login(ada).post(PAGE).status_code == 405


def test_the_console_leads_there(login, ada):
    """In the sidebar, and on the dashboard itself, as a telephone shows no sidebar."""
    page = login(ada).get(reverse("admin:index")).text

    assert f'<a href="{PAGE}">Is everything well?</a>' in page
    assert re.search(rf'<nav [^>]*id="nav-sidebar".*href="{PAGE}"[^>]*>Doctor</a>', page, re.DOTALL)


def test_the_page_costs_the_same_however_much_there_is(
    login, ada, mail_server, at_work, django_assert_num_queries, django_assert_max_num_queries
):
    client = login(ada)
    client.get(PAGE)

    with django_assert_max_num_queries(30) as queries:
        client.get(PAGE)
    for number in range(3):
        make_ticket()
        OutgoingMail.objects.create(email="alice@example.org", state="failed")
        owe_test(Webhook.objects.create(name=number, url=""))
    with django_assert_num_queries(len(queries)):
        client.get(PAGE)


def run(*arguments):
    out = StringIO()
    try:
        call_command("doctor", *arguments, stdout=out)
    except CommandError as refusal:
        return refusal.returncode, str(refusal), out.getvalue()
    return 0, "", out.getvalue()


def test_the_command_ends_well_unless_something_is_bad(mail_server, at_work):
    well = run()
    mail_server.stop()
    ill = run()

    assert well[0] == 0
    assert "ok    Mail out: 127.0.0.1" in well[2]
    assert "warn  Backup: No backup is known\n      Set BACKUP_DIR" in well[2]
    assert (ill[0], ill[1]) == (1, "Not well: Mail out")
    assert "bad   Mail out: Nobody answers at 127.0.0.1" in ill[2]


def test_programs_read_json(mail_server, at_work):
    _code, _words, out = run("--json")

    rows = {row.pop("code"): row for row in json.loads(out)}
    assert list(rows) == [checkup.code for checkup in CHECKUPS]
    assert rows["backup"] == {
        "level": "warn",
        "found": "No backup is known",
        "hint": "Set BACKUP_DIR; docs/operations.md says what a backup must keep.",
    }


def test_one_that_fails_does_not_keep_the_others(monkeypatch):
    def fail():
        raise DatabaseError("disk I/O error")

    well = Checkup("well", "Well", lambda: Finding(Level.OK, "It is"))
    monkeypatch.setattr(checkups, "CHECKUPS", [])
    monkeypatch.setattr(doctor, "CHECKUPS", [Checkup("broken", "Broken", fail), well])

    assert found("broken") == ("bad", "It could not be asked: DatabaseError: disk I/O error")
    assert found("well") == ("ok", "It is")


def test_before_the_migrations_only_they_are_missed(tmp_path):
    """What asks tables that are not there is left out, as is what the log would say of it."""
    answer = run_alone("manage.py", "doctor", data_dir=tmp_path, **GOOD)

    assert answer.stdout.count("Run: manage.py migrate") == 1
    assert "could not be asked" not in answer.stdout
    assert (answer.returncode, "Traceback" in answer.stderr) == (1, False)
    assert answer.stderr.endswith("CommandError: Not well: Migrations\n")


# --- Each of them ---------------------------------------------------------------------


def test_database():
    level, words = found("database")

    assert level == "ok"
    assert words.startswith(("SQLite, ", "PostgreSQL, "))


def test_migrations(monkeypatch):
    left = [(SimpleNamespace(app_label="tickets", name=f"00{n}"), False) for n in range(90, 95)]
    well = found("migrations")
    monkeypatch.setattr(doctor, "unapplied_migrations", lambda: left)

    assert well == ("ok", "All are done")
    assert found("migrations") == ("bad", "5 to do: tickets.0090, tickets.0091, tickets.0092, …")


@pytest.mark.parametrize(("free", "level"), [(2**20, "bad"), (2**29, "warn"), (2**34, "ok")])
def test_disk(monkeypatch, free, level):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free))

    assert found("disk")[0] == level


@pytest.mark.plan("SEC-F5")
def test_redis(settings):
    settings.REDIS_URL = ""
    unused = found("redis")
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    assert unused == ("ok", "Not used")
    assert found("redis") == ("warn", "It does not answer")


def test_worker(monkeypatch):
    """A worker writes down, to the minute, when it ended a job."""
    never = found("worker")
    monkeypatch.setattr(celery.note_job, "noted_at", -celery.NOTED_EVERY)
    celery.note_job()
    now = found("worker")
    cache.set(celery.LAST_JOB, timezone.now() - HOUR)
    celery.note_job()  # within the minute: not written again

    assert never == ("bad", "It has never done a job")
    assert now[0] == "ok"
    assert found("worker") == ("bad", "Last job 1\xa0hour ago")


def test_scheduler():
    never = found("scheduler")
    clockwork.tick()
    now = found("scheduler")
    ClockHand.objects.update(looked_at=timezone.now() - HOUR)

    assert never == ("bad", "It has never set anything off")
    assert now[0] == "ok"
    assert found("scheduler") == ("bad", "Last set off 1\xa0hour ago")


@pytest.mark.parametrize("code", ["worker", "scheduler"])
@pytest.mark.parametrize(("minutes", "level"), [(4, "warn"), (6, "bad")])
def test_what_was_set_up_just_now_has_done_nothing_yet(set_up, code, minutes, level):
    set_up.filter(app="tickets").update(applied=timezone.now())
    set_up.exclude(app="tickets").update(applied=timezone.now() - timedelta(minutes=minutes))

    assert found(code)[0] == level


def test_a_worker_that_has_just_started_is_no_trouble(monkeypatch):
    """Nor is the scheduler, whose first turn comes after a minute."""
    tasks = {run_the_clock.name: run_the_clock}
    monkeypatch.setattr(celery.app, "send_task", lambda name: tasks[name]())
    before = found("scheduler")

    worker_ready.send(sender=None)

    assert (before[0], found("scheduler")[0]) == ("bad", "ok")


def test_what_happens_by_itself():
    clockwork.tick()
    steady = found("clock")
    ClockHand.objects.update(steady_since=timezone.now())
    jumped = found("clock")
    Ticket.objects.filter(pk=make_ticket().pk).update(stuck_since=timezone.now())

    assert steady == ("ok", "Time passes steadily")
    assert jumped == ("warn", "It only watches: time has jumped, or nobody looked")
    assert found("clock") == ("warn", "What happens by itself fails with 1 ticket")


def test_mail_out(mail_server, settings):
    where = f"127.0.0.1:{mail_server.port}"
    well = found("mail_out")
    failed = OutgoingMail.objects.create(email="alice@example.org", state="failed")
    given_up = found("mail_out")
    OutgoingMail.objects.create(email="alice@example.org", next_try_at=timezone.now() - HOUR)
    waiting = found("mail_out")
    OutgoingMail.objects.filter(pk=failed.pk).update(created_at=timezone.now() - 200 * HOUR)
    OutgoingMail.objects.filter(state="owed").delete()
    long_ago = found("mail_out")
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "care", "wrong"
    unknown = found("mail_out")
    mail_server.stop()
    away = found("mail_out")

    assert well == long_ago == ("ok", f"{where} answers")
    assert given_up == ("warn", "1 was given up this week")
    assert waiting == ("bad", "A mail has been waiting for 60 minutes")
    refusal = "535 5.7.8 Authentication credentials invalid"
    assert unknown == ("bad", f"{where} refuses our sign-in: {refusal}")
    assert away == ("bad", f"Nobody answers at {where}: connection refused")


def test_a_mail_that_came_back_was_not_given_up(mail_server):
    """It did go out, and nothing here can be mended."""
    now = timezone.now()
    OutgoingMail.objects.create(
        email="gone@example.org", state="failed", sent_at=now, bounced_at=now
    )

    assert found("mail_out")[0] == "ok"


def test_who_counts_no_further_says_so(mail_server):
    held = {"source": "lmtp", "fate": "held", "size": 1}
    for count in (100, 1):
        OutgoingMail.objects.bulk_create(
            OutgoingMail(email="alice@example.org", state="failed") for _ in range(count)
        )
        InboundMail.objects.bulk_create(InboundMail(**held) for _ in range(count))
        said = found("mail_out")[1], found("mail_waiting")[1]
        if count == 100:
            exactly = said

    words = "%s were given up this week", "%s mails are held or could not be processed"
    assert exactly == tuple(each % "100" for each in words)
    assert said == tuple(each % "100+" for each in words)


def test_mail_that_goes_into_a_folder(settings):
    settings.EMAIL_BACKEND = "notifications.mail.backends.FolderBackend"

    assert found("mail_out") == ("warn", f"Every mail becomes a file in {settings.MAIL_DIR}")


def test_webhooks():
    well = found("webhooks")
    webhook = Webhook.objects.create(name="CRM", url="https://crm.example.com/")
    owe_test(webhook)
    WebhookDelivery.objects.update(state="failed")
    given_up = found("webhooks")
    Webhook.objects.update(failing_since=timezone.now())

    assert well[0] == "ok"
    assert given_up == ("warn", "1 was given up this week")
    assert found("webhooks") == ("warn", "Failing: CRM")


def test_anchors_of_the_history(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    none = found("history")
    (tmp_path / "history-anchors.jsonl").write_text(
        '{"at": "2026-01-02T03:04:05+00:00", "last_line": 0, "tickets": 0, "lines": 0,'
        ' "fingerprint": ""}\n'
    )
    written = found("history")
    ticket = make_ticket()
    monday = ticket.created_at + timedelta(days=3)

    assert none == ("ok", "None yet")
    assert written == ("ok", "Last written 2 Jan 2026, 03:04")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timezone, "now", lambda: monday)
        assert found("history") == ("warn", "Last written 2 Jan 2026, 03:04")


# --- Backups ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "size", "expected"),
    [
        (1, 2048, ("ok", "The newest is 1\xa0hour old and has 2.0\xa0KB")),
        (27, 2048, ("bad", "The newest is 1\xa0day, 3\xa0hours old and has 2.0\xa0KB")),
        (1, 0, ("bad", "The newest is 1\xa0hour old and has 0\xa0bytes")),
    ],
)
def test_the_newest_backup_tells_its_age(settings, tmp_path, hours, size, expected):
    settings.BACKUP_DIR = str(tmp_path)
    for name, age, content in (("old.dump", 90, b"x"), ("new.dump", hours, b"x" * size)):
        tmp_path.joinpath(name).write_bytes(content)
        moment = time.time() - age * 3600 - 1
        os.utime(tmp_path / name, (moment, moment))
    tmp_path.joinpath(".unfinished").touch()

    assert found("backup") == expected


def test_a_folder_that_is_not_there_is_bad(settings, tmp_path, caplog):
    settings.BACKUP_DIR = str(tmp_path / "gone")

    trouble = f"[Errno 2] No such file or directory: '{settings.BACKUP_DIR}'"
    assert found("backup") == ("bad", f"BACKUP_DIR can’t be read: {trouble}")
    assert caplog.messages == []


def test_a_folder_without_backups_is_bad(settings, tmp_path):
    settings.BACKUP_DIR = str(tmp_path)

    assert found("backup") == ("bad", f"There is none in {tmp_path}")
