"""Demonstration people and tickets, once."""

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from careregistry import demo


class Command(BaseCommand):
    help = "Load demonstration people and tickets, once, and print who may sign in."

    def handle(self, **options):
        if settings.PRODUCTION:
            raise CommandError("A production site has no place for demonstration accounts.")
        if demo.people().exists():
            self.stdout.write("The demonstration data is there already.")
        else:
            demo.load()
        for person, password in demo.accounts():
            self.stdout.write(f"{person.email}  {password}  {person.get_role_display()}")
