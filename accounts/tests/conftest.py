from types import SimpleNamespace

import pytest
import time_machine
from allauth.socialaccount.providers.google.views import GoogleOAuth2Adapter
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.signals import account_mail_composed

from .browsers import FIREFOX
from .doors import sign_in
from .google import CLIENT_ID, CLIENT_SECRET, Provider


@pytest.fixture
def now():
    """Stands still until it is moved."""
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


@pytest.fixture
def mails():
    """What was composed to be sent, in order."""
    composed = []

    def note(sender, signal, **mail):
        composed.append(SimpleNamespace(**mail))

    account_mail_composed.connect(note)
    yield composed
    account_mail_composed.disconnect(note)


@pytest.fixture
def google(settings, monkeypatch):
    settings.GOOGLE_CLIENT_ID, settings.GOOGLE_CLIENT_SECRET = CLIENT_ID, CLIENT_SECRET
    provider = Provider()
    monkeypatch.setattr(GoogleOAuth2Adapter, "authorize_url", provider.url + "/authorize")
    monkeypatch.setattr(GoogleOAuth2Adapter, "access_token_url", provider.url + "/token")
    yield provider
    provider.stop()


@pytest.fixture
def alices_phone(alice):
    """Where she signed in first."""
    browser = Client()
    sign_in(browser, alice.email)
    browser.post(reverse("account_logout"))
    return browser


@pytest.fixture
def stranger(alices_phone, alice):
    """Who knows her password."""
    browser = Client(headers={"user-agent": FIREFOX})
    sign_in(browser, alice.email)
    return browser
