"""A database full of tickets, and the production server in front of it."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parent.parent
SEED = 1
PASSWORD = "three small words"


class Site:
    """One database of ``tickets`` tickets and what its processes need to know."""

    def __init__(self, server: str, database: str, tickets: int):
        self.tickets = tickets
        self.name = database
        self.maintenance = f"{server}/postgres"
        self.url = f"{server}/{database}"
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "bench.settings",
            "DATABASE_URL": self.url,
            "DATA_DIR": tempfile.mkdtemp(prefix="ccr-bench-"),
            "SECRET_KEY": "bench-only-" + "s" * 50,
            "HISTORY_KEY": "bench-only-" + "h" * 50,
            "EMAIL_URL": "smtp://localhost:1",  # mail is owed, and nobody sends it here
            "DEBUG": "off",
            "LOG_LEVEL": "WARNING",
        }

    def prepare(self) -> None:
        """Make and fill the database unless that was done before."""
        with psycopg.connect(self.maintenance, autocommit=True) as connection:
            known = connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [self.name]
            ).fetchone()
            if not known:
                connection.execute(f'CREATE DATABASE "{self.name}"')
        self.manage("migrate", "--verbosity=0")
        self.manage("collectstatic", "--noinput", "--verbosity=0")
        if not self.ask("SELECT count(*) FROM tickets_ticket"):
            started = time.perf_counter()
            self.manage(
                "seed", f"--tickets={self.tickets}", f"--seed={SEED}", f"--password={PASSWORD}"
            )
            pace = self.tickets / (time.perf_counter() - started)
            print(f"Seeded {self.tickets:,} tickets, {pace:,.0f} a second.", file=sys.stderr)
            with psycopg.connect(self.url, autocommit=True) as connection:
                connection.execute("VACUUM (ANALYZE)")
        if self.ask("SELECT count(*) FROM tickets_ticket") < self.tickets:
            sys.exit(f"{self.name} holds fewer than {self.tickets} tickets: drop it and try again.")

    def manage(self, *arguments: str) -> None:
        subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env=self.environment, check=True
        )

    def ask(self, question: str):
        with psycopg.connect(self.url) as connection:
            return connection.execute(question).fetchone()[0]

    @contextmanager
    def serve(self, *, workers: int = 1, count_queries: bool = False):
        """The running server; it is stopped at the end."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        address = f"http://127.0.0.1:{port}"
        environment = {**self.environment, "SITE_URL": address}
        if count_queries:
            environment["COUNT_QUERIES"] = "1"
        command = ["uvicorn", "careregistry.asgi:application", "--no-access-log"]
        command += [f"--port={port}", f"--workers={workers}", "--log-level=warning"]
        command += ["--timeout-keep-alive=3600"]  # one client idles while another is timed
        process = subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT, env=environment)
        try:
            _wait_for(f"{address}/health/live", process)
            yield Server(port, process.pid)
        finally:
            process.terminate()
            process.wait(timeout=20)


class Server:
    def __init__(self, port: int, pid: int):
        self.port = port
        self.pid = pid

    def memory(self) -> float:
        """What the server and its workers hold, in MiB."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return sum(_resident(pid) for pid in [self.pid, *children]) / 1024


def _resident(pid) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def _wait_for(address, process):
    for _ in range(300):
        if process.poll() is not None:
            sys.exit("The server did not start.")
        try:
            urllib.request.urlopen(address, timeout=2).close()
            return
        except OSError:
            time.sleep(0.1)
    sys.exit("The server does not answer.")
