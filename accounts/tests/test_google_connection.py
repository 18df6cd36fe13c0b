"""Connecting an account with Google, and disconnecting it (D0-2, SEC-C18)."""

import pytest
from allauth.socialaccount.models import SocialAccount
from django.urls import reverse

from .doors import signed_in_id
from .factories import PASSWORD, make_user
from .google import GINA, come_in, connect

pytestmark = [pytest.mark.django_db, pytest.mark.plan("SEC-C18")]


def test_who_is_signed_in_connects_google_with_their_password(login, alice, google, mails):
    client = login(alice)
    google.person["email"] = "somebody.else@example.net"  # not even a verified one of ours

    answer = client.post(reverse("account_google"), {"password": PASSWORD})
    response = client.get(google.follow(answer.headers["Location"]), follow=True)

    assert "Google is connected." in response.text
    assert "somebody.else@example.net" in client.get(reverse("account_security")).text
    assert SocialAccount.objects.get().user == alice
    assert signed_in_id(client) == str(alice.pk)
    alice.refresh_from_db()
    assert alice.email == "alice@example.org"
    assert [mail.kind for mail in mails] == ["account_connected"]
    assert [event.kind for event in alice.account_events.all()] == ["google_connected"]


@pytest.mark.parametrize("is_connected", [True, False])
def test_a_wrong_password_neither_connects_nor_disconnects(login, alice, google, is_connected):
    if is_connected:
        connect(alice)

    response = login(alice).post(reverse("account_google"), {"password": "not the password"})

    assert response.context["form"].errors == {"password": ["Check your current password"]}
    assert SocialAccount.objects.count() == is_connected


def test_no_form_of_the_door_connects(login, alice, google):
    """Without the password only a sign-in can be asked for, whatever else is sent."""
    client = login(alice)
    google.person["email"] = "mallory@example.net"

    come_in(client, google, process="connect")

    assert not SocialAccount.objects.filter(user=alice).exists()


def test_a_google_account_belongs_to_one_person(login, alice, google):
    gina = make_user("Gina", email=GINA)
    connect(gina)
    client = login(alice)

    answer = client.post(reverse("account_google"), {"password": PASSWORD})
    response = client.get(google.follow(answer.headers["Location"]), follow=True)

    assert "belongs to another account here" in response.text
    assert SocialAccount.objects.get().user == gina


def test_disconnecting_takes_the_way_in_away(login, alice, google, mails):
    connect(alice)
    client = login(alice)

    response = client.post(reverse("account_google"), {"password": PASSWORD})

    assert response.headers["Location"] == reverse("account_security")
    assert "Not connected" in client.get(reverse("account_security")).text
    assert not SocialAccount.objects.exists()
    assert [mail.kind for mail in mails] == ["account_disconnected"]
    assert [event.kind for event in alice.account_events.all()] == ["google_removed"]


def test_the_only_way_in_is_not_taken_away(client, google):
    come_in(client, google)
    client.post(reverse("account_consent"))

    response = client.post(reverse("account_google"))

    assert "Choose a password first" in response.text
    assert SocialAccount.objects.exists()
