"""A real HTTP server for tests that receives webhooks: keeps what comes, and answers by script."""

import hashlib
import hmac
import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from notifications.webhooks import delivering
from notifications.webhooks.models import Webhook, WebhookDelivery


@dataclass
class Call:
    path: str
    headers: dict
    body: bytes

    @property
    def told(self) -> dict:
        return json.loads(self.body)

    def is_signed_with(self, secret: str) -> bool:
        """As docs/webhooks.md tells receivers to check it."""
        parts = dict(part.split("=", 1) for part in self.headers["X-Registry-Signature"].split(","))
        signed = parts["t"].encode() + b"." + self.body
        expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected, parts["v1"])


class Receiver:
    """``with Receiver() as receiver``; ``receiver.answers`` are the next statuses, then all is
    200. A function among them answers by itself."""

    def __init__(self, port=0):
        self.calls = []
        self.answers = []
        self.server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}/hook?for=ccr"

    def _handler(self):
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.calls.append(Call(self.path, dict(self.headers), body))
                answer = receiver.answers.pop(0) if receiver.answers else 200
                if callable(answer):
                    return answer(self)
                self.send_response(answer)
                if answer in (301, 302, 307, 308):
                    self.send_header("Location", f"{receiver.url}/elsewhere")
                self.end_headers()
                self.wfile.write(b"What only the receiver should know.")

            def log_message(self, *args):
                pass

        return Handler

    def __enter__(self):
        self.thread = threading.Thread(target=self.server.serve_forever, args=[0.01])
        self.thread.start()
        return self

    def __exit__(self, *args):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    @property
    def heard(self) -> list[str]:
        return [call.told["event"] for call in self.calls]


def make_webhook(url, *events, name="CRM", **fields):
    """With its secret, as an operator would see it once."""
    webhook = Webhook(name=name, url=url, events=list(events), **fields)
    secret = delivering.new_secret(webhook)
    webhook.save()
    return webhook, secret


def call_all():
    """All turns of all webhooks, as the worker takes them."""
    while delivering.take_turn():
        pass


def rows(*fields):
    return list(WebhookDelivery.objects.order_by("pk").values_list(*fields))
