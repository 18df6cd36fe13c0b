"""Everything this installation needs on one machine, from one command."""

import errno
import http.client
import os
import socket
import time

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command

from accounts.models import User
from careregistry import demo
from careregistry.checks import stop_if_unsafe
from careregistry.health import unapplied_migrations
from careregistry.processes import Processes

START_SECONDS = 60
WEB = [
    "uvicorn", "careregistry.asgi:application",
    # Nobody stands before it here, so nobody's word about forwarded addresses counts.
    "--no-proxy-headers", "--no-server-header", "--no-access-log", "--log-level=warning",
    "--ws-max-size=65536", "--timeout-graceful-shutdown=3",
]  # fmt: skip
WORKER = [
    "celery", "--quiet", "--app=careregistry", "worker", "--beat",
    "--pool=solo", "--concurrency=1", "--loglevel=warning",
    "--without-gossip", "--without-mingle", "--without-heartbeat",
]  # fmt: skip


class Command(BaseCommand):
    help = "Prepare the database, start web server and worker, stop both with Ctrl-C."

    def add_arguments(self, parser):
        parser.add_argument("--host", default="127.0.0.1", help="where the web server listens")
        parser.add_argument("--no-demo", action="store_true", help="no demonstration data")

    def handle(self, *, host, no_demo, **options):
        os.umask(0o027)  # what is written under DATA_DIR is nobody else's to read
        stop_if_unsafe(is_migrated=False)
        refuse_taken_port(host, settings.PORT)
        self.prepare(with_demo=not (no_demo or settings.PRODUCTION))
        stop_if_unsafe()
        with Processes(tell=self.stderr.write) as processes:
            processes.start("web server", [*WEB, f"--host={host}", f"--port={settings.PORT}"])
            # Pages work without it, and all it has to do stands in the database.
            processes.start("worker", WORKER, may_be_revived=True)
            self.wait_until_live(host, processes)
            if not processes.is_over():
                self.stdout.write(banner(host))
                self.stdout.flush()
            while not processes.is_over():
                time.sleep(0.2)
            self.stdout.write("\nStopping")
        if processes.failure:
            raise CommandError(processes.failure)

    def prepare(self, *, with_demo):
        if unapplied_migrations():
            self.stdout.write("Preparing the database")
            call_command("migrate", verbosity=0)
        # Only into an empty registry: real people never find strangers among them.
        if with_demo and not User.objects.exists():
            self.stdout.write("Loading demonstration data")
            self.stdout.flush()
            demo.load()

    def wait_until_live(self, host, processes):
        until = time.monotonic() + START_SECONDS
        while not processes.is_over() and not is_live(host, settings.PORT):
            if time.monotonic() > until:
                raise CommandError(f"The web server did not answer within {START_SECONDS} seconds.")
            time.sleep(0.1)


def refuse_taken_port(host, port):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as refusal:
            if refusal.errno != errno.EADDRINUSE:
                raise CommandError(f"Can't listen on {host}, port {port}: {refusal}.") from refusal
            raise CommandError(
                f"Port {port} is in use, perhaps by a registry that already runs. "
                f"Stop that, or choose another port: PORT={port + 1} make run"
            ) from refusal


def is_live(host, port) -> bool:
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 -- where to ask, not to listen
    web = http.client.HTTPConnection(everywhere.get(host, host), port, timeout=2)
    try:
        web.request("GET", "/health/live", headers={"Host": settings.ALLOWED_HOSTS[0]})
        return web.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        web.close()


def banner(host) -> str:
    parts = [where_it_runs(host), who_may_sign_in(), where_mail_goes(), where_data_is()]
    return "".join(f"\n{line}" for part in parts for line in [*part, ""])


def where_it_runs(host):
    yield f"Customer Care Registry runs at {settings.SITE_URL}"
    if settings.PRODUCTION:
        yield f"A proxy brings people to it, from https to {host}, port {settings.PORT}"
    else:
        yield "This is plain http, for trying it on this machine only"


def who_may_sign_in():
    accounts = demo.accounts()
    if accounts:
        yield "Demonstration accounts"
        for person, password in accounts:
            standing = "" if person.is_approved else f", {person.get_standing_display().lower()}"
            yield f"  {person.email:32} {password:14} {person.get_role_display()}{standing}"
    elif not User.objects.admins().exists():
        yield "Nobody runs it yet. The first administrator comes from:"
        yield "  .venv/bin/python manage.py create_first_admin"


def where_mail_goes():
    if settings.EMAIL_BACKEND.endswith("FolderBackend"):
        yield f"Every mail becomes a file in {settings.MAIL_DIR}"
    else:
        yield f"Mail goes out through {settings.EMAIL_HOST}, port {settings.EMAIL_PORT}"


def where_data_is():
    yield f"Data is kept in {settings.DATA_DIR}"
    yield "Stop with Ctrl-C"
