"""How fast mail goes out and comes in, and what pages notice of it.

    python bench/mail.py                    2,000 mails each way beside 10,000 tickets
    python bench/mail.py --sqlite           the same on SQLite, without pages

Needs PostgreSQL but for ``--sqlite``. Out: two workers, each with one kept connection to an SMTP
server that takes everything. In: mails of ours and odd ones, from the first byte stored to the
last ticket written. docs/benchmarks.md says what is aimed at.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

from client import Visitor
from dealing import set_up
from server import PASSWORD, ROOT, SEED, Site

WORKERS = 2
MAILS_OF_A_TICKET = 4
AIM_OUT = 200  # a second
AIM_IN = 4 * 60  # seconds for 2,000
AIM_PAGES = 1.3
QUIET_SECONDS = 15
PAGES = {
    "Customer's ticket": ("customer", "/tickets/{longest}/"),
    "Agent's list": ("agent", "/workspace/"),
    "Agent's ticket": ("agent", "/workspace/tickets/{longest}/"),
}
JOBS = {
    "out": "from notifications.mail.outbox import drain as job",
    "in": "from messaging.inbound.ledger import process_waiting as job",
}


def main():
    options = parse()
    if options.sqlite:
        set_up(None)
        prepare_empty()
        rows = [send(options, dict(os.environ)), receive(options, dict(os.environ))]
        show(rows)
        return
    site = Site(options.server, options.database, options.tickets)
    site.prepare()
    os.environ |= site.environment
    sys.path.insert(0, str(ROOT))
    import django

    django.setup()
    with site.serve() as server:
        pages = Pages(server, site)
        quiet = pages.ask_for(QUIET_SECONDS)
        rows = [way(options, site.environment) for way in (send, receive)]
        busy = [way(options, site.environment, pages.ask_while) for way in (send, receive)]
    show(rows)
    show_pages(quiet, busy)


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mails", type=int, default=2_000, help="each way")
    parser.add_argument("--tickets", type=int, default=10_000, help="that are there already")
    parser.add_argument("--database", default="ccr_bench_mail", help="made and filled if need be")
    parser.add_argument("--server", default="postgres://127.0.0.1:5432", help="of PostgreSQL")
    parser.add_argument("--sqlite", action="store_true", help="a new file instead, and no pages")
    return parser.parse_args()


def prepare_empty():
    from django.core.management import call_command

    from tickets.models import Category

    call_command("migrate", verbosity=0)
    Category.objects.get_or_create(name="Faulty product", defaults={"team_name": "Returns team"})


# --- The two ways -----------------------------------------------------------------


def send(options, environment, meanwhile=None) -> dict:
    from notifications.models import OutgoingMail

    owe_mails(options.mails)
    before = OutgoingMail.objects.filter(state="sent").count()
    with sink() as port:
        environment = environment | {"EMAIL_URL": f"smtp://127.0.0.1:{port}"}
        row = run("out", WORKERS, environment, meanwhile)
    count = OutgoingMail.objects.filter(state="sent").count() - before
    return row | {"mails": count, "aim": f"≥ {AIM_OUT} a second"}


def owe_mails(count):
    """As many as they come when agents work: to each ticket's customer a receipt, the name of the
    agent, and two messages."""
    from accounts.models import Role, Standing, User
    from messaging.actions import post_message
    from notifications.mail.addressing import address_notifications
    from notifications.models import Notification, OutgoingMail
    from tickets.actions import assign, raise_ticket
    from tickets.models import Category

    User.objects.filter(role=Role.ADMIN).update(standing=Standing.SUSPENDED)
    run_of = int(time.time())  # another time there are other people
    agent = _person("agent", run_of, role=Role.AGENT)
    boss = _person("boss", run_of, role=Role.ADMIN)
    category = Category.objects.filter(routing="manual").first() or Category.objects.first()
    while address_notifications():  # what was owed before is not measured
        pass
    OutgoingMail.objects.filter(state="owed").update(state="dropped")
    for number in range(-(-count // MAILS_OF_A_TICKET)):
        customer = _person(f"customer{number}", run_of)
        words = {"subject": "Kettle stopped heating", "description": "It stays cold. " * 20}
        ticket = raise_ticket(by=customer, category=category, **words)
        assign(ticket, to=agent, by=boss)
        for body in ("Is the switch at the back on?", "We send you another one. " * 10):
            post_message(ticket, by=agent, body=body)
    Notification.objects.filter(mail=None, recipient__in=[agent, boss]).delete()


def _person(name, run_of, **facts):
    from accounts.models import Standing, User

    email = f"{name}-{run_of}@bench.example.org"
    return User.objects.create(email=email, first_name="Robin", standing=Standing.ACTIVE, **facts)


def receive(options, environment, meanwhile=None) -> dict:
    from messaging.inbound import ledger
    from messaging.models import InboundMail

    began = time.perf_counter()
    for raw in mails_in(options.mails):
        ledger.store(raw, source=InboundMail.Source.IMAP)
    storing = time.perf_counter() - began
    row = run("in", 1, environment, meanwhile)
    row["seconds"] += storing
    return row | {"mails": options.mails, "aim": f"≤ {AIM_IN} s for 2,000"}


def mails_in(count):
    """Every fifth is odd in its way."""
    from messaging.tests.inbound.mails import make_mail
    from messaging.tests.inbound.odd_mails import ODD_MAILS

    odd, run_of = cycle(ODD_MAILS), int(time.time())
    for number in range(count):
        if number % 5 == 4:
            yield next(odd).raw
        else:
            sender = f"writer{number % 100}-{run_of}@bench.example.org"
            yield make_mail(
                sender, subject=f"Kettle {number}", body="It stays cold. " * 20
            ).as_bytes()


def run(way, workers, environment, meanwhile) -> dict:
    """The jobs of one way in processes of their own, from the moment all of them are ready."""
    code = (
        f"import django; django.setup(); {JOBS[way]}; "
        "from careregistry.celery import settle_down; settle_down(); "
        "print('ready', flush=True); input(); job()"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code], cwd=ROOT, env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(workers)
    ]  # fmt: skip
    for process in processes:
        process.stdout.readline()
    busy = _computed()
    began = time.perf_counter()
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    is_over = lambda: all(process.poll() is not None for process in processes)  # noqa: E731
    pages = meanwhile(is_over) if meanwhile else None
    for process in processes:
        if process.wait():
            sys.exit(f"A worker ended with {process.returncode}.")
        process.stdout.close(), process.stdin.close()
    seconds = time.perf_counter() - began
    return {"way": way, "seconds": seconds, "busy": _computed() - busy, "pages": pages}


def _computed() -> float:
    """Seconds that processes have computed that have ended since."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@contextmanager
