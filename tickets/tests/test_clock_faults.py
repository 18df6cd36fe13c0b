"""The clock in spite of faults, and by hand: one ticket holds up no other."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import IntegrityError

from notifications.models import Notification
from tickets.automation import clockwork
from tickets.models import Ticket, TicketEvent
from tickets.workflow import Status, TicketRefusal

from .clocked import MONDAY, at, run, steps

pytestmark = pytest.mark.django_db


def hours(count):
    return timedelta(hours=count)


FAULTS = [TicketRefusal("Not now."), RuntimeError("a bug"), IntegrityError("a broken row")]


@pytest.fixture
def failing(monkeypatch):
    """The clock fails with these tickets."""
    tickets = {}
    real = clockwork.STEPS["answer_missed"]

    def step(ticket, name):
        if fault := tickets.get(ticket.pk):
            Ticket.objects.filter(pk=ticket.pk).update(subject="Half done")
            raise fault
        real(ticket, name)

    monkeypatch.setitem(clockwork.STEPS, "answer_missed", step)
    return tickets


# --- In spite of faults --------------------------------------------------------------------


@pytest.mark.plan("SEC-E3")
@pytest.mark.parametrize("fault", FAULTS, ids=["refused", "bug", "database"])
def test_one_ticket_that_fails_holds_up_no_other(on_monday, failing, caplog, fault):
    """Nothing half done, the reason in the log, tried again in an hour."""
    first, second, third = (on_monday() for _number in range(3))
    failing[second.pk] = fault

    assert run(hours=4) == 3
    assert run(hours=4) == 0

    assert [steps(t) for t in (first, second, third)] == [["answer_missed"], [], ["answer_missed"]]
    assert caplog.messages == [f"{second} could not be seen to. Again in 1:00:00."]
    second.refresh_from_db()
    assert (second.subject, second.stuck_since) == ("Kettle stopped heating", MONDAY + hours(4))

    failing.clear()
    assert (run(hours=5, seconds=-1), run(hours=5)) == (0, 1)
    second.refresh_from_db()
    assert (steps(second), second.stuck_since) == (["answer_missed"], None)


def test_administrators_see_which_tickets_it_fails_with(on_monday, failing, login, ada):
    stuck, _well = on_monday(), on_monday()
    words = "What should happen by itself fails with some tickets."
    console = login(ada)
    with at(hours=3):
        assert words not in console.get("/admin/").text
    failing[stuck.pk] = RuntimeError()
    run(hours=4)

    with at(hours=4):
        assert words in console.get("/admin/").text
        listed = console.get("/admin/tickets/ticket/?due=stuck").context["cl"].result_list

    assert list(listed) == [stuck]


def told_by(*arguments):
    out = StringIO()
    call_command("run_clock", *arguments, stdout=out)
    return out.getvalue()


# --- By hand -------------------------------------------------------------------------------


def test_the_dry_run_lists_what_would_be_done_and_keeps_nothing(on_monday, failing):
    """D0-12: and that is what is done."""
    late, failed, quiet = on_monday(), on_monday(), on_monday(Status.RESOLVED)
    failing[failed.pk] = RuntimeError()

    def kept():
        return list(Ticket.objects.order_by("pk").values()), TicketEvent.objects.count()

    before = kept(), Notification.objects.count()
    with at(days=30):
        assert told_by("--dry-run") == (
            f"{late} answer_missed\n{failed} stuck\n{quiet} closing_reminder\n"
        )
        assert (kept(), Notification.objects.count()) == before
        assert told_by() == "3 tickets seen to.\n"

    assert [steps(ticket) for ticket in (late, failed, quiet)] == [
        ["answer_missed"], [], ["closing_reminder"],
    ]  # fmt: skip
