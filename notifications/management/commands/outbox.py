from django.core.management.base import BaseCommand

from notifications import outbox
from notifications.models import OutgoingMail
from notifications.tasks import ring

State = OutgoingMail.State


class Command(BaseCommand):
    help = "Shows outgoing mail with its state, tries and last answer, or sends it again."

    def add_arguments(self, parser):
        verbs = parser.add_subparsers(dest="verb", required=True)
        listing = verbs.add_parser("list", help="every outgoing mail, the newest first")
        listing.add_argument("--state", choices=State.values)
        retrying = verbs.add_parser("retry", help="owe mails anew")
        retrying.add_argument("ids", nargs="*", type=int, help="all that failed, if none is given")

    def handle(self, *, verb, **options):
        if verb == "list":
            self.list(options["state"])
        else:
            self.retry(options["ids"])

    def list(self, state):
        mails = OutgoingMail.objects.filter(**{"state": state} if state else {})
        for mail in mails.iterator():
            next_try = f"next try {mail.next_try_at:%Y-%m-%d %H:%M:%S}"
            when = next_try if mail.state == State.OWED else ""
            words = f"{mail.pk}\t{mail.state}\t{mail.tries} tries\t{mail.email}"
            self.stdout.write(f"{words}\t{mail.subject}\t{when}\t{mail.last_answer}")

    def retry(self, ids):
        chosen = {"pk__in": ids} if ids else {"state": State.FAILED}
        count = outbox.send_again(OutgoingMail.objects.filter(**chosen))
        ring()
        self.stdout.write(f"{count} mails are owed again.")
