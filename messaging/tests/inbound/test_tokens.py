"""Tokens of Microsoft and Google, with which a mailbox is read."""

import io
import json
from http.client import IncompleteRead
from urllib.error import HTTPError

import pytest

from messaging.inbound import oauth
from messaging.models import Mailbox

pytestmark = pytest.mark.django_db


class Provider:
    """Answers in place of theirs."""

    def __init__(self, monkeypatch, *answers):
        self.asked, self.answers = [], list(answers)
        monkeypatch.setattr(oauth, "urlopen", self.answer)
        oauth._tokens.clear()

    def answer(self, request, timeout):
        self.asked.append((request.full_url, request.data.decode()))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return io.BytesIO(json.dumps(answer).encode())


def with_oauth(**fields):
    known = {"secret": "refresh-1", "client_id": "app", "client_secret": "app-secret"}
    return Mailbox.objects.create(name="O", host="h", username="u", **known, **fields)


@pytest.mark.parametrize(
    ("sign_in", "url"),
    [
        ("microsoft", "https://login.microsoftonline.com/acme/oauth2/v2.0/token"),
        ("google", "https://oauth2.googleapis.com/token"),
    ],
)
def test_a_token_is_asked_for_once_an_hour(monkeypatch, sign_in, url):
    mailbox = with_oauth(sign_in=sign_in, tenant="acme")
    answer = {"access_token": "access-1", "expires_in": 3600, "refresh_token": "refresh-2"}
    provider = Provider(monkeypatch, answer)

    tokens = [oauth.access_token(mailbox), oauth.access_token(Mailbox.objects.get())]

    assert tokens == ["access-1", "access-1"]
    assert [asked for asked, _data in provider.asked] == [url]
    assert "refresh_token=refresh-1" in provider.asked[0][1]
    assert Mailbox.objects.get().secret == "refresh-2"


def test_a_secret_that_was_entered_meanwhile_is_kept(monkeypatch):
    mailbox = with_oauth(sign_in="microsoft")
    provider = Provider(monkeypatch, {"access_token": "access-1", "refresh_token": "refresh-2"})

    def answer(*args, **kwargs):
        Mailbox.objects.update(secret="entered")
        return provider.answer(*args, **kwargs)

    monkeypatch.setattr(oauth, "urlopen", answer)

    assert oauth.access_token(mailbox) == "access-1"
    assert Mailbox.objects.get().secret == "entered"


def test_tokens_of_before_are_forgotten(monkeypatch):
    """Microsoft gives another one for the next time with each, and who knows the old one asks."""
    mailbox = with_oauth(sign_in="microsoft")
    answers = [
        {"access_token": f"access-{n}", "refresh_token": f"refresh-{n}", "expires_in": 3600}
        for n in (2, 3)
    ]
    Provider(monkeypatch, *answers)

    tokens = [oauth.access_token(mailbox)]
    Mailbox.objects.filter(pk=mailbox.pk).update(secret="entered")
    tokens.append(oauth.access_token(Mailbox.objects.get()))

    assert tokens == ["access-2", "access-3"]
    assert [kept[:2] for kept in oauth._tokens.values()] == [("refresh-3", "access-3")]


@pytest.mark.parametrize("seconds", [None, "", 0])
def test_a_token_of_unknown_length_serves_once(monkeypatch, seconds):
    mailbox = with_oauth(sign_in="google")
    answer = {"access_token": "access-1", "expires_in": seconds}
    provider = Provider(monkeypatch, answer, answer)

    tokens = [oauth.access_token(mailbox) for _time in range(2)]

    assert (tokens, len(provider.asked)) == (["access-1", "access-1"], 2)


@pytest.mark.parametrize(
    "answer",
    [
        {"access_token": "access-1", "expires_in": "soon"},
        {"access_token": "access-1", "expires_in": [3600]},
        {"access_token": None},
        ["access_token"],
        7,
        IncompleteRead(b"{"),
    ],
)
def test_an_odd_answer_is_no_token(monkeypatch, answer):
    Provider(monkeypatch, answer)

    with pytest.raises(oauth.TokenRefused):
        oauth.access_token(with_oauth(sign_in="google"))


@pytest.mark.plan("SEC-D22")
def test_a_refused_token_is_said_without_secrets(monkeypatch):
    mailbox = with_oauth(sign_in="google")
    body = io.BytesIO(b'{"error": "invalid_grant", "refresh_token": "refresh-1"}')
    Provider(monkeypatch, HTTPError("https://x", 400, "Bad", {}, body))

    with pytest.raises(oauth.TokenRefused) as refusal:
        oauth.access_token(mailbox)

    assert str(refusal.value) == "The provider says 400 invalid_grant"
