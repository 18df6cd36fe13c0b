import json

from django.core.management import BaseCommand, CommandError

from accounts.checkups import Level
from careregistry.doctor import examine


class Command(BaseCommand):
    help = "Says what is well, what is not, and how to mend it. Exits with 1 if something is bad."

    def add_arguments(self, parser):
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, **options):
        findings = list(examine())
        tell = self.tell_programs if options["json"] else self.tell_people
        tell(findings)
        bad = [str(checkup.name) for checkup, finding in findings if finding.level == Level.BAD]
        if bad:
            raise CommandError(f"Not well: {', '.join(bad)}")

    def tell_people(self, findings):
        for checkup, finding in findings:
            self.stdout.write(f"{finding.level:4}  {checkup.name}: {finding.found}")
            if finding.hint:
                self.stdout.write(f"      {finding.hint}")

    def tell_programs(self, findings):
        rows = [
            {"code": checkup.code, "level": finding.level, "found": finding.found,
             "hint": finding.hint}
            for checkup, finding in findings
        ]  # fmt: skip
        self.stdout.write(json.dumps(rows, indent=2))
