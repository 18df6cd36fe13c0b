"""Day by day, what was raised and resolved, so that no page counts the table."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tickets import tasks
from tickets.actions import change_status
from tickets.models import DaySummary
from tickets.summaries import summarise_days
from tickets.tests.factories import make_ticket
from tickets.workflow import Status

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def raised_at(alice, kettles):
    """``raised_at("2026-11-18 09:00")``: a ticket of Alice, raised then."""

    def raise_one(moment, **fields):
        with time_machine.travel(datetime.fromisoformat(f"{moment}+00:00")):
            return make_ticket(requester=alice, category=kettles, **fields)

    return raise_one


def summarise_at(moment):
    with time_machine.travel(datetime.fromisoformat(f"{moment}+00:00")):
        summarise_days()


def eventful_days():
    rows = DaySummary.objects.order_by("day").values_list("day", "raised", "resolved")
    return [(day.isoformat(), *counts) for day, *counts in rows if any(counts)]


def test_the_first_run_counts_thirty_days(raised_at, ada):
    raised_at("2026-10-21 23:59")  # a day too old
    raised_at("2026-10-22 00:00")
    raised_at("2026-11-20 08:00", status=Status.RESOLVED, by=ada)
    raised_at("2026-11-20 09:00")

    summarise_at("2026-11-20 12:00")

    assert eventful_days() == [("2026-10-22", 1, 0), ("2026-11-20", 2, 1)]
    assert DaySummary.objects.count() == 30


def test_yesterday_is_counted_until_it_is_over(raised_at):
    summarise_at("2026-11-19 18:00")
    raised_at("2026-11-19 23:59")

    summarise_at("2026-11-20 00:03")

    assert eventful_days() == [("2026-11-19", 1, 0)]


def test_days_without_a_worker_are_made_up_for(raised_at):
    summarise_at("2026-11-10 12:00")
    raised_at("2026-11-10 13:00")
    raised_at("2026-11-14 13:00")

    summarise_at("2026-11-20 12:00")

    assert eventful_days() == [("2026-11-10", 1, 0), ("2026-11-14", 1, 0)]
    assert DaySummary.objects.filter(day__gte=date(2026, 11, 10)).count() == 11


def test_counting_again_changes_nothing(raised_at):
    raised_at("2026-11-20 08:00")

    for _ in range(2):
        summarise_at("2026-11-20 12:00")

    assert eventful_days() == [("2026-11-20", 1, 0)]


def test_a_ticket_opened_again_is_no_longer_resolved(raised_at, ada):
    ticket = raised_at("2026-11-20 08:00", status=Status.RESOLVED, by=ada)
    summarise_at("2026-11-20 09:00")
    assert eventful_days() == [("2026-11-20", 1, 1)]

    with time_machine.travel(NOON):
        change_status(ticket, Status.OPEN, by=ada)
        summarise_days()

    assert eventful_days() == [("2026-11-20", 1, 0)]


def test_days_are_those_of_the_site(raised_at):
    raised_at("2026-11-19 23:30")

    with timezone.override("Europe/Berlin"):
        summarise_at("2026-11-20 12:00")

    assert eventful_days() == [("2026-11-20", 1, 0)]


@pytest.mark.parametrize("raised", [1, 3])
def test_no_matter_how_many_tickets_it_asks_as_often(raised_at, raised):
    for hour in range(raised):
        raised_at(f"2026-11-20 0{hour}:00")

    with CaptureQueriesContext(connection) as queries:
        summarise_at("2026-11-20 12:00")

    asked = [query["sql"].split()[0] for query in queries if "SAVEPOINT" not in query["sql"]]
    assert asked == ["SELECT", "SELECT", "SELECT", "INSERT"]


@pytest.mark.django_db(transaction=True)
def test_two_at_once_write_each_day_once(raised_at):
    raised_at("2026-11-20 08:00")

    def count(_):
        summarise_days()
        connection.close()

    with time_machine.travel(NOON), ThreadPoolExecutor(2) as threads:
        list(threads.map(count, range(2)))

    assert eventful_days() == [("2026-11-20", 1, 0)]
    assert DaySummary.objects.count() == 30


@time_machine.travel(NOON)
def test_the_worker_counts(db):
    tasks.summarise_days()

    assert DaySummary.objects.filter(day=date(2026, 11, 20)).exists()
