"""The product as an operator runs it: real processes, a real database, a real mail server."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.conf import settings

from careregistry.management.commands.up import WEB, WORKER
from careregistry.processes import signal_group
from notifications.tests.smtp import free_port
from notifications.tests.telephones import PUSH_KEY

PATIENCE = 60  # seconds


class Installation:
    """One registry: its folder, its database, its web server, its worker.

    ``sink`` receives its mail. Nothing is written by hand: data comes through ``ask`` from the
    product's own actions, or through the pages.
    """

    def __init__(self, folder, sink, database_url):
        self.sink = sink
        self.port = free_port()
        self.address = f"http://localhost:{self.port}"
        self.sessions = {}  # address of a person: the cookies of their sign-in
        self.log = (folder / "log.txt").open("w+")
        self.web = self.worker = self.mail = None
        redis_url = own_redis()
        self.environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "careregistry.settings",
            "DATA_DIR": str(folder),
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "CELERY_BROKER_URL": redis_url or "filesystem://localhost/",
            "EMAIL_URL": f"smtp://127.0.0.1:{sink.port}",
            "PUSH_KEY": PUSH_KEY,
            "SMS_URL": "file:",
            "PORT": str(self.port),
            "SITE_URL": self.address,
            "DEBUG": "off",
            "LOG_LEVEL": "WARNING",
        }

    # --- Processes ------------------------------------------------------

    def start(self):
        self.manage("migrate", "--verbosity=0")
        self.start_web()
        self.worker = self._run(WORKER)

    def start_web(self):
        self.web = self._run([*WEB, "--host=127.0.0.1", f"--port={self.port}"])
        until = time.monotonic() + PATIENCE
        while not self._is_live():
            assert self.web.poll() is None, self._said()
            assert time.monotonic() < until, self._said()
            time.sleep(0.1)

    def start_mail(self):
        """Stay connected to the mailboxes, which announce what comes."""
        self.mail = self._run(["manage", "poll_mail"])

    def kill_web(self):
        signal_group(self.web, signal.SIGKILL)
        self.web.wait()

    def stop(self):
        for process in filter(None, [self.web, self.worker, self.mail]):
            signal_group(process, signal.SIGKILL)
            process.wait()
        self.log.close()

    def _run(self, module):
        return subprocess.Popen(
            [sys.executable, "-m", *module],
            cwd=settings.BASE_DIR,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _is_live(self):
        try:
            with urllib.request.urlopen(f"{self.address}/health/live", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def _said(self):
        self.log.seek(0)
        return self.log.read()

    # --- Data -----------------------------------------------------------

    def manage(self, *arguments, typed=None) -> str:
        """What ``manage.py`` printed; it must succeed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=settings.BASE_DIR,
            env=self.environment,
            input=typed,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ask(self, code):
        """Run Python in the product's shell; ``answer(...)`` in it brings facts back."""
        told = self.manage("shell", "--verbosity=0", "-c", f"{PREAMBLE}\n{code}")
        return json.loads(told.splitlines()[-1]) if told.strip() else None

    # --- Mail -----------------------------------------------------------

    def mail_to(self, address, part=""):
        """The one mail to ``address`` with ``part`` in its number and headline, waited for."""
        until = time.monotonic() + PATIENCE
        while not (found := self.mails_to(address, part)):
            assert time.monotonic() < until, (address, part, self.headlines_to(address))
            time.sleep(0.1)
        assert len(found) == 1, self.headlines_to(address)
        return found[0]

    def mails_to(self, address, part=""):
        return [
            mail for mail in self.sink.mails if mail.recipients == [address] and part in about(mail)
        ]

    def headlines_to(self, address):
        """The headlines in the order they came, without codes."""
        return [mail.headline for mail in self.mails_to(address)]

    def expect_mails(self, expected):
        """``expected``: how often each headline came to each address, and nothing else did."""
        until = time.monotonic() + PATIENCE
        while (came := self._came_to(expected)) != expected:
            assert time.monotonic() < until, came
            time.sleep(0.1)
        assert set(self.sink.message_ids().values()) == {1}

    def _came_to(self, addresses):
        return {address: Counter(self.headlines_to(address)) for address in addresses}


def about(mail):
    """[CCR-2026-00482] We have your ticket"""
    number = re.match(r"\[CCR-\d+-\d+\] ", mail["Subject"])
    return f"{number[0]}{mail.headline}" if number else mail["Subject"]


PREAMBLE = """
import json
from accounts.models import Role, Standing, User
from accounts.tests.factories import make_admin, make_agent, make_user
from messaging import actions as messaging
from tickets import actions
from tickets.models import Category, Ticket, TicketEvent
from tickets.tests.factories import make_category, make_ticket
from tickets.workflow import ResolutionKind, Status
def answer(facts): print(json.dumps(facts, default=str))
"""


@contextmanager
def own_database(folder, empty):
    """A database nobody else uses: a copy of ``empty``, or one more on the server of
    DATABASE_URL."""
    server = os.environ.get("DATABASE_URL", "")
    if not server.startswith("postgres"):
        yield f"sqlite:///{shutil.copy(empty, folder)}"
        return
    name = f"journeys_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def own_redis():
    """The database of this test process on the server of REDIS_URL, if there is one."""
    server = os.environ.get("REDIS_URL", "")
    number = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    return server and urlunsplit(urlsplit(server)._replace(path=f"/{number}"))
