from django.core.management.base import BaseCommand

from tickets import anchors


class Command(BaseCommand):
    help = "Anchor the history lines written since the last anchor; the worker does so once a day."

    def handle(self, **options):
        anchor = anchors.write()
        if anchor is None:
            self.stdout.write("No line is new since the last anchor and older than five minutes.")
        else:
            self.stdout.write(
                f"Anchored {anchor.lines} lines of {anchor.tickets} tickets "
                f"in {anchors.anchors_file()}."
            )
