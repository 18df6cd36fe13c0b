"""Proving an address by a link, in any browser."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Standing, User

from .doors import CODE_PAGE, NEW_PERSON, sign_up, signed_in_id
from .factories import PASSWORD

pytestmark = pytest.mark.django_db


def after(**time):
    return time_machine.travel(timezone.now() + timedelta(**time))


def resend(client):
    return client.post(reverse(CODE_PAGE), {"action": "resend"})


@pytest.fixture
def by_link(settings):
    settings.ACCOUNT_CONFIRMATION = "link"


def link_in(mail):
    return re.search(r"http://localhost:8000(/account/confirm-email/\S+)", mail.text)[1]


def test_the_mail_has_a_link_and_no_code(client, mails, by_link):
    """D0-3: by link if the operator chose so."""
    response = sign_up(client)

    assert response.headers["Location"] == reverse(CODE_PAGE)
    page = client.get(reverse(CODE_PAGE))
    assert "with a link" in page.text
    assert 'name="code"' not in page.text
    assert len(link_in(mails[0]).rpartition(".")[2]) >= 43  # 256 bits


@pytest.mark.plan("SEC-C4")
def test_opening_the_link_changes_nothing(client, mails, by_link):
    """A program that looks for viruses in mails must not confirm."""
    sign_up(client)

    for browser in (client, Client()):
        assert browser.get(link_in(mails[0])).status_code == 200
        assert browser.head(link_in(mails[0])).status_code == 200

    assert not User.objects.exists()


def test_the_button_lets_in_whoever_signed_up_in_this_browser(client, mails, by_link):
    sign_up(client)

    response = client.post(link_in(mails[0]))

    assert response.headers["Location"] == reverse("tickets:list")
    assert User.objects.get().standing == Standing.ACTIVE
    assert signed_in_id(client) == str(User.objects.get().pk)


def test_in_another_browser_it_takes_the_password_that_was_chosen(client, mails, by_link):
    """Otherwise a careless click in a mail that somebody else asked for would give them an
    account with one's address, and with one's tickets."""
    sign_up(client)
    other = Client()
    assert 'name="password"' in other.get(link_in(mails[0])).text

    refused = other.post(link_in(mails[0]), {"password": "not the password"})
    assert list(refused.context["form"].errors) == ["password"]
    assert not User.objects.exists()

    other.post(link_in(mails[0]), {"password": PASSWORD})
    assert signed_in_id(other) == str(User.objects.get().pk)


@pytest.mark.plan("SEC-C4")
def test_the_password_can_be_tried_five_times(client, mails, by_link):
    sign_up(client)
    other = Client()

    for _ in range(5):
        other.post(link_in(mails[0]), {"password": "not the password"})
    response = other.post(link_in(mails[0]), {"password": PASSWORD})

    assert response.status_code == 404
    assert not User.objects.exists()


@pytest.mark.parametrize(("hours", "status"), [(23, 302), (25, 404)])
@pytest.mark.plan("SEC-C4")
def test_a_link_works_for_a_day(client, mails, by_link, hours, status):
    sign_up(client)

    with after(hours=hours):
        assert client.post(link_in(mails[0])).status_code == status


@pytest.mark.plan("SEC-C4")
def test_a_link_works_once(client, mails, by_link):
    sign_up(client)
    client.post(link_in(mails[0]))
    client.post(reverse("account_logout"))

    again = client.post(link_in(mails[0]))

    assert again.status_code == 404
    assert "This link no longer works" in again.text
    assert signed_in_id(client) is None


@pytest.mark.plan("SEC-C4")
def test_a_new_link_cancels_the_old_one(client, mails, by_link):
    sign_up(client)
    with after(minutes=2):
        resend(client)

        assert client.post(link_in(mails[0])).status_code == 404
        assert client.post(link_in(mails[1])).status_code == 302


@pytest.mark.parametrize("token", ["x", "x.y", "0" * 32 + ".x", "%00", "a" * 5000])
@pytest.mark.plan("SEC-B1")
def test_a_link_that_was_never_sent_does_not_work(client, by_link, token):
    assert client.get(f"/account/confirm-email/{token}/").status_code == 404


@pytest.mark.plan("SEC-C4")
def test_a_guessed_secret_of_a_real_sign_up_does_not_work(client, mails, by_link):
    sign_up(client)
    path = link_in(mails[0]).rstrip("/")

    assert client.get(path[:-1] + ("A" if path[-1] != "A" else "B") + "/").status_code == 404
    assert client.get(path + "/").status_code == 200


@pytest.mark.plan("SEC-C8")
def test_the_link_starts_with_the_configured_address(client, mails, by_link):
    client.post(
        reverse("account_signup"),
        NEW_PERSON,
        headers={"host": "127.0.0.1", "x-forwarded-host": "evil.example"},
    )

    assert re.findall(r"https?://[^/]+", mails[0].text) == ["http://localhost:8000"]


@pytest.mark.plan("SEC-C8")
@pytest.mark.parametrize("way", ["code", "link", "none"])
def test_a_sign_up_for_a_foreign_host_is_refused(client, mails, settings, way):
    settings.ACCOUNT_CONFIRMATION = way

    response = client.post(reverse("account_signup"), NEW_PERSON, headers={"host": "evil.example"})

    assert response.status_code == 400
    assert mails == []


def test_a_link_is_worth_sending_for_a_day(client, mails, by_link):
    now = timezone.now()
    with time_machine.travel(now, tick=False):
        sign_up(client)

    assert mails[0].expires_at == now + timedelta(hours=24)
