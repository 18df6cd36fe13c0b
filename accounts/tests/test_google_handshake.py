"""What is checked of Google's answer, and where it leads (D0-2, SEC-C18)."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import time_machine
from allauth.socialaccount.providers.google.views import GoogleOAuth2Adapter
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User

from .doors import signed_in_id
from .factories import make_user
from .google import GINA, begin, come_in, flat, is_refused

pytestmark = [pytest.mark.django_db, pytest.mark.plan("SEC-C18")]


def test_the_question_to_google_is_bound_to_this_browser(client, google):
    """State, nonce, PKCE; our own address to come back to, whatever host was asked."""
    answer = client.post(reverse("google_login"), headers={"host": "127.0.0.1"})

    query = flat(urlsplit(answer.headers["Location"]).query)
    assert query["redirect_uri"] == "http://localhost:8000/account/google/login/callback/"
    assert query["code_challenge_method"] == "S256"
    assert len(query["state"]) == len(query["nonce"]) == 32
    assert query["response_type"] == "code"
    assert set(query["scope"].split()) == {"openid", "email", "profile"}


def nothing_happened(client):
    return signed_in_id(client) is None and not User.objects.exists()


@pytest.mark.parametrize("state", ["", "x" * 32])
def test_a_wrong_state_is_refused(client, google, state):
    path = google.follow(begin(client)).partition("&state=")[0]

    response = client.get(f"{path}&state={state}")

    assert is_refused(client, response)
    assert nothing_happened(client)
    assert google.asked_for_tokens == []


def test_the_answer_to_another_browser_is_refused(client, google):
    """Nobody is signed in to somebody else's account by a link."""
    path = google.follow(begin(Client()))

    assert is_refused(client, client.get(path))
    assert nothing_happened(client)


def test_an_answer_counts_once(client, google):
    path = google.follow(begin(client))
    client.get(path)
    client.post(reverse("account_logout"))

    again = client.get(path)

    assert is_refused(client, again)
    assert signed_in_id(client) is None
    assert len(google.asked_for_tokens) == 1


def test_a_code_stolen_from_another_browser_is_refused(client, google):
    """PKCE: the code is of no use without what only the other browser's session knows."""
    stolen = flat(urlsplit(google.follow(begin(Client()))).query)["code"]
    mine = flat(urlsplit(google.follow(begin(client))).query)["state"]

    response = client.get(reverse("google_callback"), {"code": stolen, "state": mine})

    assert is_refused(client, response)
    assert nothing_happened(client)


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another-site.apps.example"},
        {"iss": "https://accounts.evil.example"},
        {"exp": 1_000_000},
        {"nonce": "another question’s"},
        {"nonce": None},
    ],
)
def test_an_answer_that_was_not_meant_for_us_is_refused(client, google, claims):
    google.claims = claims

    response = come_in(client, google)

    assert is_refused(client, response)
    assert nothing_happened(client)


def test_a_question_is_old_after_ten_minutes(client, google):
    path = google.follow(begin(client))

    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        response = client.get(path)

    assert is_refused(client, response)
    assert nothing_happened(client)


def test_who_changed_their_mind_at_google_is_at_the_door_again(client, google):
    state = flat(urlsplit(begin(client)).query)["state"]

    response = client.get(reverse("google_callback"), {"error": "access_denied", "state": state})

    assert response.headers["Location"] == reverse("account_login")


def test_google_out_of_reach_is_said_in_words(client, google, monkeypatch):
    path = google.follow(begin(client))
    monkeypatch.setattr(GoogleOAuth2Adapter, "access_token_url", "http://127.0.0.1:1/token")

    assert is_refused(client, client.get(path))


def test_it_leads_to_the_page_one_came_for(client, google):
    make_user("Gina", email=GINA)

    assert come_in(client, google, next="/tickets/new/").headers["Location"] == "/tickets/new/"


@pytest.mark.parametrize("url", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
@pytest.mark.plan("SEC-B15")
def test_it_leads_nowhere_else(client, google, url):
    make_user("Gina", email=GINA)

    assert come_in(client, google, next=url).headers["Location"] == reverse("tickets:list")


@pytest.mark.plan("SEC-C5")
def test_the_session_gets_a_new_key(client, google):
    path = google.follow(begin(client))
    before = client.session.session_key

    client.get(path)

    assert client.session.session_key != before
