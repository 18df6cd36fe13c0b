"""What is well and what is not: the same list for administrators and for the command."""

import json
import os
import re
import shutil
import socket
import time
from datetime import timedelta
from io import StringIO
from types import SimpleNamespace

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import DatabaseError
from django.urls import reverse
from django.utils import timezone

from accounts import checkups
from accounts.checkups import CHECKUPS, Checkup, Finding, Level
from careregistry import celery, doctor
from notifications.models import OutgoingMail, Webhook, WebhookDelivery
from notifications.webhooks.events import owe_test
from tickets.automation import clockwork
from tickets.models import ClockHand, Ticket
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db

PAGE = "/admin/doctor/"
HOUR = timedelta(hours=1)


def found(code) -> tuple[str, str]:
    """What the checkup says: its level, and its words."""
    (finding,) = [finding for checkup, finding in doctor.examine() if checkup.code == code]
    assert bool(finding.hint) == (finding.level != Level.OK), "A hint, if and only if it is needed"
    return finding.level, finding.found


@pytest.fixture
def mail_server(settings):
    """Something that listens where mail goes."""
    settings.EMAIL_BACKEND = "notifications.mail.backends.SmtpBackend"
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.getsockname()
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
    mail_server.close()
    ill = run()

    assert well[0] == 0
    assert "ok    Mail out: 127.0.0.1" in well[2]
    assert "warn  Backup: No backup is known\n      Set BACKUP_DIR" in well[2]
    assert (ill[0], ill[1]) == (1, "Not well: Mail out")
    assert "bad   Mail out: 127.0.0.1" in ill[2]


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


def test_what_happens_by_itself():
    clockwork.tick()
    steady = found("clock")
    ClockHand.objects.update(steady_since=timezone.now())
    jumped = found("clock")
    Ticket.objects.filter(pk=make_ticket().pk).update(stuck_since=timezone.now())

    assert steady == ("ok", "Time passes steadily")
    assert jumped == ("warn", "It only watches: time has jumped, or nobody looked")
    assert found("clock") == ("warn", "It fails with 1 ticket")


def test_mail_out(mail_server):
    where = f"127.0.0.1, port {mail_server.getsockname()[1]}"
    well = found("mail_out")
    failed = OutgoingMail.objects.create(email="alice@example.org", state="failed")
    given_up = found("mail_out")
    OutgoingMail.objects.create(email="alice@example.org", next_try_at=timezone.now() - HOUR)
    waiting = found("mail_out")
    OutgoingMail.objects.filter(pk=failed.pk).update(created_at=timezone.now() - 200 * HOUR)
    OutgoingMail.objects.filter(state="owed").delete()
    long_ago = found("mail_out")
    mail_server.close()
    level, words = found("mail_out")

    assert well == long_ago == ("ok", f"{where}, can be reached")
    assert given_up == ("warn", "1 was given up this week")
    assert waiting == ("bad", "A mail has been waiting for 60 minutes")
    assert (level, words.rpartition(": ")[0]) == ("bad", f"{where}, can’t be reached")


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
    assert written == ("ok", "Last written 2026-01-02T03:04")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timezone, "now", lambda: monday)
        assert found("history") == ("warn", "Last written 2026-01-02T03:04")


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


def test_a_folder_without_backups_is_bad(settings, tmp_path):
    settings.BACKUP_DIR = str(tmp_path)

    assert found("backup") == ("bad", f"There is none in {tmp_path}")
