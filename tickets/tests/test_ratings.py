"""The agent reads the own ratings, and may answer each once."""

from datetime import timedelta
from functools import partial

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from careregistry.tests.plans import plan_of
from notifications.models import Notification
from tickets import actions
from tickets.improvement import feedback
from tickets.models import Feedback, Suggestion
from tickets.tests.factories import make_ticket
from tickets.tests.racing import race, signed_in
from tickets.workflow import Status, TicketRefusal

from .reading import problems, text, texts, told

pytestmark = pytest.mark.django_db
RATINGS = reverse("tickets:ratings")


@pytest.fixture
def rated(alice, bob, ada, kettles):
    """A ticket of Alice's that Bob resolved and she rated: ``rated(4).ticket``."""

    def make(rating=4, comment="", improvement="", agent=bob):
        ticket = make_ticket(alice, agent, Status.RESOLVED, by=ada, category=kettles)
        return actions.rate(
            ticket, by=alice, rating=rating, comment=comment, improvement=improvement
        )

    return make


def url_of(rating):
    return reverse("tickets:answer_rating", args=[rating.pk])


def send(client, rating, words="Thank you. We train for it."):
    return client.post(url_of(rating), {"text": words}, follow=True)


def answers_of(rating):
    return list(rating.ticket.events.filter(kind="answered").values_list("text", flat=True))


# --- Reading ------------------------------------------------------------------


def test_an_agent_reads_the_own_ratings(login, bob, dave, rated):
    """D4-6: the newest first, and nobody else's."""
    rated(4, "A little slow.", "Answer on Sundays.")
    newest = rated(5)
    rated(1, "Rude.", agent=dave)

    page = login(bob).get(RATINGS)

    first, second = texts(page, "li")[-2:]
    assert first.startswith("5 of 5")
    assert f"{newest.ticket.reference} Kettle" in first
    assert "A little slow." in second
    assert "What to improve: Answer on Sundays." in second
    assert "Rude." not in page.text


def test_the_average_of_ninety_days(login, bob, rated):
    with time_machine.travel(timezone.now() - timedelta(days=91)):
        rated(1)
    client = login(bob)
    assert feedback.average_of(bob) == {"mean": None, "count": 0}
    assert "on average" not in client.get(RATINGS).text
    for stars in (5, 4):
        rated(stars)

    assert "4.5 of 5 on average, from 2 ratings in 90 days" in text(client.get(RATINGS), ".ccr-bar")


def test_the_average_reads_no_more_than_the_newest(bob, rated, monkeypatch):
    monkeypatch.setattr(feedback, "NEWEST_AVERAGED", 2)
    for stars in (1, 4, 5):
        rated(stars)

    assert feedback.average_of(bob) == {"mean": 4.5, "count": 2}


def test_without_ratings_it_says_so(login, bob, ada):
    for person in (bob, ada):
        assert "Nobody has rated your work yet." in login(person).get(RATINGS).text


def test_of_a_ticket_handed_on_only_the_number_stays(login, alice, bob, dave, ada, rated):
    """SEC-A10: the rating is Bob's, the ticket is not any more."""
    rating = rated(2, "Slow.")
    actions.change_status(rating.ticket, Status.OPEN, by=alice)
    actions.assign(rating.ticket, to=dave, by=ada)

    page = login(bob).get(RATINGS)

    assert rating.ticket.reference in page.text
    assert "Slow." in page.text
    assert "Kettle stopped heating" not in page.text
    assert url_of(rating) not in page.text
    assert send(login(bob), rating).status_code == 404
    with pytest.raises(PermissionDenied):
        feedback.answer(rating, by=bob, text="Thank you.")


def test_a_deleted_ticket_is_not_listed(login, bob, ada, rated):
    rating = rated()
    actions.bin_ticket(rating.ticket, by=ada)

    assert rating.ticket.reference not in login(bob).get(RATINGS).text
    assert send(login(bob), rating).status_code == 404


def test_pages_follow_the_newest(login, bob, rated, monkeypatch):
    monkeypatch.setattr("tickets.improvement.feedback_views.PAGE_SIZE", 2)
    references = [rated().ticket.reference for _number in range(3)]
    client = login(bob)

    first = client.get(RATINGS)
    second = client.get(RATINGS, {"after": first.context["page"].next_after})

    shown = [
        [rating.ticket.reference for rating in page.context["page"].rows]
        for page in (first, second)
    ]
    assert shown == [references[:0:-1], references[:1]]


