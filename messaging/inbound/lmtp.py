"""A server for the mail server before us: it speaks LMTP, and is answered once a mail is stored."""

import asyncio
import logging

from aiosmtpd.controller import Controller
from aiosmtpd.lmtp import LMTP
from django.db import close_old_connections

from accounts.bells import ring
from messaging.models import InboundMail

from . import ledger

logger = logging.getLogger(__name__)
logging.getLogger("mail.log").setLevel(logging.WARNING)  # it would write down every conversation

PROCESS = "messaging.tasks.process_mail"
STORED = "250 2.0.0 Stored"
TRY_AGAIN = "451 4.3.0 It could not be stored, try again later"


class Handler:
    async def handle_DATA(self, server, session, envelope) -> str:
        return await asyncio.to_thread(_store, envelope)


def _store(envelope) -> str:
    """The worker reads it: the server before us need not wait for that."""
    close_old_connections()
    try:
        ledger.store(
            envelope.original_content,
            source=InboundMail.Source.LMTP,
            envelope_from=(envelope.mail_from or "").strip("<>"),
            envelope_to=envelope.rcpt_tos,
        )
        ring(PROCESS)
    except Exception:  # by any other answer the sender would have it back
        logger.exception("A mail could not be stored.")
        return TRY_AGAIN
    finally:
        close_old_connections()
    return STORED


class _LMTP(LMTP):
    line_length_limit = 1024 * 1024  # mail programs write longer lines than the standard allows
    times = 1

    async def push(self, status):
        """The answer to a mail, which follows 354, is given for each recipient, also where the
        library refuses it by itself."""
        times, self.times = self.times, 1
        if status.startswith("354"):
            self.times = len(self.envelope.rcpt_tos)
        await super().push("\r\n".join([status] * times))


class Server(Controller):
    """``start`` and ``stop`` it; it lives in a thread of its own."""

    def __init__(self, host: str, port: int):
        super().__init__(Handler(), hostname=host, port=port)

    def factory(self):
        return _LMTP(self.handler, data_size_limit=ledger.max_stored_bytes())
