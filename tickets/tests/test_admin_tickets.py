"""Every ticket in the console: found, looked at, moved, classified, deleted and restored."""

from datetime import date, timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import make_admin
from messaging.actions import post_note
from tickets import actions
from tickets.models import Ticket
from tickets.tests.factories import make_category, make_ticket
from tickets.workflow import ResolutionKind, Status

TICKETS = reverse("admin:tickets_ticket_changelist")


def page(ticket, verb):
    return reverse(f"admin:tickets_ticket_{verb}", args=[ticket.pk])


def listed(client, query=""):
    return {ticket.reference for ticket in client.get(f"{TICKETS}?{query}").context["cl"].queryset}


def moved_due(ticket, **ago):
    Ticket.objects.filter(pk=ticket.pk).update(due_at=timezone.now() - timedelta(**ago))


# --- The list ---------------------------------------------------------------


@pytest.fixture
def four(alice, carol, bob, ada, kettles):
    """A new one, one in progress, one waiting for its customer, one withdrawn."""
    return {
        "new": make_ticket(requester=alice, category=kettles, subject="Lid is loose"),
        "open": make_ticket(requester=carol, assignee=bob, by=ada, priority="urgent"),
        "waiting": make_ticket(requester=alice, assignee=bob, by=ada, status=Status.WAITING),
        "withdrawn": make_ticket(requester=alice, by=ada, status=Status.WITHDRAWN),
    }


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["new", "open", "waiting", "withdrawn"]),
        ("status=live", ["new", "open", "waiting"]),
        ("status=waiting", ["waiting"]),
        ("status=live&agent=nobody", ["new"]),
        ("agent=somebody", ["open", "waiting"]),
        ("agent={bob}", ["open", "waiting"]),
        ("agent={ada}", []),
        ("agent=x", []),
        ("due=overdue", ["open"]),
        ("priority__exact=urgent", ["open"]),
        ("category__id__exact={kettles}", ["new"]),
        ("q={new}", ["new"]),
        ("q={new_lower}", ["new"]),
        ("q=carol@", ["open"]),
        ("q=LID", ["new"]),
        ("q=nothing+of+the+kind", []),
    ],
)
def test_the_list_shows_every_ticket_and_narrows(login, ada, bob, kettles, four, query, names):
    """D1-6, D0-9, D3-3: all tickets of the system, and those of one agent."""
    moved_due(four["open"], minutes=5)
    moved_due(four["waiting"], minutes=5)  # the clock is paused, so nothing is overdue
    query = query.format(
        bob=bob.pk, ada=ada.pk, kettles=kettles.pk, new=four["new"],
        new_lower=four["new"].reference.lower(),
    )  # fmt: skip

    assert listed(login(ada), query) == {four[name].reference for name in names}


def test_words_are_looked_for_in_the_newest_tickets_only(login, ada, four, monkeypatch):
    monkeypatch.setattr("tickets.admin.ticket.NEWEST_SEARCHED", 1)

    assert listed(login(ada), "q=lid") == set()
    assert listed(login(ada), f"q={four['new']}") == {four["new"].reference}


def test_a_long_list_is_counted_no_further_than_a_limit(login, ada, alice, kettles, monkeypatch):
    monkeypatch.setattr("accounts.console.MAX_COUNT", 2)
    for _number in range(4):
        make_ticket(requester=alice, category=kettles)

    assert "2+ tickets" in login(ada).get(TICKETS).content.decode()


@pytest.mark.plan("SEC-B11")
@pytest.mark.parametrize(
    "query", ["p=-1", "p=x", "p=999999", "o=99", "status=x", "_facets=True", "q=" + "x" * 10_000]
)
def test_odd_questions_of_the_list_are_answered(login, ada, four, query):
    assert login(ada).get(f"{TICKETS}?{query}").status_code in (200, 302)


@pytest.mark.parametrize("more", [0, 2])
def test_the_list_costs_the_same_with_more_tickets(
    login, ada, alice, bob, ticket, django_assert_num_queries, more
):
    for _number in range(more):
        make_ticket(requester=alice, assignee=bob, by=ada)
    client = login(ada)
    client.get(TICKETS)

    with django_assert_num_queries(7):  # one of them: the tags to filter by
        client.get(TICKETS)


# --- One ticket -------------------------------------------------------------


def test_the_page_shows_the_numbered_history_with_notes(login, ada, bob, ticket):
    post_note(ticket, by=bob, body="Third kettle this week")

    answer = login(ada).get(page(ticket, "change"))

    told = [(row["line"].number, row["what"]) for row in answer.context["lines"]]
    assert told == [
        (4, "Internal note"),
        (3, "Moved to In progress"),
        (2, "Assigned to Bob Baker"),
        (1, "Raised"),
    ]
    assert "Third kettle this week" in answer.content.decode()
    assert ticket.workspace_url in answer.content.decode()


@pytest.mark.plan("SEC-A5")
def test_an_administrator_does_not_read_the_notes_on_their_own_complaint(login, ada, bob, ticket):
    own = make_ticket(requester=ada, assignee=bob, by=make_admin())
    post_note(own, by=bob, body="canary-7731")
    post_note(ticket, by=bob, body="other-canary")
    client = login(ada)

    pages = [page(own, "change"), page(own, "history")] + [
        reverse(f"admin:{name}_changelist") for name in ("tickets_ticketevent", "messaging_message")
    ]
    shown = "".join(client.get(url).content.decode() for url in pages)

    assert "canary-7731" not in shown
    assert "other-canary" in shown
    note = own.events.get(text="canary-7731")
    line = client.get(reverse("admin:tickets_ticketevent_change", args=[note.pk]), follow=True)
    assert "canary-7731" not in line.content.decode()


