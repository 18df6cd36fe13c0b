"""How long the clock takes to find the tickets whose time has come, and to see to them.

    python bench/clock.py                        500 due among 100,000, on SQLite
    python bench/clock.py --tickets 1000000 --database postgres://127.0.0.1:5432/empty

Everything is measured that happens: locks, history lines, mail owed, the worker called.
docs/benchmarks.md says what is aimed at.
"""

import argparse
import time
from datetime import timedelta

from dealing import set_up

DUE = 500
AIM_FINDING = 0.2  # seconds
AIM_ACTING = 60  # tickets a second
HOUR = timedelta(hours=1)


def main():
    options = parse()
    set_up(options.database)
    from django.core.management import call_command

    from tickets.automation import clockwork
    from tickets.models import Ticket

    call_command("migrate", verbosity=0)
    if not Ticket.objects.exists():
        call_command("seed", tickets=options.tickets, seed=1, verbosity=0)
    now = make_due()
    plan = clockwork.due(now)[: clockwork.BATCH].explain()
    began = time.perf_counter()
    found = len(clockwork.due(now)[:DUE])
    finding = time.perf_counter() - began
    began = time.perf_counter()
    seen_to = clockwork.run()
    acting = time.perf_counter() - began
    assert found == seen_to == DUE, (found, seen_to)
    print(plan)
    print("| tickets | due | found in | aim | seen to, a second | aim |")
    print("| --- | --- | --- | --- | --- | --- |")
    print(
        f"| {Ticket.objects.count():,} | {found} | {finding * 1000:.0f} ms | ≤ {AIM_FINDING} s | "
        f"{seen_to / acting:,.0f} | ≥ {AIM_ACTING} |"
    )


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tickets", type=int, default=100_000)
    parser.add_argument("--database", help="seeded if it is empty; a new file of SQLite if missing")
    return parser.parse_args()


def make_due():
    """Give the newest tickets each a step to take, and every other one a step to come."""
    from django.db.models import F
    from django.utils import timezone

    from tickets.models import Ticket

    now = timezone.now()
    to_come = now + timedelta(days=2)
    Ticket.objects.update(clocked_until=now - HOUR, wakes_at=to_come)
    newest = list(Ticket.objects.exclude(assignee=None).values_list("pk", flat=True)[:DUE])
    late = now - timedelta(minutes=1)
    soon = now + timedelta(days=2, minutes=-1)
    steps = [
        {"status": "open", "due_at": late},
        {"status": "waiting", "due_at": late},
        {"status": "waiting", "due_at": soon},
        {"status": "resolved", "due_at": late, "resolved_at": F("created_at")},
        {"status": "resolved", "due_at": soon, "resolved_at": F("created_at")},
    ]
    for number, step in enumerate(steps):
        Ticket.objects.filter(pk__in=newest[number :: len(steps)]).update(
            wakes_at=late, closed_at=None, deleted_at=None, resolve_by=None, **step
        )
    return now


if __name__ == "__main__":
    main()
