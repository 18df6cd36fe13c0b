"""The cast. Alice asks, Bob answers, Carol has no business here, Ada runs the place."""

import gc
import os
import subprocess
import sys
from itertools import count

import pytest
from django.conf import settings as real_settings

from accounts.models import Role, Standing
from accounts.remembered import Remembered
from accounts.tests.factories import make_admin, make_agent, make_user
from tickets.tests.factories import make_category, make_ticket

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
    settings.EXPORT_DIR = folder / "exports"


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory):
    """An SQLite file with every table and no people, for installations of their own to copy: to
    migrate takes longer than all the rest of a start."""
    folder = tmp_path_factory.mktemp("empty")
    path = folder / "db.sqlite3"
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity=0"],
        cwd=real_settings.BASE_DIR,
        env=os.environ
        | {"DJANGO_SETTINGS_MODULE": "careregistry.settings", "DATA_DIR": str(folder)}
        | {"DATABASE_URL": f"sqlite:///{path}"},
        check=True,
    )
    return path


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
def login(client):
    """Sign somebody in: ``login(alice).get("/")``."""

    def sign_in(person):
        client.force_login(person)
        return client

    return sign_in
