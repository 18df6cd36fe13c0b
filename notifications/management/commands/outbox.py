from django.core.management.base import BaseCommand, CommandError

from notifications import outbox
from notifications.models import OutgoingMail, WebhookDelivery
from notifications.owed import Owed
from notifications.tasks import ring
from notifications.webhooks import delivering
from notifications.webhooks.tasks import ring as ring_for_webhooks

State = Owed.State
WEBHOOK = "w"  # before the id of a webhook's delivery


class Command(BaseCommand):
    help = "Shows outgoing mail and webhooks with state, tries, last answer, or sends them again."

    def add_arguments(self, parser):
        verbs = parser.add_subparsers(dest="verb", required=True)
        listing = verbs.add_parser("list", help="every mail, then every delivery, newest first")
        listing.add_argument("--state", choices=State.values)
        retrying = verbs.add_parser("retry", help="owe mails and deliveries anew")
        retrying.add_argument("ids", nargs="*", help="like 17 or w5; all that failed, if none")

    def handle(self, *, verb, **options):
        if verb == "list":
            self.list(options["state"])
        else:
            self.retry(options["ids"])

    def list(self, state):
        chosen = {"state": state} if state else {}
        for mail in OutgoingMail.objects.filter(**chosen).iterator():
            self.tell(mail, str(mail.pk), mail.email, mail.subject)
        deliveries = WebhookDelivery.objects.filter(**chosen).select_related("webhook")
        for delivery in deliveries.iterator():
            self.tell(delivery, f"{WEBHOOK}{delivery.pk}", delivery.webhook.name, delivery.event)

    def tell(self, owed, name, to, about):
        next_try = f"next try {owed.next_try_at:%Y-%m-%d %H:%M:%S}"
        when = next_try if owed.state == State.OWED else ""
        words = f"{name}\t{owed.state}\t{owed.tries} tries\t{to}"
        self.stdout.write(f"{words}\t{about}\t{when}\t{owed.last_answer}")

    def retry(self, names):
        failed = {"state": State.FAILED}
        ids = {WEBHOOK: [], "": []}
        for name in names:
            kind, number = name[: name.startswith(WEBHOOK)], name.removeprefix(WEBHOOK)
            if not number.isdecimal():
                raise CommandError(f"{name} is no id.")
            ids[kind].append(int(number))
        mails = {"pk__in": ids[""]} if names else failed
        deliveries = {"pk__in": ids[WEBHOOK]} if names else failed
        count = outbox.send_again(OutgoingMail.objects.filter(**mails))
        ring()
        self.stdout.write(f"{count} mails are owed again.")
        count = delivering.replay(WebhookDelivery.objects.filter(**deliveries))
        ring_for_webhooks()
        self.stdout.write(f"{count} deliveries of webhooks are owed again.")