def sink():
    command = [sys.executable, str(Path(__file__).with_name("sink.py"))]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


# --- Pages meanwhile ----------------------------------------------------------------


class Pages:
    """One person after the other asks for one page after the other."""

    def __init__(self, server, site):
        people = {
            who: Visitor(server.port).sign_in(f"{who}@seed{SEED}.example.org", PASSWORD)
            for who in ("customer", "agent")
        }
        longest = "SELECT reference FROM tickets_ticket WHERE message_count = 101 ORDER BY id"
        reference = site.ask(longest)
        self.asked = {
            name: (people[who], path.format(longest=reference))
            for name, (who, path) in PAGES.items()
        }
        self.ask_for(2)  # what is done once does not count

    def ask_for(self, seconds) -> dict[str, list[float]]:
        end = time.perf_counter() + seconds
        return self.ask_while(lambda: time.perf_counter() > end)

    def ask_while(self, is_over) -> dict[str, list[float]]:
        """Milliseconds of each answer, by page."""
        times = {name: [] for name in self.asked}
        while not is_over():
            for name, (visitor, path) in self.asked.items():
                answer = visitor.get(path)
                assert answer.status == 200, f"{path}: {answer.status}"
                times[name].append(answer.seconds * 1000)
                time.sleep(0.02)  # as people do, only quicker
        return times


# --- What came of it ------------------------------------------------------------------


def show(rows):
    print("| way | mails | seconds | a second | computing, a mail | aim |")
    print("| --- | --- | --- | --- | --- | --- |")
    for row in rows:
        print(
            f"| {row['way']} | {row['mails']:,} | {row['seconds']:.1f} | "
            f"{row['mails'] / row['seconds']:.0f} | {row['busy'] / row['mails'] * 1000:.1f} ms | "
            f"{row['aim']} |"
        )


def show_pages(quiet, rows):
    print(f"\n| page | quiet | {' | '.join(row['way'] for row in rows)} | aim |")
    print("| --- | --- |" + " --- |" * (len(rows) + 1))
    for name, times in quiet.items():
        cells = [_both(times)]
        for row in rows:
            ratio = statistics.median(row["pages"][name]) / statistics.median(times)
            cells.append(f"{_both(row['pages'][name])}, {ratio:.2f} ×")
        print(f"| {name} | {' | '.join(cells)} | ≤ {AIM_PAGES} × |")


def _both(times) -> str:
    p95 = statistics.quantiles(times, n=20)[-1]
    return f"{statistics.median(times):.0f} / {p95:.0f} ms"


if __name__ == "__main__":
    main()
