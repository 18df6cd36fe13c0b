from django.core.management.base import BaseCommand

from tickets.automation import clockwork


class Command(BaseCommand):
    help = "Do now what time asks for: reminders, closing, alarms. The worker does it every minute."

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="only list what would be done")

    def handle(self, *args, dry_run, **options):
        if not dry_run:
            self.stdout.write(f"{clockwork.run()} tickets seen to.")
            return
        for ticket, steps in clockwork.would_do():
            self.stdout.write(f"{ticket} {', '.join(steps) or '-'}")
