import re

from django.core.management.base import BaseCommand, CommandError
from django.template.defaultfilters import pluralize

from accounts.bells import ring
from notifications.mail import outbox
from notifications.models import OutgoingMail, ShortMessage, WebhookDelivery
from notifications.owed import CALL_WEBHOOKS, SEND_MAIL, SEND_SHORT, Owed
from notifications.short_messages import sending
from notifications.webhooks import delivering

State = Owed.State
MAIL, SHORT, WEBHOOK = "", "s", "w"  # before the id of each
KINDS = {
    MAIL: (OutgoingMail, "Mails", outbox.send_again, SEND_MAIL),
    SHORT: (ShortMessage, "Pushes and SMS", sending.send_again, SEND_SHORT),
    WEBHOOK: (WebhookDelivery, "Deliveries of webhooks", delivering.replay, CALL_WEBHOOKS),
}
NAME = re.compile(rf"([{SHORT}{WEBHOOK}]?)([0-9]{{1,18}})")  # as far as databases count
AT_ONCE = 500  # rows


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
        mails = OutgoingMail.objects.filter(**chosen).prefetch_related("notifications")
        for mail in mails.iterator(AT_ONCE):
            self.tell(MAIL, mail, mail.email, mail.subject or mail.occasion)
        messages = ShortMessage.objects.filter(**chosen).select_related("recipient")
        for message in messages.iterator(AT_ONCE):
            self.tell(SHORT, message, message.recipient.email, message.get_channel_display())
        deliveries = WebhookDelivery.objects.filter(**chosen).select_related("webhook")
        for delivery in deliveries.iterator(AT_ONCE):
            self.tell(WEBHOOK, delivery, delivery.webhook.name, delivery.event)

    def tell(self, kind, owed, to, about):
        when = f"next try {owed.due_at:%Y-%m-%d %H:%M:%S}" if owed.due_at else ""
        if owed.is_being_sent:
            when = "being sent"
        tries = f"{owed.times_tried} tr{pluralize(owed.times_tried, 'y,ies')}"
        words = f"{kind}{owed.pk}\t{owed.state}\t{tries}\t{to}"
        self.stdout.write(f"{words}\t{about}\t{when}\t{owed.last_answer}")

    def retry(self, names):
        for kind, chosen in self.chosen(names).items():
            _model, words, send_again, task = KINDS[kind]
            count = send_again(chosen)
            ring(task)
            self.stdout.write(f"{words} owed again: {count}")

    def chosen(self, names):
        """What to send again, of each kind."""
        everything = {kind: model.objects.all() for kind, (model, *_) in KINDS.items()}
        if not names:
            return {kind: rows.filter(state=State.FAILED) for kind, rows in everything.items()}
        ids = {kind: set() for kind in KINDS}
        for name in names:
            if not (match := NAME.fullmatch(name)):
                raise CommandError(f"{name} is no id.")
            ids[match[1]].add(int(match[2]))
        chosen = {kind: everything[kind].filter(pk__in=pks) for kind, pks in ids.items()}
        missing = [
            f"{kind}{pk}"
            for kind, rows in chosen.items()
            for pk in sorted(ids[kind] - set(rows.values_list("pk", flat=True)))
        ]
        if missing:
            raise CommandError(f"There is no {', '.join(missing)}, so nothing is owed again.")
        return chosen
