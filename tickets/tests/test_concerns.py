"""Concerns about the registry, and what customers suggest while they talk to an agent."""

from datetime import timedelta
from functools import partial

import pytest
from django.contrib.admin.models import LogEntry
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import erasure
from accounts.tests.factories import make_admin
from notifications.models import Notification
from tickets import actions
from tickets.improvement import feedback
from tickets.models import Concern, Feedback
from tickets.tests.factories import make_ticket
from tickets.tests.racing import race
from tickets.workflow import Status

from .reading import problems, text, texts, told, typed

pytestmark = pytest.mark.django_db
CONCERNS = reverse("tickets:concerns")
QUEUE = reverse("admin:tickets_concern_changelist")
SUGGESTIONS = reverse("admin:tickets_suggestion_changelist")


def raised():
    return list(Concern.objects.order_by("pk").values_list("author__first_name", "text"))


def suggest_url(ticket):
    return reverse("tickets:suggest", args=[ticket.reference])


def settle_url(concern):
    return reverse("admin:tickets_concern_settle", args=[concern.pk])


# --- Raising ------------------------------------------------------------------


@pytest.mark.parametrize("name", ["alice", "bob", "ada"])
def test_users_and_staff_raise_concerns(login, request, name):
    """D4-11"""
    person = request.getfixturevalue(name)

    page = login(person).post(CONCERNS, {"text": "The letters are small."}, follow=True)

    assert raised() == [(person.first_name, "The letters are small.")]
    assert told(page) == ["Thank you. An administrator reads it and answers you."]
    assert "not answered yet" in text(page, "main")


def test_those_who_wait_raise_none(login, pete, client):
    assert login(pete).post(CONCERNS, {"text": "Let me in."}).status_code == 403
    with pytest.raises(PermissionDenied):
        feedback.raise_concern(by=pete, text="Let me in.")
    assert raised() == []


def test_every_page_leads_there(login, alice, bob, pete):
    link = f'href="{CONCERNS}"'
    assert link in login(alice).get(reverse("tickets:list")).text
    assert link in login(bob).get(reverse("tickets:workspace")).text
    assert link not in login(pete).get(reverse("account_waiting")).text
    assert link not in login(alice).post(reverse("account_logout"), follow=True).text


def test_one_reads_the_own_concerns_only(login, alice, carol, ada):
    own = feedback.raise_concern(by=alice, text="The letters are small.")
    feedback.raise_concern(by=carol, text="The blue is too blue.")
    feedback.settle(own, by=ada, answer="They are larger now.")

    page = login(alice).get(CONCERNS)

    assert "The letters are small." in page.text
    assert texts(page, ".ccr-copy__text") == ["They are larger now."]
    assert "Adler" not in text(page, "main")
    assert "too blue" not in page.text


@pytest.mark.parametrize("words", ["", " \n ", "\u200b"])
def test_a_concern_has_words(login, alice, words):
    page = login(alice).post(CONCERNS, {"text": words})

    assert page.status_code == 422
    assert problems(page)[0] == ["Tell us what is wrong"]
    assert raised() == []


def test_many_concerns_have_to_wait(login, alice, settings):
    settings.LIMITS = settings.LIMITS | {"concern": (1, timedelta(hours=1))}
    client = login(alice)
    client.post(CONCERNS, {"text": "One"})

    page = client.post(CONCERNS, {"text": "Two"})

    assert page.status_code == 429
    assert typed(page, "text") == "Two"
    assert raised() == [("Alice", "One")]


@pytest.mark.plan("SEC-E1")
def test_the_same_words_again_are_the_same_concern(login, alice, ada):
    client = login(alice)
    for _click in range(2):
        client.post(CONCERNS, {"text": "The letters are small."})
    assert len(raised()) == 1

    feedback.settle(Concern.objects.get(), by=ada, answer="They are larger now.")
    client.post(CONCERNS, {"text": "The letters are small."})
    assert len(raised()) == 2


@pytest.mark.plan("SEC-E1")
@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_are_one_concern(alice):
    for number in range(3):
        race(*[partial(feedback.raise_concern, by=alice, text=f"Concern {number}")] * 2)

        assert Concern.objects.count() == number + 1


def test_words_are_shown_as_words(login, alice, ada):
    concern = feedback.raise_concern(by=alice, text="<b>Small</b>\nletters")

    for page in (login(alice).get(CONCERNS), login(ada).get(settle_url(concern))):
        assert "&lt;b&gt;Small&lt;/b&gt;<br>letters" in page.text


