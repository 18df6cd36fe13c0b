"""One command starts everything, and takes everything with it when it ends."""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing

import pytest
from django.conf import settings as real_settings

from notifications.tests.smtp import free_port

pytestmark = pytest.mark.fault

PATIENCE = 120  # seconds; a busy machine is no failure


@pytest.fixture
def data_dir(tmp_path, empty_database):
    """A folder with the database of an earlier start, so that there is nothing to migrate."""
    shutil.copy(empty_database, tmp_path)
    return tmp_path


class Running:
    """``manage.py up`` with a folder of its own."""

    def __init__(self, data_dir, *options, port=None):
        self.port = port or free_port()
        self.output = (data_dir / "output.txt").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up", *options],
            cwd=real_settings.BASE_DIR,
            env=os.environ
            | {
                "DJANGO_SETTINGS_MODULE": "careregistry.settings",
                "DATA_DIR": str(data_dir),
                "DATABASE_URL": f"sqlite:///{data_dir}/db.sqlite3",
                "REDIS_URL": "",
                "EMAIL_URL": "",
                "SITE_URL": f"http://localhost:{self.port}",
                "PORT": str(self.port),
            },
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def __enter__(self):
        wait_for(lambda: "Stop with Ctrl-C" in self.said() or self.process.poll() is not None)
        return self

    def __exit__(self, *args):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.wait(PATIENCE)
        self.output.close()

    def said(self):
        with open(self.output.name) as output:
            return output.read()

    def family(self):
        """Every process it started, and what those started."""
        return descendants(self.process.pid)

    def get(self, path):
        web = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        web.request("GET", path, headers={"Host": f"localhost:{self.port}"})
        with closing(web):
            answer = web.getresponse()
            return answer.status, answer.read()


def wait_for(condition, seconds=PATIENCE):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.1)


def children(pids):
    rows = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True)
    pairs = [map(int, row.split()) for row in rows.stdout.splitlines()]
    return {child for child, parent in pairs if parent in pids}


def descendants(pid):
    found, last = set(), {pid}
    while last:
        last = children(last)
        found |= last
    return found


def alive(pids):
    rows = subprocess.run(["ps", "-eo", "pid=,stat="], capture_output=True, text=True, check=True)
    running = {int(row.split()[0]) for row in rows.stdout.splitlines() if "Z" not in row.split()[1]}
    return pids & running


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_every_process_it_started(data_dir, number):
    """Web server, worker, and the clock that the worker starts."""
    with Running(data_dir, "--no-demo") as registry:
        wait_for(lambda: len(registry.family()) >= 3)
        family = registry.family()

        registry.process.send_signal(number)
        ended = registry.process.wait(PATIENCE)

    assert ended == 0
    assert alive(family) == set()


def test_it_prints_where_who_and_where_mail_goes_and_keeps_the_data(tmp_path):
    """C6, D0-T1: the address, the accounts, the folder of the mails; the same the second time."""
    with Running(tmp_path) as registry:
        first = registry.said()
        assert registry.get("/health/live") == (200, b"ok")
        assert registry.get("/health/ready") == (200, b"ready")
        assert f"http://localhost:{registry.port}\n" in first
        assert "amara.okafor@example.com" in first
        assert f"{tmp_path}/mail" in first
        port = registry.port

    with Running(tmp_path, port=port) as registry:
        second = registry.said()

    assert accounts_in(second) == accounts_in(first)
    assert len(accounts_in(first)) == 9
    assert "Loading demonstration data" in first
    assert "Loading demonstration data" not in second


def accounts_in(words):
    return [line for line in words.splitlines() if "@example.com" in line]


def test_without_demonstration_data_it_names_the_way_in(data_dir):
    with Running(data_dir, "--no-demo") as registry:
        words = registry.said()

    assert accounts_in(words) == []
    assert "manage.py create_first_admin" in words


def test_a_worker_that_dies_is_started_again(data_dir):
    """P5: one bad bell, or whatever ends it, must not end the pages."""
    with Running(data_dir, "--no-demo") as registry:
        wait_for(lambda: child_of(registry, "celery"))
        worker = child_of(registry, "celery")

        os.kill(worker, signal.SIGKILL)
        wait_for(lambda: child_of(registry, "celery") not in (None, worker))

        assert registry.get("/health/live") == (200, b"ok")
        assert "The worker ended by itself with exit code -9. It is started again." in (
            registry.said()
        )


def test_when_the_web_server_dies_the_rest_ends_and_it_says_so(data_dir):
    with Running(data_dir, "--no-demo") as registry:
        wait_for(lambda: len(registry.family()) >= 3)
        family = registry.family()

        os.kill(child_of(registry, "uvicorn"), signal.SIGKILL)
        ended = registry.process.wait(PATIENCE)
        words = registry.said()

    assert ended != 0
    assert "The web server ended by itself with exit code -9" in words
    assert alive(family) == set()


def child_of(registry, program) -> int | None:
    found = children({registry.process.pid})
    return next((pid for pid in found if program in command_of(pid)), None)


def command_of(pid):
    """Empty for one that is gone."""
    asked = ["ps", "-o", "args=", "-p", str(pid)]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout


def test_a_taken_port_is_said_in_words(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with Running(tmp_path, port=port) as registry:
            ended = registry.process.wait(PATIENCE)
            words = registry.said()

    assert ended == 1
    assert f"Port {port} is in use" in words
    assert f"PORT={port + 1} make run" in words
    assert not (tmp_path / "db.sqlite3").exists()
