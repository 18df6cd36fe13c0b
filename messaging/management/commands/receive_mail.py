import os
import sys

from django.core.management.base import BaseCommand
from django.db import Error

from messaging.inbound import ledger
from messaging.inbound.sandbox import Reader
from messaging.models import InboundMail

# What mail servers understand; see sysexits.h.
NO_MAIL, TOO_LARGE, TRY_AGAIN = 65, 69, 75


class Command(BaseCommand):
    help = (
        "Take in one mail from standard input. Ends with 0 once it is kept, whatever becomes of it,"
        " with 75 when the mail server should try again, with 69 when it is far too large."
    )
    # What else is set up wrong sends no mail back. What stops even this, ``manage.py`` sees to.
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument("--from", dest="sender", help="the envelope's sender, empty for <>")
        parser.add_argument("--to", action="append", default=[], help="the envelope's recipient")

    def handle(self, *, sender, to, **options):
        most = ledger.max_stored_bytes()
        raw = sys.stdin.buffer.read(most + 1)
        if not raw.strip():
            sys.exit(NO_MAIL)
        if len(raw) > most:
            sys.exit(TOO_LARGE)
        where = {"source": InboundMail.Source.PIPE, "envelope_from": sender, "envelope_to": to}
        try:
            mail = ledger.store(raw, **where)
        except (OSError, Error) as error:
            self.stderr.write(f"The mail could not be stored: {error}")
            sys.exit(TRY_AGAIN)
        try:
            with Reader() as reader:
                ledger.process(mail, reader)
        except Error:  # it is kept; the worker goes on with it
            return
        self._tell(mail.outcome)

    def _tell(self, words):
        """... whoever reads it, if anybody can: the mail is kept all the same."""
        try:
            self.stdout.write(words)
            self.stdout.flush()
        except OSError:
            # What is left would be tried again when Python ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.stdout.fileno())
