from django.core.management.base import BaseCommand

from tickets.automation import routing


class Command(BaseCommand):
    help = "Deal tickets and hand on those of absent agents. The worker does it every minute."

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="only list what would be done")

    def handle(self, *args, dry_run, **options):
        if not dry_run:
            self.stdout.write(f"{routing.run()} tickets assigned or put back.")
            return
        for step in routing.steps():
            self.stdout.write(f"{step.ticket} {step.rule} {step.to or 'nobody'}")
