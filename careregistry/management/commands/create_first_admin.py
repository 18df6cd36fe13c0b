"""The way in for an operator who wants no demonstration data."""

import sys
from getpass import getpass

from allauth.account.models import EmailAddress
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import transaction

from accounts.models import Role, Standing, User


class Command(BaseCommand):
    help = "Make the first administrator. Works once: later ones are accepted in the console."

    def add_arguments(self, parser):
        parser.add_argument("--email")
        parser.add_argument("--first-name")
        parser.add_argument("--last-name", default="")
        parser.add_argument(
            "--password-stdin", action="store_true", help="read the password from standard input"
        )

    def handle(self, *, email, first_name, last_name, password_stdin, **options):
        refuse_a_second()
        person = User(
            email=(email or input("Email address: ")).strip().lower(),
            first_name=(first_name or input("First name: ")).strip(),
            last_name=last_name,
            role=Role.ADMIN,
            standing=Standing.ACTIVE,
            is_superuser=True,
        )
        password = sys.stdin.readline().rstrip("\n") if password_stdin else ask_password()
        try:
            validate_email(person.email)
            validate_password(password, person)
            person.set_password(password)
            person.full_clean()
        except ValidationError as refusal:
            raise CommandError("\n".join(refusal.messages)) from refusal
        save(person)
        self.stdout.write(f"{person} is the first administrator.")


def refuse_a_second():
    # Those who only asked to become one, and wait, don't count.
    if User.objects.filter(
        role=Role.ADMIN, standing__in=[Standing.ACTIVE, Standing.SUSPENDED]
    ).exists():
        raise CommandError(
            "There is an administrator already. Others sign up and are accepted in the console."
        )


@transaction.atomic
def save(person):
    refuse_a_second()  # again, as typing a password takes a while
    person.save()
    EmailAddress.objects.create(user=person, email=person.email, primary=True, verified=True)


def ask_password() -> str:
    password = getpass("Password: ")
    if getpass("Password again: ") != password:
        raise CommandError("Passwords do not match!")
    return password
