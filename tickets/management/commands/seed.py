from datetime import UTC, date, datetime, time

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from tickets import seeding


class Command(BaseCommand):
    help = (
        "Load made-up tickets for measuring and trying out: the same number, seed and day give "
        "the same tickets in every empty database. Another seed adds more."
    )

    def add_arguments(self, parser):
        parser.add_argument("--tickets", type=int, required=True, help="how many")
        parser.add_argument("--seed", type=int, required=True, help="any number")
        parser.add_argument("--live", type=int, help="how many have not ended (one in fifty)")
        parser.add_argument(
            "--agents", type=int, default=seeding.AGENTS, help="how many work here (%(default)s)"
        )
        parser.add_argument(
            "--until",
            type=date.fromisoformat,
            default=timezone.now().date(),
            metavar="YYYY-MM-DD",
            help="nothing happened from this day on (today)",
        )
        parser.add_argument(
            "--password", help="let customer@, agent@ and admin@seed<S>.example.org sign in"
        )

    def handle(self, *, tickets, seed, live, agents, until, password, **options):
        if settings.PRODUCTION:
            raise CommandError("This is a production site. Load data could never be removed again.")
        if tickets < 1 or agents < 1:
            raise CommandError("Load at least one ticket and one agent.")
        with tqdm(total=tickets, unit=" tickets", disable=options["verbosity"] == 0) as bar:
            try:
                seeding.load(
                    tickets,
                    seed,
                    live=live,
                    agents=agents,
                    until=datetime.combine(until, time.min, tzinfo=UTC),
                    password=password,
                    progress=bar.update,
                )
            except seeding.SeededAlready as again:
                raise CommandError(
                    f"Seed {seed} is in this database already. Choose another one to add more."
                ) from again
        if password:
            roles = ", ".join(
                f"{name}@{seeding.domain(seed)}" for name in ("customer", "agent", "admin")
            )
            self.stdout.write(f"With your password: {roles}")
