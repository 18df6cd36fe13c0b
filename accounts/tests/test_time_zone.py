"""Times are said by the clock of whoever reads them; what is counted goes by the desk's."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from notifications.mail import composing as mails
from notifications.mail import outbox
from notifications.models import Notification, OutgoingMail
from tickets.models import Ticket
from tickets.summaries import summarise_days
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db

NOON = "2026-11-20 12:00Z"
ZONES = [("", "12:00"), ("Asia/Tokyo", "21:00"), ("America/New_York", "07:00")]


def lives_in(person, zone):
    person.time_zone = zone
    person.save()
    return person


@pytest.mark.parametrize(("zone", "clock"), ZONES)
def test_pages_say_times_by_the_readers_clock(login, ada, alice, kettles, zone, clock):
    with time_machine.travel(NOON, tick=False):
        ticket = make_ticket(alice, category=kettles, by=ada)
        page = login(lives_in(alice, zone)).get(ticket.get_absolute_url())

    assert f">{clock}</time>" in page.text


@pytest.mark.parametrize(("zone", "clock"), ZONES)
def test_promises_are_made_by_the_readers_clock(login, ada, alice, kettles, zone, clock):
    """Due in four hours: at 16:00 today here, at one o'clock of tomorrow in Tokyo."""
    with time_machine.travel(NOON, tick=False):
        make_ticket(alice, category=kettles, by=ada)
        page = login(lives_in(alice, zone)).get(reverse("tickets:list"))

    promised = {"12:00": "16:00 today", "21:00": "01:00 tomorrow", "07:00": "11:00 today"}[clock]
    assert promised in page.text


def test_the_next_reader_has_their_own_clock(client, alice, bob, ticket):
    """A zone ends with its request."""
    client.force_login(lives_in(alice, "Asia/Tokyo"))
    client.get(reverse("tickets:list"))

    assert timezone.get_current_timezone() == timezone.get_default_timezone()


def test_a_zone_ends_also_with_a_page_that_fails(client, alice):
    client.force_login(lives_in(alice, "Asia/Tokyo"))
    assert client.get("/tickets/CCR-2026-99999/").status_code == 404

    assert timezone.get_current_timezone() == timezone.get_default_timezone()


def test_a_zone_costs_no_query(login, alice, django_assert_num_queries):
    client = login(lives_in(alice, "Asia/Tokyo"))
    client.get(reverse("account_profile"))

    with django_assert_num_queries(4):  # as without one: see test_profile
        client.get(reverse("account_profile"))


def test_visitors_cost_no_query(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        client.get("/")


def receipt_of(ticket):
    """The mail that tells its requester that it came."""
    outbox.address_notifications()
    owed = Notification.objects.get(
        kind="ticket_raised", recipient=ticket.requester, event__ticket=ticket
    )
    return mails.compose(OutgoingMail.objects.get(pk=owed.mail_id)).body


@pytest.mark.parametrize(("zone", "clock"), ZONES)
def test_mail_says_times_by_the_recipients_clock(alice, ada, kettles, zone, clock):
    lives_in(alice, zone)
    with time_machine.travel(NOON, tick=False):
        ticket = make_ticket(alice, category=kettles)
        body = receipt_of(ticket)

    promised = {"12:00": "16:00 (UTC)", "21:00": "01:00", "07:00": "11:00"}[clock]
    assert f"{'Sat 21' if clock == '21:00' else 'Fri 20'} Nov, {promised}." in body
    assert timezone.get_current_timezone() == timezone.get_default_timezone()


# --- What goes by the desk ------------------------------------------------------------


def test_numbers_go_by_the_desks_year(login, alice, kettles):
    """In Tokyo it is 2027 already; the desk still writes 2026."""
    with timezone.override("Asia/Tokyo"), time_machine.travel("2026-12-31 20:00Z", tick=False):
        ticket = make_ticket(alice, category=kettles)

    assert ticket.reference.startswith("CCR-2026-")


def test_the_dashboards_days_are_the_desks(login, ada, alice, kettles):
    with time_machine.travel("2026-11-20 20:00Z", tick=False):
        make_ticket(alice, category=kettles)
        summarise_days()
        page = login(lives_in(ada, "Asia/Tokyo")).get(reverse("admin:index"))

    assert "1 raised today" in page.text
    assert Ticket.objects.get().created_at == datetime(2026, 11, 20, 20, tzinfo=UTC)
