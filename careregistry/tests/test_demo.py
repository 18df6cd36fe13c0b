import time
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.checkups import Level
from accounts.models import Application, Role, Standing, User
from careregistry import demo
from careregistry.doctor import ask_history
from notifications.models import Notification, OutgoingMail
from tickets import anchors, history
from tickets.automation import clockwork
from tickets.models import DaySummary, Expertise, Feedback, Ticket, TicketEvent
from tickets.workflow import Status


@pytest.fixture
def data_dir(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    return tmp_path


@pytest.fixture
def loaded(db, data_dir):
    demo.load()


def test_the_cast_has_every_role_and_somebody_who_waits(loaded):
    roles = set(demo.people().values_list("role", "standing"))

    assert roles == {
        (Role.CUSTOMER, Standing.ACTIVE),
        (Role.AGENT, Standing.ACTIVE),
        (Role.AGENT, Standing.PENDING),
        (Role.ADMIN, Standing.ACTIVE),
    }
    assert Application.objects.pending().count() == 2
    assert not User.objects.filter(is_demo=False).exists()
    assert not demo.people().exclude(email__endswith="@example.com").exists()


def test_there_is_a_ticket_in_every_status_and_some_without_an_agent(loaded):
    assert set(Ticket.objects.values_list("status", flat=True)) == set(Status.values)
    assert Ticket.objects.unassigned().count() == 5
    assert Expertise.objects.exists()


def test_the_histories_hold_and_lie_in_the_past_in_order(loaded):
    now = timezone.now()

    assert list(history.problems(Ticket.objects.all())) == []
    assert not TicketEvent.objects.filter(at__gt=now).exists()
    assert not Feedback.objects.filter(created_at__gt=now - timedelta(days=1)).exists()
    by_number = Ticket.objects.order_by("pk").values_list("created_at", flat=True)
    assert list(by_number) == sorted(by_number)
    for ticket in Ticket.objects.prefetch_related("events"):
        times = [event.at for event in ticket.events.all()]
        assert times == sorted(times), ticket


def test_its_lines_are_anchored(db, data_dir, django_capture_on_commit_callbacks):
    """As if the worker had been there all the month."""
    with django_capture_on_commit_callbacks(execute=True):
        demo.load()

    assert list(anchors.problems()) == []
    assert ask_history().level == Level.OK


def test_the_month_before_has_a_shape(loaded):
    days = DaySummary.objects.all()

    assert len(days) == 30
    assert sum(day.raised for day in days) == Ticket.objects.count()
    assert sum(day.resolved for day in days) == Ticket.objects.exclude(resolved_at=None).count()


def test_nobody_is_owed_a_mail_for_what_never_happened(loaded):
    assert not Notification.objects.exists()
    assert not OutgoingMail.objects.exists()


def test_the_clock_is_right_again_afterwards(loaded):
    assert abs(timezone.now().timestamp() - time.time()) < 5


def test_running_it_again_changes_nothing_and_prints_the_same_passwords(db, data_dir):
    first, second = StringIO(), StringIO()
    call_command("demo", stdout=first)
    before = (User.objects.count(), Ticket.objects.count(), TicketEvent.objects.count())

    call_command("demo", stdout=second)

    assert (User.objects.count(), Ticket.objects.count(), TicketEvent.objects.count()) == before
    assert second.getvalue().splitlines()[1:] == first.getvalue().splitlines()
    assert len(first.getvalue().splitlines()) == 9


def test_the_printed_passwords_open_the_door_and_are_for_the_owners_eyes(loaded, data_dir):
    for person, password in demo.accounts():
        assert person.check_password(password), person

    assert (data_dir / "demo-accounts.txt").stat().st_mode & 0o777 == 0o600


def test_a_lost_password_file_means_new_passwords(loaded, data_dir):
    before = {person.email: password for person, password in demo.accounts()}
    (data_dir / "demo-accounts.txt").unlink()

    after = {person.email: password for person, password in demo.accounts()}

    assert after.keys() == before.keys()
    assert not set(after.values()) & set(before.values())
    assert all(person.check_password(password) for person, password in demo.accounts())


@pytest.mark.plan("P17")
def test_production_refuses_the_demonstration(db, settings):
    settings.PRODUCTION = True

    with pytest.raises(CommandError, match="no place for demonstration accounts"):
        call_command("demo")

    assert not User.objects.exists()


def test_the_clock_does_nothing_to_it_at_once(loaded):
    """D0-12: every status is there to be looked at, and nobody is mailed about last month."""
    lines = TicketEvent.objects.count()

    assert clockwork.run() > 0

    assert (TicketEvent.objects.count(), Notification.objects.count()) == (lines, 0)