def test_queries_do_not_grow_with_the_rows(login, alice):
    client = login(alice)
    counts = []
    for words in (["1"], ["2", "3"]):
        for text_ in words:
            feedback.raise_concern(by=alice, text=text_)
        client.get(CONCERNS)
        with CaptureQueriesContext(connection) as queries:
            client.get(CONCERNS)
        counts.append(len(queries))

    assert counts == [4, 4]  # session, person, concerns, bell


# --- Suggested in a talk ------------------------------------------------------


def test_an_agent_writes_down_what_the_customer_suggests(login, bob, ticket):
    """D3-4"""
    client = login(bob)
    assert f'href="{suggest_url(ticket)}"' in client.get(ticket.workspace_url).text

    page = client.post(suggest_url(ticket), {"text": "Open on Sundays."}, follow=True)

    concern = Concern.objects.get()
    assert (concern.ticket, concern.author, concern.text) == (ticket, bob, "Open on Sundays.")
    assert told(page) == ["Kept. The administrators read it."]
    assert f"heard on {ticket.reference}" in text(client.get(CONCERNS), "main")


@pytest.mark.plan("SEC-A5")
def test_the_customer_does_not_read_it(login, alice, bob, ticket):
    feedback.raise_concern(by=bob, ticket=ticket, text="Open on Sundays.")

    for url in (ticket.get_absolute_url(), CONCERNS):
        assert "Open on Sundays." not in login(alice).get(url).text


@pytest.mark.plan("SEC-A3")
def test_only_who_works_on_the_ticket_writes_it_down(login, alice, bob, dave, ada, ticket):
    for person, status in ((alice, 403), (dave, 404)):
        assert login(person).post(suggest_url(ticket), {"text": "No"}).status_code == status
        with pytest.raises(PermissionDenied):
            feedback.raise_concern(by=person, ticket=ticket, text="No")
    assert raised() == []

    for person in (bob, ada):
        login(person).post(suggest_url(ticket), {"text": "Open on Sundays."})
    assert raised() == [("Bob", "Open on Sundays."), ("Ada", "Open on Sundays.")]


def test_an_empty_suggestion_is_asked_for_again(login, bob, ticket):
    page = login(bob).post(suggest_url(ticket), {"text": ""})

    assert page.status_code == 422
    assert problems(page)[0] == ["Enter what the customer suggested"]


# --- The console --------------------------------------------------------------


def listed(page):
    return [str(row) for row in page.context["cl"].result_list]


def test_the_oldest_unsettled_comes_first(login, alice, ada):
    """D4-11: the queue, and apart from it what was settled."""
    first, second, third = (
        feedback.raise_concern(by=alice, text=words) for words in ("One", "Two", "Three")
    )
    feedback.settle(second, by=ada, answer="Done.")
    client = login(ada)

    assert listed(client.get(QUEUE)) == [str(first), str(third)]
    assert listed(client.get(QUEUE, {"settled": "yes"})) == [str(second)]


def test_concerns_and_what_was_heard_can_be_told_apart(login, alice, bob, ada, ticket):
    site = feedback.raise_concern(by=alice, text="The letters are small.")
    talk = feedback.raise_concern(by=bob, ticket=ticket, text="Open on Sundays.")
    client = login(ada)

    assert listed(client.get(QUEUE, {"about": "site"})) == [str(site)]
    assert listed(client.get(QUEUE, {"about": "talk"})) == [str(talk)]


def test_an_administrator_answers_and_settles(login, alice, ada):
    """D4-11: the author hears of it by mail."""
    concern = feedback.raise_concern(by=alice, text="The letters are small.")
    client = login(ada)
    detail = client.get(reverse("admin:tickets_concern_change", args=[concern.pk]))
    assert settle_url(concern) in detail.text
    assert "The letters are small." in client.get(settle_url(concern)).text

    page = client.post(settle_url(concern), {"answer": "They are larger now."}, follow=True)

    concern.refresh_from_db()
    assert (concern.answer, concern.settled_by) == ("They are larger now.", ada)
    assert f"{concern} is settled." in page.text
    assert Notification.objects.get(kind="concern_settled").recipient == alice
    entry = LogEntry.objects.get()
    assert (entry.object_repr, entry.change_message) == (str(concern), "Settled.")
    assert settle_url(concern) not in client.get(detail.request["PATH_INFO"]).text