@pytest.mark.plan("SEC-A11")
@pytest.mark.parametrize("verb", ["assign", "move", "classify", "details", "bin", "restore"])
def test_verbs_are_neither_offered_nor_possible_on_one_s_own_complaint(login, ada, ticket, verb):
    own = make_ticket(requester=ada)
    client = login(ada)

    assert client.get(page(own, "change")).context["verbs"] == []
    assert client.get(page(own, verb)).status_code == 403
    assert client.post(page(own, verb)).status_code == 403
    assert client.get(page(ticket, verb)).status_code == 200


@pytest.mark.plan("SEC-A7")
def test_no_field_of_a_ticket_is_changed_by_hand(login, ticket):
    root = make_admin("Root", is_superuser=True)
    before = Ticket.objects.filter(pk=ticket.pk).values().get()
    client = login(root)

    answers = [
        client.post(page(ticket, "change"), dict.fromkeys(before, "closed")).status_code,
        client.post(page(ticket, "delete"), {"post": "yes"}).status_code,
    ]

    assert answers == [403, 403]
    assert Ticket.objects.filter(pk=ticket.pk).values().get() == before


# --- Moves ------------------------------------------------------------------


def test_the_administrator_moves_any_ticket(login, ada, ticket):
    """D2-5: resolved, with its kind and the words for the customer."""
    answer = login(ada).post(
        page(ticket, "move"),
        {"status": "resolved", "resolution": "refunded", "text": "The money is on its way."},
    )

    ticket.refresh_from_db()
    assert answer.url == page(ticket, "change")
    assert (ticket.status, ticket.resolution_kind) == (Status.RESOLVED, ResolutionKind.REFUNDED)
    assert ticket.status_event.text == "The money is on its way."
    assert ticket.status_event.actor == ada
    assert LogEntry.objects.get().change_message == "Moved to Resolved."


def test_only_lawful_moves_are_offered(login, ada, ticket):
    actions.change_status(ticket, Status.CLOSED, by=ada)

    form = login(ada).get(page(ticket, "move")).context["form"]

    assert [key for key, _label in form.fields["status"].choices if key] == [Status.OPEN]


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"status": "new"}, "status"),
        ({"status": ""}, "status"),
        ({"status": "resolved", "text": "kept words"}, "resolution"),
        ({"status": "resolved", "resolution": "refunded"}, "text"),
        ({"status": "resolved", "resolution": "magic", "text": "kept words"}, "resolution"),
        ({"status": "hold", "text": "kept words"}, "until"),
        ({"status": "hold", "text": "kept words", "until": "2001-01-01"}, "until"),
        ({"status": "hold", "text": "kept words", "until": "soon"}, "until"),
        ({"status": "hold", "text": "kept words", "until": "2099-01-01"}, "until"),
        ({"status": "hold", "until": f"{date.today() + timedelta(days=9)}"}, "text"),
        ({"status": "waiting", "text": "w" * 50_001}, "text"),
    ],
)
def test_what_is_missing_is_named_and_what_was_typed_is_kept(login, ada, ticket, typed, field):
    """D0-24"""
    before = ticket.event_count

    answer = login(ada).post(page(ticket, "move"), typed)

    ticket.refresh_from_db()
    assert answer.status_code == 200
    assert list(answer.context["form"].errors) == [field]
    assert typed.get("text", "") in answer.content.decode()
    assert ticket.event_count == before


def test_priority_and_category_are_set_by_the_action(login, ada, ticket):
    """D2-5: categorises. The line is for staff."""
    other = make_category("Delivery")

    changed = {"kind": ticket.kind, "priority": "high", "category": other.pk}
    login(ada).post(page(ticket, "classify"), changed)

    ticket.refresh_from_db()
    assert (ticket.priority, ticket.category) == ("high", other)
    line = ticket.events.last()
    assert (line.kind, line.actor, line.audience) == ("classified", ada, "staff")
    assert LogEntry.objects.count() == 1


def test_what_stays_as_it_was_writes_no_line(login, ada, ticket):
    same = {"kind": ticket.kind, "priority": ticket.priority, "category": ticket.category_id}

    answer = login(ada).post(page(ticket, "classify"), same)

    assert answer.status_code == 302
    assert ticket.events.count() == 3
    assert not LogEntry.objects.exists()


# --- The bin ----------------------------------------------------------------


def test_deleting_asks_first_and_can_be_undone(login, ada, ticket):
    """D0-9: out of every list with its history kept, and back."""
    client = login(ada)

    assert f"Delete {ticket}?" in client.get(page(ticket, "bin")).content.decode()
    assert listed(client) == {ticket.reference}

    client.post(page(ticket, "bin"))
    assert listed(client) == set()
    assert listed(client, "bin=only") == {ticket.reference}
    assert client.get(page(ticket, "assign")).status_code == 404
    assert [label for label, _url in client.get(page(ticket, "change")).context["verbs"]] == [
        "Restore",
        "Remove for good",
    ]

    client.post(page(ticket, "restore"))
    assert listed(client) == {ticket.reference}
    assert [line.kind for line in ticket.events.order_by("number")][-2:] == ["binned", "restored"]
    assert LogEntry.objects.count() == 2


def test_an_action_that_fails_leaves_no_line_in_the_log(login, ada, ticket, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr("tickets.admin.ticket.TicketAdmin.log_change", fail)

    with pytest.raises(RuntimeError):
        login(ada).post(page(ticket, "bin"))

    ticket.refresh_from_db()
    assert ticket.deleted_at is None
