from django.core.management.base import BaseCommand, CommandError

from notifications.mail import outbox
from notifications.models import OutgoingMail, ShortMessage, WebhookDelivery
from notifications.owed import Owed
from notifications.short_messages import sending
from notifications.short_messages.tasks import ring as ring_for_short_messages
from notifications.tasks import ring
from notifications.webhooks import delivering
from notifications.webhooks.tasks import ring as ring_for_webhooks

State = Owed.State
MAIL, SHORT, WEBHOOK = "", "s", "w"  # before the id of each


class Command(BaseCommand):
    help = (
        "Shows outgoing mail, pushes, SMS and webhooks with state, tries, last answer, or sends "
        "them again."
    )

    def add_arguments(self, parser):
        verbs = parser.add_subparsers(dest="verb", required=True)
        listing = verbs.add_parser("list", help="all of a kind after the other, newest first")
        listing.add_argument("--state", choices=State.values)
        retrying = verbs.add_parser("retry", help="owe them anew")
        retrying.add_argument("ids", nargs="*", help="like 17, s9 or w5; all that failed, if none")

    def handle(self, *, verb, **options):
        if verb == "list":
            self.list(options["state"])
        else:
            self.retry(options["ids"])

    def list(self, state):
        chosen = {"state": state} if state else {}
        for mail in OutgoingMail.objects.filter(**chosen).iterator():
            self.tell(mail, str(mail.pk), mail.email, mail.subject)
        for message in ShortMessage.objects.filter(**chosen).select_related("recipient").iterator():
            name, to = f"{SHORT}{message.pk}", message.recipient.email
            self.tell(message, name, to, message.get_channel_display())
        deliveries = WebhookDelivery.objects.filter(**chosen).select_related("webhook")
        for delivery in deliveries.iterator():
            self.tell(delivery, f"{WEBHOOK}{delivery.pk}", delivery.webhook.name, delivery.event)

    def tell(self, owed, name, to, about):
        next_try = f"next try {owed.next_try_at:%Y-%m-%d %H:%M:%S}"
        when = next_try if owed.state == State.OWED else ""
        words = f"{name}\t{owed.state}\t{owed.tries} tries\t{to}"
        self.stdout.write(f"{words}\t{about}\t{when}\t{owed.last_answer}")

    def retry(self, names):
        chosen = self.chosen(names)
        count = outbox.send_again(OutgoingMail.objects.filter(**chosen[MAIL]))
        ring()
        self.stdout.write(f"{count} mails are owed again.")
        count = sending.send_again(ShortMessage.objects.filter(**chosen[SHORT]))
        ring_for_short_messages()
        self.stdout.write(f"{count} pushes and SMS are owed again.")
        count = delivering.replay(WebhookDelivery.objects.filter(**chosen[WEBHOOK]))
        ring_for_webhooks()
        self.stdout.write(f"{count} deliveries of webhooks are owed again.")

    def chosen(self, names):
        """What to look for, of each kind."""
        if not names:
            return {kind: {"state": State.FAILED} for kind in (MAIL, SHORT, WEBHOOK)}
        ids = {MAIL: [], SHORT: [], WEBHOOK: []}
        for name in names:
            kind = name[0] if name.startswith((SHORT, WEBHOOK)) else MAIL
            number = name.removeprefix(kind)
            if not number.isdecimal():
                raise CommandError(f"{name} is no id.")
            ids[kind].append(int(number))
        return {kind: {"pk__in": pks} for kind, pks in ids.items()}
