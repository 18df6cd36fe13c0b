"""Lists page by the place of the last row: nothing is lost or shown twice."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tickets import actions
from tickets.models import Ticket
from tickets.paging import page_after
from tickets.workflow import Status

from .reading import texts

LIST = reverse("tickets:list")
WORKSPACE = reverse("tickets:workspace")
NEWEST = ["-needs_requester", "-last_event_at", "-pk"]
SOONEST = ["due_at", "pk"]


@pytest.fixture
def many(alice, kettles):
    """So many new tickets of Alice's, all of one moment unless ``apart``. In the order raised."""

    def raise_many(count, apart=timedelta(0), **fields):
        now = timezone.now() - timedelta(days=1)
        return Ticket.objects.bulk_create(
            Ticket(
                reference=f"CCR-2026-{number:05}",
                requester=alice,
                category=kettles,
                subject=f"Ticket {number}",
                created_at=now + number * apart,
                last_event_at=now + number * apart,
                due_at=now + timedelta(days=2) + number * apart,
                **fields,
            )
            for number in range(1, count + 1)
        )

    return raise_many


def walk(client, url, place):
    """The words of ``place`` on each page, following the link to the next one."""
    pages = []
    while url:
        page = client.get(url)
        pages.append(texts(page, place))
        link = re.search(r'<a class="ccr-push" href="(\?[^"]*after=[^"]+)"', page.text)
        url = link and url.split("?")[0] + unescape(link[1])
    return pages


@pytest.mark.parametrize("apart", [timedelta(0), timedelta(microseconds=1), timedelta(minutes=1)])
def test_the_customers_list_walks_through_all(login, alice, many, apart):
    """D1-4: ten on a page."""
    many(35, apart)

    pages = walk(login(alice), LIST, ".ccr-stub__title")

    assert [len(page) for page in pages] == [10, 10, 10, 5]
    subjects = [subject for page in pages for subject in page]
    assert subjects == [f"Ticket {number}" for number in range(35, 0, -1)]


@pytest.mark.parametrize("apart", [timedelta(0), timedelta(minutes=1)])
def test_the_workspace_walks_through_all(login, ada, many, apart):
    """D1-5: twenty-five on a page, the longest waiting first; the view stays in the address."""
    many(60, apart)

    pages = walk(login(ada), f"{WORKSPACE}?view=unassigned&priority=normal", ".c-no")

    assert [len(page) for page in pages] == [26, 26, 11]  # with the heading of the column
    rows = [row for page in pages for row in page[1:]]
    assert rows == [f"2026-{number:05}" for number in range(1, 61)]


def test_a_full_last_page_has_no_next(login, alice, many):
    many(20)

    assert [len(page) for page in walk(login(alice), LIST, ".ccr-stub__title")] == [10, 10]


def test_the_first_page_is_one_click_away(login, alice, many):
    many(11)
    client = login(alice)
    after = client.get(LIST).context["page"].next_after

    assert ">First page</a>" not in client.get(LIST).text
    assert ">First page</a>" in client.get(LIST, {"after": after}).text


def references(page):
    return [ticket.reference for ticket in page.rows]


def test_a_place_stays_where_it_was_when_its_ticket_moves_up(many):
    many(6, timedelta(minutes=1))
    tickets = Ticket.objects.all()
    first = page_after(tickets, NEWEST, "", 2)
    assert references(first) == ["CCR-2026-00006", "CCR-2026-00005"]

    tickets.filter(reference="CCR-2026-00005").update(last_event_at=timezone.now())

    second = page_after(tickets, NEWEST, first.next_after, 2)
    assert references(second) == ["CCR-2026-00004", "CCR-2026-00003"]
    assert not second.is_first


def test_a_place_stays_where_it_was_when_its_ticket_leaves_the_list(many):
    many(6, timedelta(minutes=1))
    first = page_after(Ticket.objects.live(), NEWEST, "", 2)

    Ticket.objects.filter(reference="CCR-2026-00005").update(status=Status.CLOSED)

    second = page_after(Ticket.objects.live(), NEWEST, first.next_after, 2)
    assert references(second) == ["CCR-2026-00004", "CCR-2026-00003"]


@pytest.mark.plan("SEC-B11")
def test_a_place_that_is_not_ours_is_the_first_page(many):
    many(6, timedelta(minutes=1))
    tickets = Ticket.objects.all()
    ours = page_after(tickets, NEWEST, "", 2).next_after
    of_another_order = page_after(tickets, SOONEST, "", 2).next_after
    hostile = [
        of_another_order,
        ours[:-1],
        f"{ours}x",
        "CCR-2026-00005",
        "\0",
        "é:é",
        ":",
        "9" * 9999,
    ]

    for place in hostile:
        page = page_after(tickets, NEWEST, place, 2)
        assert references(page) == ["CCR-2026-00006", "CCR-2026-00005"]
        assert page.is_first

    assert references(page_after(tickets, NEWEST, ours, 2))[0] == "CCR-2026-00004"


CHANGES = {
    "answered": {"last_event_at": None},
    "asked": {"status": Status.WAITING, "last_event_at": None},
    "asked no more": {"status": Status.OPEN, "last_event_at": None},
    "closed": {"status": Status.CLOSED, "last_event_at": None},
    "promised anew": {"due_at": None},
}


@given(
    count=st.integers(0, 35),
    size=st.integers(1, 12),
    ordering=st.sampled_from([NEWEST, SOONEST]),
    waiting=st.sets(st.integers(1, 35)),
    same_moment=st.booleans(),
    changes=st.lists(st.tuples(st.integers(1, 35), st.sampled_from(sorted(CHANGES))), max_size=40),
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_does_not_change_meanwhile_is_shown_once(
    many, count, size, ordering, waiting, same_moment, changes
):
    """Whatever happens to other tickets between two pages."""
    with transaction.atomic():
        many(count, timedelta(0) if same_moment else timedelta(seconds=1))
        numbers = [f"CCR-2026-{number:05}" for number in waiting]
        Ticket.objects.filter(reference__in=numbers).update(status=Status.WAITING)
        in_order = list(
            Ticket.objects.live().order_by(*ordering).values_list("reference", flat=True)
        )
        changed, shown, place = set(), [], ""
        while True:
            page = page_after(Ticket.objects.live(), ordering, place, size)
            shown += references(page)
            place = page.next_after
            if not place:
                break
            for number, change in changes[:3]:
                now = timezone.now()
                Ticket.objects.filter(reference=f"CCR-2026-{number:05}").update(
                    **{name: value or now for name, value in CHANGES[change].items()}
                )
                changed.add(f"CCR-2026-{number:05}")
            changes = changes[3:]
        transaction.set_rollback(True)

    assert [r for r in shown if r not in changed] == [r for r in in_order if r not in changed]


def test_paging_costs_no_count(many, django_assert_num_queries):
    many(35)
    first = page_after(Ticket.objects.all(), NEWEST, "", 10)

    with django_assert_num_queries(1):
        page_after(Ticket.objects.all(), NEWEST, first.next_after, 10)


def test_a_message_between_two_pages_doubles_nothing(login, alice, bob, ada, many):
    """The whole way: by the pages and the product's own actions."""
    many(15, timedelta(minutes=1))
    client = login(alice)
    first = client.get(LIST)

    last = first.context["page"].rows[-1]
    actions.assign(last, to=bob, by=ada)  # moves it to the top
    second = client.get(LIST, {"after": first.context["page"].next_after})

    shown = texts(first, ".ccr-stub__title") + texts(second, ".ccr-stub__title")
    assert shown == [f"Ticket {number}" for number in range(15, 0, -1)]
