"""How tickets are sorted and found again: kind, tags, usual priority, categories as a tree."""

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tickets import actions
from tickets.erasure import erase_ticket
from tickets.models import Category, Priority, Tag, Ticket, TicketKind

from .factories import make_category, make_ticket
from .raising import NEW, REVIEW, form_of, raise_ticket, write
from .reading import problems, text, texts, told

WORKSPACE = reverse("tickets:workspace")
TICKETS = reverse("admin:tickets_ticket_changelist")


def classify(client, ticket, **changes):
    now = {"kind": ticket.kind, "priority": ticket.priority, "category": ticket.category_id}
    url = reverse("tickets:classify", args=[ticket.reference])
    return client.post(url, now | {"tags": ""} | changes, follow=True)


def tags_of(ticket):
    return [tag.name for tag in ticket.tags.all()]


# --- Kinds -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(TicketKind))
def test_not_only_complaints(login, alice, kettles, kind):
    """D3-6: asked first, reviewed, kept, shown to the requester."""
    client = login(alice)
    write(client, kettles, kind=kind)
    review = client.get(REVIEW)

    ticket = raise_ticket(client, kettles, kind=kind)

    assert kind.label in texts(review, "dd")
    assert (ticket.kind, ticket.events.get().data["kind"]) == (kind, kind)
    page = text(client.get(ticket.get_absolute_url()), "#ticket-aside")
    assert f"Kind {kind.label}" in page


def test_what_is_not_said_is_a_complaint(login, alice, kettles):
    """D3-6"""
    page = login(alice).get(NEW)

    assert 'value="complaint" class="form-check-input" id="id_kind_0" checked' in page.text
    assert raise_ticket(login(alice), kettles).kind == TicketKind.COMPLAINT


def test_another_kind_is_refused(login, alice, kettles):
    page = write(login(alice), kettles, kind="praise")

    assert problems(page)[0] == ["Choose what it is"]


def test_its_agent_corrects_the_kind(login, bob, ticket):
    """D3-6"""
    page = classify(login(bob), ticket, kind="question")

    line = ticket.events.last()
    assert (line.kind, line.audience) == ("classified", "staff")
    assert line.data == {"kind": ["complaint", "question"]}
    assert "Kind Question" in text(page, "#ticket-facts")


# --- Tags ------------------------------------------------------------------------------


def test_tags_are_small_words_between_commas(login, bob, ticket):
    """D1-16"""
    page = classify(login(bob), ticket, tags=" Recall, kettle  K2,,RECALL , ")

    assert tags_of(ticket) == ["kettle k2", "recall"]
    assert texts(page, ".ccr-tagl") == ["kettle k2", "recall"]
    line = ticket.events.last()
    assert (line.kind, line.audience, line.text) == ("classified", "staff", "")
    assert line.data == {"tags": {"added": list(ticket.tags.values_list("pk", flat=True))}}


def test_what_is_no_longer_typed_is_taken_off(login, bob, ticket):
    client = login(bob)
    classify(client, ticket, tags="recall, k2")
    recall = Tag.objects.get(name="recall")

    classify(client, ticket, tags="k2")
    lines = ticket.events.count()
    classify(client, ticket, tags="K2")

    assert tags_of(ticket) == ["k2"]
    assert ticket.events.count() == lines  # the same again writes nothing
    assert ticket.events.last().data == {"tags": {"removed": [recall.pk]}}


def test_known_tags_complete_what_is_typed(login, bob, ticket, alice, kettles, ada):
    other = make_ticket(requester=alice, assignee=bob, category=kettles, by=ada)
    classify(login(bob), other, tags="recall, warm")
    classify(login(bob), ticket, tags="warm")

    page = login(bob).get(reverse("tickets:classify", args=[ticket.reference]))

    assert 'value="warm" list="known-tags"' in page.text
    assert '<option value="warm, recall"></option>' in page.text


TOO_MUCH = [
    pytest.param("x" * 51, "A tag must be 50 characters or less", id="long"),
    pytest.param(",".join(map(str, range(21))), "Use at most 20 tags", id="many"),
    pytest.param("a\0b", "Null characters are not allowed.", id="nul"),
]


@pytest.mark.parametrize(("tags", "words"), TOO_MUCH)
def test_too_much_is_refused_and_changes_nothing(login, bob, ticket, tags, words):
    """D0-24"""
    page = classify(login(bob), ticket, tags=tags, priority="urgent")

    assert page.status_code == 422
    assert problems(page)[0] == [words]
    ticket.refresh_from_db()
    assert (tags_of(ticket), ticket.priority) == ([], "normal")


@pytest.mark.plan("SEC-A5")
def test_tags_are_among_staff(login, alice, bob, ticket):
    classify(login(bob), ticket, tags="zqtagzq")

    for page in (ticket.get_absolute_url(), reverse("tickets:list")):
        assert "zqtagzq" not in login(alice).get(page).text
    assert "zqtagzq" in login(bob).get(ticket.workspace_url).text


@pytest.mark.plan("SEC-A7")
def test_who_does_not_handle_it_sorts_nothing(alice, carol, dave, bob, ticket):
    sorted_anew = {"priority": "normal", "category": ticket.category, "tags": ["recall"]}
    for person in (alice, carol, dave):
        with pytest.raises(PermissionDenied):
            actions.classify(ticket, by=person, **sorted_anew)
    assert tags_of(ticket) == []

    actions.classify(ticket, by=bob, **sorted_anew)
    assert tags_of(ticket) == ["recall"]


