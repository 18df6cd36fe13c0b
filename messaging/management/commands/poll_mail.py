import signal
import threading

from django.core.management.base import BaseCommand

from messaging.inbound import following, imap, ledger


class Command(BaseCommand):
    help = (
        "Fetch mail from the mailboxes. Without --once it stays connected, so that mail arrives at"
        " once where the server can announce it; the worker polls every minute anyway."
    )

    def add_arguments(self, parser):
        parser.add_argument("--once", action="store_true", help="fetch what is there, and end")

    def handle(self, *, once, **options):
        if once:
            fetched = imap.poll_all()
            self.stdout.write(f"{fetched} fetched, {ledger.process_waiting()} processed.")
            return
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_args: stop.set())
        following.follow_all(stop)
