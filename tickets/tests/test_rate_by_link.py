"""SEC-A15: the link in the mail rates one ending of one ticket, without signing in."""

from datetime import timedelta
from functools import partial

import pytest
import time_machine
from django.core.signing import TimestampSigner
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Standing
from messaging.actions import post_message
from tickets import actions
from tickets.improvement import feedback
from tickets.improvement.feedback import path_to_rate
from tickets.models import Feedback
from tickets.tests.factories import make_ticket
from tickets.tests.racing import race
from tickets.workflow import Status

from .reading import problems, text, texts, typed
from .test_feedback import resolve

pytestmark = [pytest.mark.django_db, pytest.mark.plan("SEC-A15")]


@pytest.fixture
def resolved(ticket, bob):
    post_message(ticket, by=bob, body="We send a new kettle to 4 High Street.")
    resolve(ticket, bob)
    return ticket


def kept():
    return list(Feedback.objects.order_by("pk").values_list("ticket", "round", "rating"))


def test_the_page_says_no_more_than_the_mail(client, resolved):
    """D0-13: number and subject, no conversation and nobody's name."""
    page = client.get(path_to_rate(resolved))

    assert text(page, "h1") == "Kettle stopped heating"
    assert resolved.reference in page.text
    assert texts(page, "legend") == ["How did we handle it?"]
    for hidden in ("High Street", "Replaced", "Alice", "Archer", "Bob", "Baker", "example.org"):
        assert hidden not in page.text


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_records_nothing(client, resolved, method):
    """Scanners open every link of a mail, several times."""
    pages = [getattr(client, method)(path_to_rate(resolved)) for _look in range(3)]

    resolved.refresh_from_db()
    assert [page.status_code for page in pages] == [200] * 3
    assert kept() == []
    assert resolved.status == Status.RESOLVED


def test_no_cache_and_no_search_engine_keeps_it(client, resolved):
    page = client.get(path_to_rate(resolved))

    assert "no-store" in page.headers["Cache-Control"]
    assert page.headers["X-Robots-Tag"] == "noindex"
    assert page.headers["Referrer-Policy"] == "same-origin"


def test_a_rating_is_kept_as_the_requesters_and_closes(client, alice, bob, resolved):
    given = {"rating": 4, "comment": "Quick.", "improvement": "Send a photo of it."}

    link = path_to_rate(resolved)
    page = client.post(link, given, follow=True)

    resolved.refresh_from_db()
    found = Feedback.objects.get()
    assert {name: getattr(found, name) for name in given} == given
    assert (found.ticket, found.agent, found.round) == (resolved, bob, 0)
    assert resolved.events.get(kind="rated").actor == alice
    assert resolved.status == Status.CLOSED
    assert page.redirect_chain == [(link, 302)]
    assert text(page, "h1") == "Thank you"
    assert "The ticket is closed. It isn’t fixed? You can open it again until" in page.text
    assert resolved.reference not in page.text


def test_a_rating_is_one_to_five(client, resolved):
    page = client.post(path_to_rate(resolved), {"rating": "6", "comment": "It was fine."})

    assert page.status_code == 422
    assert problems(page)[0] == ["Choose a rating from 1 to 5"]
    assert typed(page, "comment") == "It was fine."
    assert kept() == []


def test_another_rating_is_refused(client, resolved):
    client.post(path_to_rate(resolved), {"rating": 5})

    page = client.post(path_to_rate(resolved), {"rating": 1})

    assert page.status_code == 409
    assert "can’t be changed any more" in text(page, "main")
    assert kept() == [(resolved.pk, 0, 5)]


@pytest.mark.plan("SEC-E6")
def test_the_same_rating_again_gets_the_same_answer(client, resolved):
    link = path_to_rate(resolved)
    pages = [client.post(link, {"rating": 5}) for _click in range(2)]

    assert [page.headers["Location"] for page in pages] == [link] * 2
    assert kept() == [(resolved.pk, 0, 5)]


