"""How long dealing tickets to agents takes.

    python bench/dealing.py                       1,000 tickets to 50 agents, on SQLite
    python bench/dealing.py --database postgres://127.0.0.1:5432/empty

Everything is measured that happens: locks, history lines, mail owed, the worker called.
docs/benchmarks.md says what is aimed at.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

AIM = 20  # seconds for 1,000 tickets


def main():
    options = parse()
    set_up(options.database)
    from django.core.management import call_command

    from tickets.automation import routing

    call_command("migrate", verbosity=0)
    make_agents(options.agents, -(-options.tickets // options.agents))
    raise_tickets(options.tickets)
    began, busy = time.perf_counter(), time.process_time()
    dealt = routing.run()
    spent, busy = time.perf_counter() - began, time.process_time() - busy
    began = time.perf_counter()
    routing.run()
    idle = time.perf_counter() - began
    print("| tickets | agents | dealt | seconds | of them computing | aim | with nothing to do |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    print(
        f"| {options.tickets:,} | {options.agents} | {dealt:,} | {spent:.1f} | "
        f"{busy:.1f} | ≤ {AIM} s | {idle * 1000:.0f} ms |"
    )


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tickets", type=int, default=1_000)
    parser.add_argument("--agents", type=int, default=50)
    parser.add_argument("--database", help="an empty one; a new file of SQLite if not given")
    return parser.parse_args()


def set_up(database):
    """The product's settings with a folder and keys of their own."""
    folder = tempfile.mkdtemp(prefix="ccr-bench-")
    for name in ("queue", "queue-control"):
        (Path(folder) / name).mkdir()
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "bench.settings",
        "DATA_DIR": folder,
        "DATABASE_URL": database or f"sqlite:///{folder}/db.sqlite3",
        "SECRET_KEY": "bench-only-" + "s" * 50,
        "HISTORY_KEY": "bench-only-" + "h" * 50,
        "DEBUG": "off",
        "LOG_LEVEL": "WARNING",
    }
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    import django

    django.setup()


def make_agents(count, capacity):
    """Each knows one of five categories, works round the clock and has room for their share."""
    from accounts.models import AgentProfile, Role, Standing, User, Weekday, WorkingHours
    from tickets.models import Category, Expertise, Routing

    categories = [
        Category.objects.create(
            name=f"Category {n}", team_name=f"Team {n}", routing=Routing.AUTOMATIC
        )
        for n in range(5)
    ]
    for n in range(count):
        agent = User.objects.create(
            email=f"agent{n}@example.org",
            first_name=f"Agent {n}",
            role=Role.AGENT,
            standing=Standing.ACTIVE,
        )
        profile = AgentProfile.objects.create(agent=agent, capacity=capacity)
        for day in Weekday:
            WorkingHours.objects.create(
                profile=profile, weekday=day, opens="00:00", closes="23:59:59"
            )
        Expertise.objects.create(agent=agent, category=categories[n % 5])


def raise_tickets(count):
    from accounts.models import Standing, User
    from tickets.actions import raise_ticket
    from tickets.models import Category

    people = [
        User.objects.create(
            email=f"customer{n}@example.org", first_name="Customer", standing=Standing.ACTIVE
        )
        for n in range(100)
    ]
    categories = list(Category.objects.all())
    for n in range(count):
        raise_ticket(
            by=people[n % 100],
            category=categories[n % 5],
            subject="Kettle stopped heating",
            description="The light comes on but the water stays cold.",
        )


if __name__ == "__main__":
    main()