def test_erasing_takes_off_tags_and_forgets_what_nobody_else_wears(bob, ada, alice, ticket):
    """D0-19"""
    other = make_ticket(requester=alice, assignee=bob, category=ticket.category, by=ada)
    same = {"by": bob, "priority": "normal", "category": ticket.category}
    actions.classify(ticket, tags=["angry", "recall"], **same)
    actions.classify(other, tags=["recall"], **same)

    erase_ticket(ticket, by=None)

    assert tags_of(ticket) == []
    assert [tag.name for tag in Tag.objects.all()] == ["recall"]


# --- Finding them again ----------------------------------------------------------------


@pytest.fixture
def sorted_tickets(alice, bob, ada, kettles):
    """A question tagged "recall" about a part of kettles, and two plain complaints."""
    spouts = make_category("Spouts", parent=kettles)
    asked = make_ticket(alice, bob, by=ada, category=spouts, kind="question", subject="Asked")
    actions.classify(asked, by=bob, priority="normal", category=spouts, tags=["recall"])
    make_ticket(alice, bob, by=ada, category=kettles, subject="Kettle")
    make_ticket(alice, bob, by=ada, subject="Else")
    return kettles, spouts


FOUND = [
    pytest.param({"kind": "question"}, {"Asked"}, id="kind"),
    pytest.param({"tag": " Recall "}, {"Asked"}, id="tag"),
    pytest.param({"tag": "rec"}, set(), id="part of a tag"),
    pytest.param({"category": "spouts"}, {"Asked"}, id="category"),
    pytest.param({"category": "kettles"}, {"Asked", "Kettle"}, id="category with its parts"),
    pytest.param({"kind": "praise"}, {"Asked", "Kettle", "Else"}, id="no such kind"),
]


@pytest.mark.parametrize(("wanted", "subjects"), FOUND)
def test_the_workspace_finds_them(login, bob, sorted_tickets, wanted, subjects):
    """D3-6, D1-16"""
    keys = dict(zip(("kettles", "spouts"), (each.pk for each in sorted_tickets), strict=True))
    wanted = {name: keys.get(value, value) for name, value in wanted.items()}

    page = login(bob).get(WORKSPACE, {"view": "mine", **wanted})

    shown = texts(page, ".ccr-queue__subject")
    assert {words.removeprefix("Awaits an answer: ") for words in shown} == subjects


@pytest.mark.parametrize("query", ["kind__exact=question", "tag=recall"])
def test_the_console_finds_them(login, ada, sorted_tickets, query):
    page = login(ada).get(f"{TICKETS}?{query}")

    assert [ticket.subject for ticket in page.context["cl"].result_list] == ["Asked"]


@pytest.mark.plan("SEC-G2")
def test_tags_cost_the_lists_no_queries(login, bob, ticket):
    client = login(bob)
    client.get(WORKSPACE)  # what is remembered for a while is read by then
    counts = []
    for number in range(3):
        classify(client, ticket, tags=", ".join(map(str, range(number))))
        with CaptureQueriesContext(connection) as captured:
            client.get(WORKSPACE)
        counts.append(len(captured))

    assert counts == [counts[0]] * 3


# --- The usual priority ----------------------------------------------------------------


def test_a_priority_nobody_said_is_the_usual_one(login, ada, alice):
    """D1-16: by phone nobody may have asked."""
    fires = make_category("Fires", default_priority=Priority.URGENT)
    by_phone = form_of(fires, requester=alice.email, channel="phone", priority="")

    login(ada).post(reverse("admin:tickets_ticket_add"), by_phone)

    ticket = Ticket.objects.get()
    assert (ticket.priority, ticket.events.get(number=1).data["priority"]) == ("urgent", "urgent")


def test_what_the_customer_says_counts(login, alice):
    fires = make_category("Fires", default_priority=Priority.URGENT)

    assert raise_ticket(login(alice), fires, priority="low").priority == "low"


# --- The tree --------------------------------------------------------------------------


def categories_offered(page):
    return [each for each in texts(page, "option") if each != "Choose one"]


def test_parts_stand_below_what_they_are_part_of(login, alice, db):
    """D1-16: a whole may be chosen too; what is switched off may not."""
    delivery = make_category("Delivery", position=1)
    shop = make_category("Shop", position=2)
    make_category("Late", parent=delivery, position=9)
    make_category("Broken", parent=delivery, position=8)
    make_category("Gone", parent=delivery, is_active=False)
    make_category("Till", parent=make_category("Old shop", is_active=False), position=3)

    page = login(alice).get(NEW)

    offered = ["Delivery", "\u2003Broken", "\u2003Late", "Shop", "Till"]
    assert [f">{words}</option>" in page.text for words in offered] == [True] * 5
    assert categories_offered(page) == [words.strip() for words in offered]
    assert raise_ticket(login(alice), delivery).category == delivery
    assert write(login(alice), Category.objects.get(name="Gone")).status_code == 200
    assert raise_ticket(login(alice), shop).category == shop


def test_a_category_no_longer_offered_may_stay(login, bob, ticket, kettles):
    """Its agent changes the priority without having to choose another category."""
    Category.objects.update(is_active=False)
    lamps = make_category("Lamps", is_active=False)

    page = classify(login(bob), ticket, priority="high")
    refused = classify(login(bob), ticket, category=lamps.pk)

    ticket.refresh_from_db()
    assert told(page) == ["Saved"]
    assert refused.status_code == 422
    assert (ticket.priority, ticket.category) == ("high", kettles)
