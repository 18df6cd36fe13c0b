import sys

from django.core.management.base import BaseCommand
from django.db import DatabaseError, OperationalError

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

    def add_arguments(self, parser):
        parser.add_argument("--from", dest="sender", help="the envelope's sender, empty for <>")
        parser.add_argument("--to", action="append", default=[], help="the envelope's recipient")

    def handle(self, *, sender, to, **options):
        raw = sys.stdin.buffer.read(ledger.MAX_STORED_BYTES + 1)
        if not raw.strip():
            sys.exit(NO_MAIL)
        if len(raw) > ledger.MAX_STORED_BYTES:
            sys.exit(TOO_LARGE)
        where = {"source": InboundMail.Source.PIPE, "envelope_from": sender, "envelope_to": to}
        try:
            mail = ledger.store(raw, **where)
        except (OSError, DatabaseError) as error:
            self.stderr.write(f"The mail could not be stored: {error}")
            sys.exit(TRY_AGAIN)
        try:
            with Reader() as reader:
                ledger.process(mail, reader)
        except OperationalError:  # it is kept; the worker goes on with it
            return
        self.stdout.write(f"{mail.pk}\t{mail.fate}\t{mail.reason}\t{mail.ticket or ''}")