@pytest.mark.plan("SEC-E6")
def test_what_was_rated_on_the_page_is_rated(client, alice, resolved):
    actions.rate(resolved, by=alice, rating=5)

    assert text(client.get(path_to_rate(resolved)), "h1") == "Thank you"
    assert client.post(path_to_rate(resolved), {"rating": 1}).status_code == 409
    assert kept() == [(resolved.pk, 0, 5)]


def link_to(*ending, signer=feedback._signer):
    return reverse("tickets:rate_by_link", args=[signer.sign_object(ending)])


def ended_links(ticket, other, stranger):
    link = path_to_rate(ticket).removesuffix("/")
    requester = ticket.requester_id
    elsewhere = TimestampSigner(salt="accounts.apply-again")
    return {
        "tampered": f"{link[:-1]}{'a' if link[-1] != 'a' else 'b'}/",
        "of another purpose": link_to(ticket.pk, 0, requester, signer=elsewhere),
        "of no ticket": link_to(ticket.pk + 999, 0, requester),
        "of a later ending": link_to(ticket.pk, 1, requester),
        "of who asked no more": link_to(ticket.pk, 0, stranger.pk),
        "of a ticket that goes on": path_to_rate(other),
        "garbage": "/rate/x/",
    }


@pytest.mark.parametrize(
    "which",
    ["tampered", "of another purpose", "of no ticket", "of a later ending",
     "of who asked no more", "of a ticket that goes on", "garbage"],
)  # fmt: skip
def test_links_that_open_nothing_are_all_alike(client, alice, carol, resolved, which):
    links = ended_links(resolved, make_ticket(alice), carol)
    assert client.get(link_to(resolved.pk, 0, alice.pk)).status_code == 200

    pages = [client.get(link) for link in (links[which], links["garbage"])]

    assert [page.status_code for page in pages] == [404] * 2
    assert text(pages[0], "main") == text(pages[1], "main")
    assert client.post(links[which], {"rating": 1}).status_code == 404
    assert kept() == []


def test_the_link_of_one_ticket_rates_no_other(client, alice, bob, ada, kettles, resolved):
    other = make_ticket(alice, bob, Status.RESOLVED, by=ada, category=kettles)

    client.post(path_to_rate(other), {"rating": 2})

    assert kept() == [(other.pk, 0, 2)]


@pytest.mark.parametrize(("late", "status"), [(-1, 200), (1, 404)])
def test_thirty_days_to_use_it(client, resolved, late, status):
    with time_machine.travel(resolved.resolved_at, tick=False):
        link = path_to_rate(resolved)

    with time_machine.travel(resolved.resolved_at + timedelta(days=30, seconds=late), tick=False):
        assert client.get(link).status_code == status
        assert client.post(link, {"rating": 5}).status_code == {200: 302, 404: 404}[status]

    assert len(kept()) == (status == 200)


def test_a_link_that_is_old_says_no_more_that_it_was_used(client, resolved):
    link = path_to_rate(resolved)
    client.post(link, {"rating": 5})
    assert client.get(link).status_code == 200

    with time_machine.travel(timezone.now() + timedelta(days=31)):
        assert client.get(link).status_code == 404


def test_the_link_of_an_earlier_ending_rates_no_later_one(client, alice, bob, resolved):
    """D0-6: opened again and resolved again, each ending has a link of its own."""
    first = path_to_rate(resolved)
    actions.change_status(resolved, Status.OPEN, by=alice)
    resolve(resolved, bob)

    assert client.post(first, {"rating": 1}).status_code == 404
    assert client.post(path_to_rate(resolved), {"rating": 5}).status_code == 302

    assert kept() == [(resolved.pk, 1, 5)]


def test_a_used_link_rates_no_later_ending(client, alice, bob, resolved):
    first = path_to_rate(resolved)
    client.post(first, {"rating": 1})
    resolved.refresh_from_db()
    actions.change_status(resolved, Status.OPEN, by=alice)
    resolve(resolved, bob)

    assert client.post(first, {"rating": 5}).status_code == 409
    assert kept() == [(resolved.pk, 0, 1)]


