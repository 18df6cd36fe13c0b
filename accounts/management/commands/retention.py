from django.core.management.base import BaseCommand

from accounts import retention


class Command(BaseCommand):
    help = "Follow the rules on how long things are kept, and print what each rule touched."

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="only count, change nothing")

    def handle(self, *, dry_run, **options):
        self.stdout.write(f"{'rule':<14}{'days':>6}{'rows':>9}  what happens")
        for outcome in retention.keep_rules(dry_run=dry_run):
            rule = outcome.rule
            days = rule.days or "off"
            self.stdout.write(f"{rule.name:<14}{days:>6}{outcome.count:>9}  {rule.words}")
        if dry_run:
            self.stdout.write("Nothing was changed.")