def test_queries_do_not_grow_with_the_rows(login, bob, rated):
    client = login(bob)
    counts = []
    for more in (1, 2):
        for _number in range(more):
            rated(4, "Fine.")
        client.get(RATINGS)
        with CaptureQueriesContext(connection) as queries:
            client.get(RATINGS)
        counts.append(len(queries))

    assert counts == [5, 5]  # session, person, average, ratings, bell


NEWEST = ("-created_at", "-pk")


@pytest.mark.skipif(connection.vendor != "postgresql", reason="asks PostgreSQL for its plan")
@pytest.mark.parametrize(
    ("rows", "index"),
    [
        (Feedback.objects.filter(agent=1, created_at__gte=timezone.now()), "feedback_of_agent"),
        (Feedback.objects.filter(agent=1, ticket__deleted_at=None), "feedback_of_agent"),
        (Suggestion.objects.exclude(improvement=""), "feedback_suggestions"),
    ],
    ids=["average", "ratings", "suggestions"],
)
def test_lists_walk_an_index_and_not_the_table(rows, index):
    assert index in plan_of(rows.order_by(*NEWEST)[:21])


# --- Answering ----------------------------------------------------------------


def test_an_answer_is_read_by_the_customer(login, alice, bob, rated):
    """D4-9: on the ticket's page, as a line for everyone, and by mail."""
    rating = rated(2, "Slow.")

    page = send(login(bob), rating)

    rating.refresh_from_db()
    assert told(page) == ["Your answer is on its way to the customer."]
    assert (rating.answer, rating.answered_by) == ("Thank you. We train for it.", bob)
    line = rating.ticket.events.get(kind="answered")
    assert (line.audience, line.data, line.at) == ("everyone", {"rating": 2}, rating.answered_at)
    ticket_page = login(alice).get(rating.ticket.get_absolute_url())
    assert "Bob Baker answered your rating." in text(ticket_page, "#log")
    assert "Thank you. We train for it." in texts(ticket_page, ".ccr-msg__text")
    mail = Notification.objects.get(kind="rating_answered")
    assert (mail.recipient, mail.event) == (alice, line)


def test_the_list_shows_the_answer(login, bob, rated):
    rating = rated()
    client = login(bob)
    assert url_of(rating) in client.get(RATINGS).text

    page = send(client, rating)

    assert texts(page, ".ccr-copy__text") == ["Thank you. We train for it."]
    assert url_of(rating) not in page.text


def test_an_answer_is_given_once(login, bob, rated):
    rating = rated()
    client = login(bob)
    send(client, rating)

    page = send(client, rating, "And another thing.")

    assert told(page) == ["You have answered this rating already."]
    assert answers_of(rating) == ["Thank you. We train for it."]


@pytest.mark.plan("SEC-E1")
def test_the_second_of_two_clicks_hears_the_same(login, bob, rated):
    rating = rated()
    client = login(bob)

    pages = [send(client, rating) for _click in range(2)]

    assert [told(page) for page in pages] == [["Your answer is on its way to the customer."]] * 2
    assert answers_of(rating) == ["Thank you. We train for it."]


@pytest.mark.parametrize("words", ["", "  ", "\u200b"])
def test_an_answer_has_words(login, bob, rated, words):
    rating = rated()

    page = send(login(bob), rating, words)

    assert page.status_code == 422
    assert problems(page)[0] == ["Enter your answer"]
    assert answers_of(rating) == []


@pytest.mark.plan("SEC-A3")
def test_nobody_answers_for_the_agent(login, alice, bob, dave, ada, rated):
    rating = rated()
    for person, status in ((alice, 403), (dave, 404), (ada, 404)):
        assert send(login(person), rating).status_code == status
        with pytest.raises(PermissionDenied):
            feedback.answer(rating, by=person, text="Thank you.")
    assert answers_of(rating) == []

    send(login(bob), rating)
    assert len(answers_of(rating)) == 1


@pytest.mark.plan("SEC-E1")
@pytest.mark.django_db(transaction=True)
def test_two_answers_at_once_are_one(bob, rated):
    for _round in range(3):
        rating = rated()
        acts = [
            partial(
                feedback.answer, Feedback.objects.select_related("ticket").get(pk=rating.pk),
                by=bob, text=words,
            )
            for words in ("One", "Two")
        ]  # fmt: skip

        outcomes = race(*acts)

        assert sorted(type(outcome) for outcome in outcomes if outcome) == [TicketRefusal]
        assert len(answers_of(rating)) == 1
        assert signed_in(bob).get(RATINGS).status_code == 200
