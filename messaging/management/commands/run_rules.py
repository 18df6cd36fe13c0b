from django.core.management.base import BaseCommand

from messaging import ruling


class Command(BaseCommand):
    help = "Do now what the rules of operators ask for. The worker does it every minute."

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="only list what would be done")

    def handle(self, *args, dry_run, **options):
        if not dry_run:
            self.stdout.write(f"{ruling.run()} acts of rules.")
            return
        for run, deeds in ruling.would_do():
            self.stdout.write(f"{run.ticket} {run.rule}: {ruling.in_words(deeds)}")
