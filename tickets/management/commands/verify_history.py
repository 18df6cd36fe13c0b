from argparse import BooleanOptionalAction
from itertools import chain

from django.core.management.base import BaseCommand, CommandError

from tickets import history, removal
from tickets.anchors import problems as anchor_problems
from tickets.models import Ticket


class Command(BaseCommand):
    help = "Prove that no line of the history was altered or removed. Exit code 1 if one was."

    def add_arguments(self, parser):
        parser.add_argument("references", nargs="*", metavar="reference", help="only these tickets")
        parser.add_argument(
            "--anchors",
            action=BooleanOptionalAction,
            help="compare with the anchors as well (the default when no ticket is named)",
        )

    def handle(self, *, references, anchors: bool | None, **options):
        tickets = self._tickets(references)
        if anchors is None:
            anchors = not references
        found = 0
        removed = () if references else removal.problems()
        outside = anchor_problems() if anchors else ()
        for problem in chain(history.problems(tickets), removed, outside):
            self.stdout.write(self.style.ERROR(problem))
            found += 1
        if found:
            raise CommandError(f"{found} problems in the history of {tickets.count()} tickets.")
        self.stdout.write(f"The history of {tickets.count()} tickets is complete and unaltered.")

    def _tickets(self, references):
        if not references:
            return Ticket.objects.all()
        tickets = Ticket.objects.filter(reference__in=references)
        if unknown := set(references) - set(tickets.values_list("reference", flat=True)):
            raise CommandError(f"No such ticket: {', '.join(sorted(unknown))}")
        return tickets
