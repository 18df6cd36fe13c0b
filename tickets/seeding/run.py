"""From a number and a seed to a full database."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from random import Random

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from tickets import anchors
from tickets.models import Feedback, ReferenceCounter, Ticket, TicketEvent
from tickets.summaries import summarise_days
from tickets.workflow import Status

from . import loading, people
from .people import Cast
from .stories import Story, Storyteller

SPAN = timedelta(days=730)  # the tickets were raised over two years
RECENTLY = timedelta(days=7)  # what was raised since then and resolved is not closed yet
AGENTS = 40  # however many tickets: an archive grows with the years, a team does not
BATCH = 1000  # tickets kept in one transaction
AGENTS_DESK = 30  # live tickets of the first agent at least, every other of the first customer
LONGEST = 100  # messages of the last ticket, from the first customer to the first agent
LIVE_WITH_AGENT = [*[Status.OPEN] * 10, *[Status.WAITING] * 5, *[Status.HOLD] * 2]
LIVE = [*[Status.NEW] * 3, *LIVE_WITH_AGENT]


class SeededAlready(Exception):
    """This seed's people are in the database: its tickets would come a second time."""


def load(
    tickets: int,
    seed: int,
    *,
    live: int | None = None,
    agents: int = AGENTS,
    until: datetime,
    password: str | None = None,
    progress=lambda n: None,
) -> None:
    """Store ``tickets`` tickets raised in the two years before ``until``, with people and lines.

    ``live`` of them have not ended; without it, one in fifty. Each batch is kept as a whole and
    leaves every counter right, and ``progress`` hears how many tickets it had.
    Raises SeededAlready when the database holds this seed.
    """
    if User.objects.filter(email__endswith=f"@{people.domain(seed)}").exists():
        raise SeededAlready
    rng = Random(seed)  # noqa: S311 -- made to be repeated
    since = until - SPAN
    with transaction.atomic():
        cast = people.create(tickets, agents, seed, rng=rng, since=since, password=password)
    lots = Lots(tickets, live, cast, rng)
    references = References()
    stories = _stories(lots, references, Storyteller(cast, rng=rng, until=until))
    while batch := list(islice(stories, BATCH)):
        with transaction.atomic():
            _store(batch)
            references.save()
        progress(len(batch))
    summarise_days(since=timezone.localdate(since))
    anchors.write()  # as the worker would have, each day
    loading.refresh_statistics()


class Lots:
    """Whose the tickets are and how they end. The live ones are among the last."""

    def __init__(self, tickets: int, live: int | None, cast: Cast, rng: Random):
        self.tickets = tickets
        self.cast = cast
        self.rng = rng
        live = min(tickets, max(40, tickets // 50) if live is None else live)
        recent = range(max(0, tickets - 2 * live), tickets - 1)
        self.longest = tickets - 1 if live else None
        self.alive = {self.longest, *rng.sample(recent, live - 1)} if live else set()
        desk = sorted(self.alive)[:AGENTS_DESK]
        self.desk, self.of_first_customer = set(desk), set(desk[::2])

    def draw(self, n: int, age: timedelta) -> dict:
        """What is to be told of ticket ``n``, raised ``age`` before now."""
        rng, cast = self.rng, self.cast
        lot = {
            "requester": rng.choice(cast.customers),
            "agent": rng.choice(cast.agents),
            "ending": rng.choice(LIVE) if n in self.alive else self._ending(age),
        }
        if n % 100 == 99 or n in self.of_first_customer:
            lot["requester"] = cast.customers[0]
        if n in self.desk:
            lot |= {"agent": cast.agents[0], "ending": rng.choice(LIVE_WITH_AGENT)}
        if n == self.longest:
            lot |= {"requester": cast.customers[0], "agent": cast.agents[0]}
            lot |= {"ending": Status.OPEN, "messages": LONGEST}
        return lot

    def _ending(self, age):
        if self.rng.random() < 0.04:
            return Status.WITHDRAWN
        return Status.RESOLVED if age < RECENTLY else Status.CLOSED


class References:
    """Numbers tickets as ``ReferenceCounter`` does, several years at a time."""

    def __init__(self):
        self.last = dict(ReferenceCounter.objects.values_list("year", "last"))

    def next(self, created_at: datetime) -> str:
        year = timezone.localdate(created_at).year
        self.last[year] = self.last.get(year, 0) + 1
        return f"CCR-{year}-{self.last[year]:05d}"

    def save(self):
        ReferenceCounter.objects.bulk_create(
            [ReferenceCounter(year=year, last=last) for year, last in self.last.items()],
            update_conflicts=True,
            unique_fields=["year"],
            update_fields=["last"],
        )


def _stories(lots: Lots, references: References, teller: Storyteller) -> Iterator[Story]:
    """The tickets in the order they were raised, evenly over the whole span."""
    line_pk = loading.next_pk(TicketEvent)
    first_pk = loading.next_pk(Ticket)
    for n in range(lots.tickets):
        age = SPAN * ((lots.tickets - n - lots.rng.random()) / lots.tickets)
        created_at = teller.until - age
        story = teller.tell(
            pk=first_pk + n,
            first_line_pk=line_pk,
            reference=references.next(created_at),
            created_at=created_at,
            **lots.draw(n, age),
        )
        line_pk += len(story.lines)
        yield story


def _store(stories: list[Story]) -> None:
    loading.insert([story.ticket for story in stories])
    loading.insert([line for story in stories for line in story.lines])
    given = [feedback for story in stories for feedback in story.feedback]
    for pk, feedback in enumerate(given, loading.next_pk(Feedback)):
        feedback.pk = pk
    loading.insert(given)
    loading.go_on_numbering(Ticket, TicketEvent, Feedback)
