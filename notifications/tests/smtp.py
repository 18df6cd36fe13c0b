"""A real SMTP server for tests: keeps what arrives, byte by byte, and answers by script."""

import asyncio
import email
import email.policy
import re
import secrets
import socket
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass
from html import unescape

from aiosmtpd.controller import Controller

SLOW = "slow"
HANG_UP = "hang up"  # with the mail


@dataclass
class Received:
    recipients: list[str]
    raw: bytes
    return_path: str = ""

    @property
    def message(self):
        return email.message_from_bytes(self.raw, policy=email.policy.default)

    def __getitem__(self, header):
        return self.message[header]

    @property
    def text(self):
        return self.message.get_body(["plain"]).get_content().replace("\r\n", "\n")

    @property
    def html(self):
        return self.message.get_body(["html"]).get_content()

    @property
    def headline(self):
        """What it tells; of a mail without HTML its subject, without the code it may begin with."""
        if self.message.get_body(["html"]):
            return unescape(re.search(r"<h1[^>]*>(.*?)</h1>", self.html)[1])
        return re.sub(r"^\d{8} ", "", self["Subject"])


class Handler:
    def __init__(self):
        self.mails = []
        self.answers = defaultdict(list)  # address: what to answer to RCPT, one by one
        self.ends = defaultdict(list)  # address: what to answer to the end of DATA
        self.late = {}  # address: seconds until then

    async def handle_RCPT(self, server, session, envelope, address, options):
        answer = self.answers[address].pop(0) if self.answers[address] else "250 Ok"
        if answer == SLOW:
            await asyncio.sleep(600)  # until the test is over
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, session, envelope):
        address = envelope.rcpt_tos[0]
        await asyncio.sleep(self.late.get(address, 0))
        answer = self.ends[address].pop(0) if self.ends[address] else None
        if answer in (None, HANG_UP):
            raw, return_path = envelope.original_content, envelope.mail_from
            self.mails.append(Received(envelope.rcpt_tos, raw, return_path))
        if answer == HANG_UP:
            server.transport.abort()
        return answer or f"250 Ok: queued as {len(self.mails)}"


class Sink(Controller):
    """``with Sink() as sink``; ``sink.mails`` is what was accepted. It refuses each sign-in."""

    def __init__(self, port=0):
        where = {"hostname": "127.0.0.1", "port": port or free_port()}
        super().__init__(Handler(), **where, auth_require_tls=False)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *args):
        if self.server:
            self.stop()

    @property
    def mails(self) -> list[Received]:
        return self.handler.mails

    def to(self, person) -> list[Received]:
        return [mail for mail in self.mails if mail.recipients == [person.email]]

    def message_ids(self) -> Counter:
        return Counter(mail["Message-ID"] for mail in self.mails)


def free_port() -> int:
    """One below those that the system gives to connections by itself: none of them takes it before
    the server is there that it is meant for, nor pretends to be one that is away."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