@pytest.mark.parametrize("change", ["deleted ticket", "suspended requester"])
def test_what_its_requester_cannot_open_the_link_cannot_rate(client, alice, ada, resolved, change):
    link = path_to_rate(resolved)
    assert client.get(link).status_code == 200

    if change == "deleted ticket":
        actions.bin_ticket(resolved, by=ada)
    else:
        alice.standing = Standing.SUSPENDED
        alice.save()

    assert client.post(link, {"rating": 5}).status_code == 404
    assert kept() == []


def test_whoever_lives_in_their_mailbox_rates_as_well(client, alice, resolved):
    """D0-13, D0-22: they never signed up, and the link is theirs all the same."""
    alice.standing = Standing.UNCLAIMED
    alice.save()

    assert client.post(path_to_rate(resolved), {"rating": 4}).status_code == 302
    resolved.refresh_from_db()
    assert (kept(), resolved.status) == ([(resolved.pk, 0, 4)], Status.CLOSED)


@pytest.mark.parametrize(
    ("standing", "reply_address", "way"),
    [
        (Standing.ACTIVE, "care@example.org", "Sign in and open it again"),
        (Standing.UNCLAIMED, "care@example.org", "Answer the email with this link"),
        (Standing.UNCLAIMED, "", "Create your account and open it again"),
    ],
)
def test_what_is_not_fixed_has_a_way_that_its_requester_can_go(
    client, alice, resolved, settings, standing, reply_address, way
):
    """D0-22: who never signed up has no password to sign in with."""
    settings.REPLY_ADDRESS = reply_address
    alice.standing = standing
    alice.save()

    (offered,) = texts(client.get(path_to_rate(resolved)), ".ccr-meta")

    assert offered.startswith(f"It isn’t fixed? {way}")


def test_what_can_be_opened_no_more_is_not_offered_so(client, alice, resolved, settings):
    settings.REOPEN_DAYS = 0
    with time_machine.travel(resolved.due_at + timedelta(seconds=1), tick=False):
        page = client.get(path_to_rate(resolved))

    assert (page.status_code, texts(page, ".ccr-meta")) == (200, [])


def test_another_person_who_is_signed_in_rates_in_the_requesters_name(login, carol, resolved):
    """The link counts, not who looks; a forwarded mail is the requester's own choice."""
    login(carol).post(path_to_rate(resolved), {"rating": 3})

    assert kept() == [(resolved.pk, 0, 3)]
    assert resolved.events.get(kind="rated").actor == resolved.requester


def test_it_needs_the_token_of_our_own_form(resolved):
    strict = Client(enforce_csrf_checks=True)

    assert strict.post(path_to_rate(resolved), {"rating": 5}).status_code == 403
    token = strict.get(path_to_rate(resolved)).context["csrf_token"]
    sent = {"rating": 5, "csrfmiddlewaretoken": str(token)}
    assert strict.post(path_to_rate(resolved), sent).status_code == 302


@pytest.mark.plan("SEC-I12")
def test_many_tries_have_to_wait(client, settings, resolved):
    settings.LIMITS = settings.LIMITS | {"rating_address": (2, timedelta(hours=1))}
    for _try in range(2):
        assert client.post(path_to_rate(resolved), {"rating": ""}).status_code == 422

    page = client.post(path_to_rate(resolved), {"rating": 5})

    assert page.status_code == 429
    assert "Wait 60 minutes" in problems(page)[1][0]
    assert kept() == []


@pytest.mark.plan("SEC-E6")
@pytest.mark.django_db(transaction=True)
def test_two_ratings_at_once_are_one(alice, bob, ada, kettles):
    for _round in range(5):
        ticket = make_ticket(alice, bob, Status.RESOLVED, by=ada, category=kettles)
        link = path_to_rate(ticket)

        pages = race(*(partial(Client().post, link, {"rating": stars}) for stars in (1, 5)))

        assert sorted(page.status_code for page in pages) == [302, 409]
        assert ticket.feedback.count() == 1
        assert ticket.events.filter(kind="rated").count() == 1
