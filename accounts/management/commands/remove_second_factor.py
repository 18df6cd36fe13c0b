from django.core.management.base import BaseCommand, CommandError

from accounts import factors
from accounts.models import User
from accounts.people import AccountRefusal


class Command(BaseCommand):
    help = "Remove the second factor of somebody whom no administrator can help, like the only one."

    def add_arguments(self, parser):
        parser.add_argument("email")

    def handle(self, email, **options):
        try:
            person = User.objects.get(email=email.lower())
            factors.take_away(person, by=None, reason="manage.py remove_second_factor")
        except (User.DoesNotExist, AccountRefusal) as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{person.email} comes in with the first step alone now, and is told so.")
