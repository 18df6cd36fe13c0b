import re

from django.core.management.base import BaseCommand, CommandError

from messaging.inbound import ledger
from messaging.models import InboundMail

CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Command(BaseCommand):
    help = "Mails that could not be processed, or are held: lists them, shows one, tries again."

    def add_arguments(self, parser):
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("list", help="all of them, the newest first")
        showing = verbs.add_parser("show", help="one mail as it came")
        showing.add_argument("id", type=int)
        retrying = verbs.add_parser("retry", help="process mails again, by the same rules")
        retrying.add_argument("ids", nargs="*", type=int, help="all of them, if none is given")

    def handle(self, *, verb, **options):
        getattr(self, verb)(**options)

    def list(self, **options):
        for mail in InboundMail.objects.filter(fate__in=ledger.WAITING).iterator():
            why = f"{mail.get_reason_display()} {mail.detail}".strip()
            when = f"{mail.received_at:%Y-%m-%d %H:%M:%S}"
            self.stdout.write(f"{mail.pk}\t{when}\t{mail.fate}\t{mail}\t{why}")

    def show(self, *, id, **options):
        mail = InboundMail.objects.filter(pk=id).exclude(raw="").first()
        if mail is None:
            raise CommandError("There is no such mail, or it was removed.")
        with mail.raw.open("rb") as file:
            raw = file.read()
        if self.stdout.isatty():
            self.stdout.write(_harmless(raw.decode(errors="replace")))
        else:
            self.stdout.buffer.write(raw)

    def retry(self, *, ids, **options):
        chosen = {"pk__in": ids} if ids else {"fate__in": ledger.WAITING}
        tried = ledger.retry(InboundMail.objects.filter(**chosen))
        for mail in tried:
            self.stdout.write(mail.outcome)
        self.stdout.write(f"{len(tried)} mails were processed again.")
        if left := sorted(set(ids) - {mail.pk for mail in tried}):
            named = ", ".join(map(str, left))
            raise CommandError(f"Not there, or nothing to process again: {named}.")


def _harmless(words) -> str:
    """A terminal would obey what is left out here."""
    return CONTROLS.sub("\ufffd", words.replace("\r\n", "\n"))