def test_it_is_not_settled_without_an_answer(login, alice, ada):
    concern = feedback.raise_concern(by=alice, text="The letters are small.")

    page = login(ada).post(settle_url(concern), {"answer": " "})

    assert "Enter an answer" in page.text
    concern.refresh_from_db()
    assert concern.settled_at is None


@pytest.mark.plan("SEC-E5")
def test_the_second_administrator_is_told(login, alice, ada):
    concern = feedback.raise_concern(by=alice, text="The letters are small.")
    feedback.settle(concern, by=make_admin("Ruth"), answer="They are larger now.")

    page = login(ada).post(settle_url(concern), {"answer": "No."}, follow=True)

    assert f"{concern} has been settled already." in page.text
    concern.refresh_from_db()
    assert concern.answer == "They are larger now."
    assert Notification.objects.filter(kind="concern_settled").count() == 1
    assert LogEntry.objects.count() == 0


def test_only_administrators_settle(alice, bob, ada):
    concern = feedback.raise_concern(by=alice, text="The letters are small.")
    for person in (alice, bob):
        with pytest.raises(PermissionDenied):
            feedback.settle(concern, by=person, answer="No.")

    feedback.settle(concern, by=ada, answer="They are larger now.")
    assert concern.settled_by == ada


@pytest.mark.plan("SEC-A6")
def test_what_was_heard_from_an_administrator_as_a_customer_is_not_theirs(login, bob, ada):
    ruth = make_admin("Ruth")
    own = make_ticket(requester=ada, assignee=bob, by=ruth)
    concern = feedback.raise_concern(by=bob, ticket=own, text="Open on Sundays.")

    assert listed(login(ada).get(QUEUE)) == []
    assert login(ada).get(settle_url(concern)).status_code == 404
    assert listed(login(ruth).get(QUEUE)) == [str(concern)]


def test_suggestions_with_ratings_are_listed(login, alice, bob, ada, kettles):
    """D3-4"""
    for improvement in ("", "Send a photo of it."):
        ticket = make_ticket(alice, bob, Status.RESOLVED, by=ada, category=kettles)
        actions.rate(ticket, by=alice, rating=3, improvement=improvement)

    page = login(ada).get(SUGGESTIONS)

    assert [row.improvement for row in page.context["cl"].result_list] == ["Send a photo of it."]


@pytest.mark.parametrize("url", [QUEUE, SUGGESTIONS], ids=["concerns", "suggestions"])
def test_console_lists_cost_the_same_with_more_rows(login, alice, bob, ada, kettles, url):
    client = login(ada)
    counts = []
    for more in (1, 2):
        for number in range(more):
            ticket = make_ticket(alice, bob, Status.RESOLVED, by=ada, category=kettles)
            actions.rate(ticket, by=alice, rating=3, improvement="Send a photo of it.")
            feedback.raise_concern(by=bob, ticket=ticket, text=str(number))
        client.get(url)
        with CaptureQueriesContext(connection) as queries:
            client.get(url)
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_the_dashboard_counts_what_waits(login, alice, ada):
    for words in ("One", "Two", "Three"):
        concern = feedback.raise_concern(by=alice, text=words)
    feedback.settle(concern, by=ada, answer="Done.")

    assert "Concerns to answer: 2" in login(ada).get(reverse("admin:index")).text


# --- Forgetting ---------------------------------------------------------------


@pytest.mark.plan("SEC-H2")
def test_words_go_with_their_person(alice, bob, ada, ticket):
    """Of ratings, answers, concerns and what was heard; numbers stay."""
    actions.change_status(ticket, Status.CLOSED, by=alice)
    rating = actions.rate(ticket, by=alice, rating=2, comment="Slow.", improvement="Hurry.")
    feedback.answer(rating, by=bob, text="Sorry, Alice.")
    feedback.raise_concern(by=bob, ticket=ticket, text="Alice wants it blue.")
    feedback.settle(
        feedback.raise_concern(by=alice, text="I am Alice."), by=ada, answer="Hello Alice."
    )

    erasure.erase(alice, by=None)

    words = ("rating", "comment", "improvement", "answer")
    assert Feedback.objects.values_list(*words).get() == (2, "", "", "")
    assert set(Concern.objects.values_list("text", "answer")) == {("Erased", "")}
