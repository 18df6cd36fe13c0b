"""The cast. Alice asks, Bob answers, Carol has no business here, Ada runs the place."""

import fcntl
import gc
import os
import shutil
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest
from django.conf import settings as real_settings
from django.core.management.commands import flush
from django.db import connection

from accounts.models import Role, Standing
from accounts.remembered import Remembered
from accounts.tests.factories import make_admin, make_agent, make_user
from tickets.parties import participants
from tickets.tests.factories import make_category, make_ticket

os.environ.setdefault("AIOSMTPD_CONTROLLER_TIMEOUT", "60")  # a busy machine is no failure

_numbers = count(1)


def pytest_collection_finish():
    """All that was imported stays: the garbage collector need not look through it ever again, nor
    so often through what a page leaves behind."""
    gc.freeze()
    gc.set_threshold(50_000)


@pytest.fixture(autouse=True)
def remembered_anew():
    """What a process remembers must not reach the next test."""
    for each in Remembered.all:
        each.forget()


@pytest.fixture(autouse=True)
def files_of_their_own(settings, tmp_path_factory):
    """Named here and made by who writes one: ``tmp_path`` looks through all it has made so far."""
    folder = tmp_path_factory.getbasetemp() / f"files-of-{next(_numbers)}"
    settings.MEDIA_ROOT = folder / "files"
    settings.MAIL_DIR = folder / "mail"
    settings.SMS_DIR = folder / "sms"
    settings.EXPORT_DIR = folder / "exports"


# --- Databases ----------------------------------------------------------------------


def pytest_sessionstart(session):
    """Where tests run in several processes, the empty database is made while they collect them."""
    if session.config.getoption("numprocesses", None) and connection.vendor == "sqlite":
        begin_empty_database(session.config._tmp_path_factory.getbasetemp())


def begin_empty_database(shared: Path) -> None:
    """Unless it is there, or on its way: who makes it holds the lock until it is whole."""
    folder = shared / "empty"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / "whole").exists():
            return
        make = '("$0" "$1" migrate --verbosity=0 && touch whole) &'
        subprocess.run(
            ["sh", "-c", make, sys.executable, str(real_settings.BASE_DIR / "manage.py")],
            cwd=folder,
            env=os.environ
            | {"DJANGO_SETTINGS_MODULE": "careregistry.settings", "DATA_DIR": str(folder)}
            | {"DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}"},
            pass_fds=[lock.fileno()],
            check=True,
        )


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory):
    """An SQLite file with every table and no people, to copy: to migrate takes longer than all
    the rest of a start. One for all processes of a run."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    begin_empty_database(shared)
    with (shared / "empty" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert (shared / "empty" / "whole").exists(), "The migrations failed."
    return shared / "empty" / "db.sqlite3"


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_createdb):
    """On SQLite the tests' database is a copy, which goes with the folder it lies in."""
    return connection.vendor == "sqlite" and not django_db_createdb


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix, django_db_keepdb, tmp_path_factory, request
):
    """On PostgreSQL each process has a name of its own."""
    if django_db_keepdb:
        name = str(tmp_path_factory.getbasetemp() / "test.sqlite3")
        shutil.copy(request.getfixturevalue("empty_database"), name)
        connection.settings_dict["TEST"]["NAME"] = name


@pytest.fixture(scope="session", autouse=True)
def quick_flush():
    """After a test with transactions every table that has rows is emptied: to truncate all of them
    takes PostgreSQL longer than the test. But for two that hold what stands in the code."""
    same_for_all = {"django_content_type", "auth_permission"}

    def sql_flush(style, connection, **options):
        tables = connection.introspection.django_table_names(only_existing=True)
        any_row = "SELECT '{0}' WHERE EXISTS (SELECT 1 FROM {0})"
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(map(any_row.format, {*tables} - same_for_all)))
            filled = [table for (table,) in cursor]
        return [f"DELETE FROM {table}" for table in filled]  # noqa: S608

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flush, "sql_flush", sql_flush)
        patch.setattr(flush, "emit_post_migrate_signal", lambda *args, **kwargs: None)
        yield


# --- People -------------------------------------------------------------------------


@pytest.fixture
def alice(db):
    return make_user("Alice", last_name="Archer", email="alice@example.org")


@pytest.fixture
def bob(db):
    return make_agent("Bob", last_name="Baker", email="bob@example.org")


@pytest.fixture
def carol(db):
    return make_user("Carol", last_name="Cole", email="carol@example.org")


@pytest.fixture
def dave(db):
    """An agent who is not on the ticket."""
    return make_agent("Dave", last_name="Dunn", email="dave@example.org")


@pytest.fixture
def dan(db):
    """A customer whom others let take part."""
    return make_user("Dan", last_name="Drew", email="dan@example.org")


@pytest.fixture
def ada(db):
    return make_admin("Ada", last_name="Adler", email="ada@example.org")


@pytest.fixture
def pete(db):
    """An agent who waits for approval."""
    return make_user("Pete", role=Role.AGENT, standing=Standing.PENDING, email="pete@example.org")


@pytest.fixture
def kettles(db):
    return make_category("Faulty product", team_name="Returns team")


@pytest.fixture
def ticket(alice, bob, ada, kettles):
    """Alice's ticket, assigned to Bob."""
    return make_ticket(requester=alice, assignee=bob, category=kettles, by=ada)


@pytest.fixture
def shared(ticket, dan, bob):
    """Alice's ticket with Bob, in which Dan takes part."""
    participants.add(ticket, dan.email, by=bob)
    return ticket


@pytest.fixture
def login(client):
    """Sign somebody in: ``login(alice).get("/")``."""

    def sign_in(person):
        client.force_login(person)
        return client

    return sign_in
