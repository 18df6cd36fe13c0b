"""Procedures, codes and cases in the console."""

import pytest
from django.contrib import admin
from django.test import RequestFactory
from django.urls import reverse, reverse_lazy

from careregistry.tests.plans import plan_of
from tickets import actions
from tickets.models import (
    ComplaintCase,
    ComplaintCode,
    ComplaintTrack,
    EscalationLevel,
    Stage,
    Ticket,
)
from tickets.regulated import complaints
from tickets.tests.factories import make_calendar, make_code, make_ticket, make_track
from tickets.workflow import Status

from .graded import WORDS

pytestmark = pytest.mark.django_db

ADD = reverse_lazy("admin:tickets_complainttrack_add")
CASES = reverse_lazy("admin:tickets_complaintcase_changelist")


def procedure(**typed):
    calendar = make_calendar()
    return {
        "name": "Insurance", "days": "working", "calendar": calendar.pk, "warn_before": "1",
        "acknowledge_within": "3", "respond_within": "20", "sender": "Acme Ltd",
        "referral": "Ask the Ombudsman.",
    } | typed  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        pytest.param({}, None, id="all is well"),
        pytest.param({"acknowledge_within": "20"}, None, id="on the same day"),
        pytest.param(
            {"acknowledge_within": "21"},
            "The final response can’t come before the acknowledgement",
            id="first the response",
        ),
        pytest.param({"acknowledge_within": "0"}, "from 1 to 366", id="at once"),
        pytest.param({"respond_within": "367"}, "from 1 to 366", id="in years"),
        pytest.param({"respond_within": ""}, "This field is required", id="some day"),
        pytest.param({"warn_before": "3"}, "must come after the start", id="warned at once"),
        pytest.param({"referral": ""}, "This field is required", id="nowhere to turn to"),
    ],
)
def test_a_procedure_makes_sense(login, ada, typed, error):
    """D4-7: bad input is said beside its field."""
    answer = login(ada).post(ADD, procedure(**typed))

    assert (answer.status_code == 200) == bool(error)
    assert ComplaintTrack.objects.count() == (0 if error else 1)
    if error:
        (field,) = typed if typed.get("acknowledge_within") != "21" else ["respond_within"]
        assert error in str(answer.context["adminform"].form.errors[field])


@pytest.mark.parametrize(("days", "is_refused"), [("working", True), ("calendar", False)])
def test_a_calendar_that_never_opens_has_no_working_days(login, ada, days, is_refused):
    shut = make_calendar(days=[])

    answer = login(ada).post(ADD, procedure(calendar=shut.pk, days=days))

    assert (answer.status_code == 200) == is_refused
    if is_refused:
        assert "never opens" in str(answer.context["adminform"].form.errors["calendar"])


def test_a_category_gets_its_procedure(login, ada, kettles):
    track = make_track()
    url = reverse("admin:tickets_category_change", args=[kettles.pk])

    answer = login(ada).post(url, category_form("track", track.pk))

    assert answer.status_code == 302
    kettles.refresh_from_db()
    assert kettles.track == track


def category_form(name, value):
    counts = ("TOTAL", "INITIAL", "MIN_NUM", "MAX_NUM")
    inlines = {f"{rows}-{each}_FORMS": 0 for rows in ("experts", "fields") for each in counts}
    return {
        "name": "Kettles", "team_name": "Returns team", "position": 1, "parent": "",
        "is_active": "on", "default_priority": "normal", "routing": "manual", "email": "",
        **inlines, name: value,
    }  # fmt: skip


def delete(client, row):
    url = reverse(f"admin:tickets_{row._meta.model_name}_delete", args=[row.pk])
    return client.post(url, {"post": "yes"}, follow=True)


def test_what_complaints_use_stays(login, ada, graded, bob, codes):
    complaints.code(graded, by=bob, **codes)

    for used in (graded.category.track, codes["cause"], codes["remedy"]):
        assert "is in use" in delete(login(ada), used).text
    for unused in (make_track(), make_code("cause", "unused")):
        assert "was deleted successfully" in delete(login(ada), unused).text
    assert (ComplaintTrack.objects.count(), ComplaintCode.objects.count()) == (1, 2)


@pytest.fixture
def three(alice, bob, ada, codes):
    """Regulated complaints with Bob: by law one of them comes first, another last."""
    found = []
    for days in (9, 2, 5):
        category = make_track(respond=days, acknowledge=days).category_set.create(
            name=f"In {days} days", team_name="Team"
        )
        found.append(make_ticket(alice, assignee=bob, by=ada, category=category))
    return found


def listed(client, **filters):
    return [case.ticket for case in client.get(CASES, filters).context["cl"].result_list]


def test_what_the_law_wants_next_comes_first(login, ada, three, bob, codes):
    """D4-7: monitored by stage and level."""
    late, first, middle = three
    client = login(ada)
    assert listed(client) == [first, middle, late]

    complaints.advance(middle, Stage.INVESTIGATING, by=bob, text="A word")
    complaints.escalate(late, EscalationLevel.MANAGEMENT, by=bob, text="A word")
    assert listed(client, stage="investigating") == [middle]
    assert listed(client, level__exact="2") == [late]

    complaints.respond(first, by=bob, text=WORDS, **codes)
    complaints.respond(middle, by=bob, text=WORDS, **codes)
    assert listed(client) == [late]
    assert listed(client, stage="responded") == [middle, first]


def test_what_ended_or_is_in_the_bin_is_not_listed(login, ada, three, alice):
    closed, binned, left = three
    actions.change_status(closed, Status.WITHDRAWN, by=alice)
    actions.bin_ticket(binned, by=ada)

    assert listed(login(ada)) == [left]


@pytest.mark.plan("SEC-A5")
def test_an_administrator_is_the_customer_of_their_own_complaint(login, ada, graded, three):
    own = three[0]
    Ticket.objects.filter(pk=own.pk).update(requester=ada)

    assert own not in listed(login(ada))
    assert graded in listed(login(ada))
    url = reverse("admin:tickets_complaintcase_change", args=[own.case.pk])
    assert login(ada).get(url, follow=True).request["PATH_INFO"] == reverse("admin:index")


@pytest.mark.parametrize("stage", ["", "responded"])
@pytest.mark.parametrize("count", [1, 3])
def test_the_list_costs_the_same_however_long(
    login, ada, three, bob, codes, count, stage, django_assert_num_queries
):
    for ticket in three[count:]:
        ComplaintCase.objects.get(ticket=ticket).delete()
    if stage:
        for ticket in three[:count]:
            complaints.respond(ticket, by=bob, text=WORDS, **codes)
    client = login(ada)
    client.get(CASES)

    with django_assert_num_queries(6):  # session, person, procedures, how many, which, bell
        assert len(listed(client, **({"stage": stage} if stage else {}))) == count


@pytest.mark.parametrize(
    ("filters", "index"),
    [({}, "ticket_due_by_law"), ({"stage": "responded"}, "complaint_responded")],
)
def test_an_index_serves_its_order(login, ada, filters, index):
    """What is owed by law is a few among all tickets."""
    request = RequestFactory().get(CASES, filters)
    request.user = ada
    changelist = admin.site.get_model_admin(ComplaintCase).get_changelist_instance(request)

    assert index in plan_of(changelist.get_queryset(request)[:50])
