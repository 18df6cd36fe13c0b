"""What an administrator sees first, and that each number opens what it counts."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone, translation

from accounts.models import Application, Role, Standing
from accounts.tests.factories import make_agent, make_user
from careregistry import dashboard
from careregistry.tests.plans import plan_of
from messaging.models import InboundMail, Mailbox
from tickets import actions
from tickets.models import DaySummary, Expertise, Feedback, Ticket
from tickets.tests.factories import make_category, make_ticket
from tickets.workflow import Status

HOME = reverse("admin:index")


def figures(client):
    return {figure.label: figure for figure in client.get(HOME).context["figures"]}


def make_application(first_name, role):
    applicant = make_user(first_name, role=role, standing=Standing.PENDING)
    return Application.objects.create(applicant=applicant, role=role)


@pytest.fixture
def busy(alice, bob, ada):
    """Two new ones, one late, one waiting, one ended, one in the bin."""
    make_ticket(requester=alice)
    make_ticket(requester=alice)
    late = make_ticket(requester=alice, assignee=bob, by=ada)
    Ticket.objects.filter(pk=late.pk).update(due_at=timezone.now() - timedelta(minutes=5))
    make_ticket(requester=alice, assignee=bob, by=ada, status=Status.WAITING)
    make_ticket(requester=alice, assignee=bob, by=ada, status=Status.CLOSED)
    actions.bin_ticket(make_ticket(requester=alice), by=ada)


@pytest.mark.parametrize(
    ("label", "count"),
    [("All open", 4), ("Unassigned", 2), ("Overdue", 1), ("Waiting on customer", 1)],
)
def test_each_number_opens_exactly_what_it_counts(login, ada, busy, label, count):
    """D1-6, D4-7"""
    client = login(ada)
    figure = figures(client)[label]

    found = client.get(figure.url).context["cl"].queryset.count()

    assert (figure.value, found) == (str(count), count)


def test_counts_stop_at_a_limit(login, ada, busy, monkeypatch):
    monkeypatch.setattr(dashboard, "MAX_COUNT", 3)

    assert figures(login(ada))["All open"].value == "3+"


def test_the_rating_is_that_of_the_last_days(login, ada, alice, bob):
    for rating, days in [(5, 1), (4, 2), (1, 40)]:
        ticket = make_ticket(requester=alice, assignee=bob, by=ada)
        Feedback.objects.create(
            ticket=ticket, rating=rating, created_at=timezone.now() - timedelta(days=days)
        )
    client = login(ada)

    figure = figures(client)["Rating, 30 days"]

    assert (figure.value, figure.note) == ("4.5", "from 2 ratings")
    assert client.get(figure.url).context["cl"].queryset.count() == 2


def test_the_first_reply_is_a_median(login, ada, alice):
    for minutes in (10, 30, 600):
        ticket = make_ticket(requester=alice)
        Ticket.objects.filter(pk=ticket.pk).update(
            first_responded_at=ticket.created_at + timedelta(minutes=minutes)
        )
    make_ticket(requester=alice)

    figure = figures(login(ada))["First reply, median"]

    assert (figure.value, figure.note) == ("30\u00a0min", "of the newest tickets")


def test_an_empty_registry_says_so(login, ada):
    """D1-T23, D1-T26: the words when there is nothing to do."""
    page = login(ada).get(HOME).content.decode()

    assert page.count("There is nothing left to assign") == 1
    assert page.count("There are no pending requests") == 2
    assert "There are no agents yet" in page
    assert "No ticket is open." in page
    assert "No day has been counted yet" in page


def test_the_unassigned_stand_there_oldest_first_with_agents_beside(login, ada, alice, bob, dave):
    """D1-T22, D1-6: each with a drop-down of agents, their open load and what they know."""
    ticket = make_ticket(requester=alice, subject="Newer")
    older = make_ticket(requester=alice, subject="Older")
    Ticket.objects.filter(pk=older.pk).update(created_at=timezone.now() - timedelta(hours=1))
    Expertise.objects.create(agent=dave, category=older.category, level=Expertise.Level.GOOD)
    make_ticket(requester=alice, assignee=bob, by=ada)

    answer = login(ada).get(HOME)

    rows = answer.context["unassigned"]
    assert [row["ticket"] for row in rows] == [older, ticket]
    assert [str(candidate) for candidate in rows[0]["candidates"]] == [
        "Dave Dunn (0 open, good)",
        "Bob Baker (1 open)",
    ]
    assert [str(candidate) for candidate in rows[1]["candidates"]] == [
        "Dave Dunn (0 open)",
        "Bob Baker (1 open)",
    ]
    assert reverse("admin:tickets_ticket_assign", args=[older.pk]) in answer.content.decode()


def test_what_is_due_next_stands_first(login, ada, alice, bob):
    """D1-6, D1-15: an administrator sees what is late before what is new."""
    late, soon, ended = (make_ticket(requester=alice, assignee=bob, by=ada) for _ in range(3))
    now = timezone.now()
    Ticket.objects.filter(pk=late.pk).update(due_at=now - timedelta(hours=1))
    Ticket.objects.filter(pk=soon.pk).update(due_at=now + timedelta(minutes=1))
    actions.change_status(ended, Status.CLOSED, by=ada)

    assert list(login(ada).get(HOME).context["due_next"]) == [late, soon]


def test_the_sidebar_is_laid_out_by_what_administrators_do(login, ada):
    """D4-7, D4-10: what is set up stands apart from what is worked on and what is on record."""
    places = login(ada).get(HOME).context["available_apps"]

    first = {place["name"]: place["models"][0]["object_name"] for place in places}
    assert {"Tickets": "Ticket", "People": "User", "How the desk works": "Category"}.items() <= (
        first.items()
    )
    assert str(places[-1]["name"]) == "Records"
    shown = [row["object_name"] for place in places for row in place["models"]]
    assert len(shown) == len(set(shown))


def test_one_s_own_complaint_is_for_another_administrator_to_assign(login, ada, bob):
    own = make_ticket(requester=ada)

    page = login(ada).get(HOME).content.decode()

    assert "Your own ticket" in page
    assert reverse("admin:tickets_ticket_assign", args=[own.pk]) not in page


def test_requests_stand_in_the_list_of_their_role(login, ada):
    """D1-T25, D2-3: agents and administrators who wait."""
    agent = make_application("Ines", Role.AGENT)
    admin = make_application("Wole", Role.ADMIN)

    answer = login(ada).get(HOME)

    assert [list(found) for _title, found in answer.context["requests"]] == [[agent], [admin]]
    for verb in ("accept", "decline"):
        url = reverse(f"admin:accounts_application_{verb}", args=[agent.pk])
        assert url in answer.content.decode()


def test_workloads_show_what_is_late_and_what_is_due_today(login, ada, alice, bob, dave):
    """D3-3: the work of each agent, and the way to exactly these tickets."""
    tickets = [make_ticket(requester=alice, assignee=bob, by=ada) for _number in range(4)]
    now = timezone.now()
    for ticket, due in zip(tickets, [-1, -1, 3000, 3000], strict=True):
        Ticket.objects.filter(pk=ticket.pk).update(due_at=now + timedelta(hours=due))
    client = login(ada)

    busiest, idle = client.get(HOME).context["workloads"]

    assert [(bar["css"], bar["x"], bar["width"]) for bar in busiest["bars"]] == [
        ("f-c1", "0.0", "50.0"),
        ("f-c5", "50.0", "50.0"),
    ]
    assert (busiest["agent"], idle["agent"], idle["bars"]) == (bob, dave, [])
    assert client.get(busiest["url"]).context["cl"].queryset.count() == 4


def test_the_chart_is_drawn_from_the_daily_summaries(login, ada):
    today = timezone.localdate()
    DaySummary.objects.create(day=today, raised=7, resolved=3)
    DaySummary.objects.create(day=today - timedelta(days=29), raised=2, resolved=1)
    DaySummary.objects.create(day=today - timedelta(days=30), raised=90, resolved=90)

    with translation.override("de"):  # a language with a decimal comma
        answer = login(ada).get(HOME, headers={"accept-language": "de"})

    chart = answer.context["chart"]
    assert (len(chart.days), chart.ceiling) == (30, 8)
    assert chart.raised.startswith("M0.00 75.00 L3.45 100.00")
    assert chart.raised.endswith("L100.00 12.50")
    assert "Between 0 and 7 raised a day" in answer.content.decode()
    assert "7 raised today" in answer.content.decode()
    assert not re.search(r'd="[^"]*,', answer.content.decode())


@pytest.mark.parametrize(
    ("count", "ceiling"), [(0, 4), (4, 4), (5, 8), (9, 20), (61, 80), (201, 400), (1999, 2000)]
)
def test_the_top_line_is_a_round_number(count, ceiling):
    assert dashboard._round_up(count) == ceiling


@pytest.mark.parametrize("count", [1, 3])
def test_the_dashboard_costs_the_same_with_more_of_everything(
    login, ada, django_assert_num_queries, count
):
    client = login(ada)
    for number in range(count):
        agent = make_agent(f"Agent{number}")
        category = make_category()
        Expertise.objects.create(agent=agent, category=category)
        make_ticket(requester=make_user(), category=category)
        given = make_ticket(requester=make_user(), category=category)
        page = reverse("admin:tickets_ticket_assign", args=[given.pk])
        client.post(page, {"agent": agent.pk, "seen": ""})
        make_application(f"Ines{number}", Role.AGENT)
        make_application(f"Wole{number}", Role.ADMIN)
    client.get(HOME)

    with django_assert_num_queries(17):  # one of them: who helped these customers before
        answer = client.get(HOME)

    shown = ("unassigned", "workloads", "recent_actions")
    assert [len(answer.context[name]) for name in shown] == [count] * 3


@pytest.mark.skipif(connection.vendor != "postgresql", reason="asks PostgreSQL for its plan")
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("tickets", "index"),
    [
        (Ticket.objects.live().order_by("status", "due_at"), "ticket_live"),
        (Ticket.objects.unassigned().order_by("created_at", "pk"), "ticket_unassigned"),
        (Ticket.objects.live().filter(status=Status.WAITING).order_by("due_at"), "ticket_live"),
        (Ticket.objects.filter(assignee=1).live().order_by("due_at", "pk"), "ticket_live"),
    ],
)
def test_counts_walk_an_index_and_not_the_table(tickets, index):
    assert index in plan_of(tickets.values("pk")[:1001])


def test_mail_that_waits_is_said_and_shown(login, ada):
    client, facts = login(ada), {"source": "pipe", "size": 1, "sha256": "0" * 64}
    before = client.get(HOME)
    for fate in ("held", "quarantined", "dropped"):
        InboundMail.objects.create(subject=fate, fate=fate, **facts)

    after = client.get(HOME)
    url = re.search(r'href="([^"]+)">Look at it \(2\)', after.text)[1]
    shown = client.get(url).context["cl"].result_list

    assert before.context["waiting_mails"] == 0
    assert [mail.subject for mail in shown] == ["quarantined", "held"]


def test_a_silent_mailbox_is_said_and_shown(login, ada):
    """D0-26: the letter about it may wait for the same server."""
    client, facts = login(ada), {"host": "mail.example.org", "username": "care"}
    Mailbox.objects.create(name="Answers", polled_at=timezone.now(), **facts)
    before = client.get(HOME).text
    long_ago = timezone.now() - timedelta(days=1)
    Mailbox.objects.create(name="Silent", watched_since=long_ago, **facts)
    Mailbox.objects.create(name="Off", watched_since=long_ago, is_active=False, **facts)

    after = client.get(HOME).text
    url = re.search(r'href="([^"]+)">Look at the mailboxes \(1 silent\)', after)[1]
    shown = client.get(url).context["cl"].result_list

    assert "no mail could be fetched" not in before
    assert [mailbox.name for mailbox in shown] == ["Answers", "Silent"]
