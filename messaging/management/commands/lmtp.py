import signal
import threading

from django.core.management.base import BaseCommand

from messaging.inbound.lmtp import Server


class Command(BaseCommand):
    help = "Take in mail from the mail server before us, which speaks LMTP."

    def add_arguments(self, parser):
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8024)

    def handle(self, *, host, port, **options):
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_args: stop.set())
        server = Server(host, port)
        server.start()
        self.stdout.write(f"Listening for LMTP on {host}:{port}.")
        stop.wait()
        server.stop()
