"""Who was given a password by somebody else chooses their own before anything else (D0-10)."""

import pytest
from channels.db import database_sync_to_async as in_thread
from django.test import Client
from django.urls import reverse

from accounts import consents, people
from accounts.models import User
from accounts.tests.doors import sign_in
from accounts.tests.factories import PASSWORD, make_admin
from messaging.tests.sockets import PageSocket

CHANGE = reverse("account_change_password")
OWN = "four quite small words"


@pytest.fixture
def nina(ada):
    person = User(email="nina@example.org", first_name="Nina", role="agent")
    person.set_password(PASSWORD)
    people.create(person, by=ada)
    consents.agree(person, consents.versions())
    return person


@pytest.fixture
def browser(nina):
    browser = Client()
    sign_in(browser, nina.email)
    return browser


@pytest.mark.plan("SEC-C14")
@pytest.mark.parametrize("name", ["tickets:workspace", "tickets:list", "tickets:hand_over", "home"])
def test_no_page_before(browser, ticket, name):
    args = [ticket.reference] if name == "tickets:hand_over" else []

    answer = browser.get(reverse(name, args=args), follow=True)

    assert answer.redirect_chain[-1][0] == CHANGE
    assert "gave you this password" in answer.text


def test_no_live_list_before(browser):
    answer = browser.get(reverse("tickets:workspace"), headers={"hx-request": "true"})

    assert (answer.status_code, answer.url) == (302, CHANGE)


def test_what_was_sent_is_not_done(browser, ticket):
    answer = browser.post(reverse("tickets:take", args=[ticket.reference]))

    assert (answer.status_code, answer.url) == (302, CHANGE)


def test_signing_out_stays_open(browser):
    page = browser.get(CHANGE).text
    assert f'action="{reverse("account_logout")}"' in page
    assert f'href="{reverse("tickets:new")}"' not in page  # nothing else is offered

    assert browser.post(reverse("account_logout")).url == reverse("account_login")


def test_their_own_password_opens_everything(browser, nina):
    """With another password than the one they were given; then never asked again."""
    same = {"oldpassword": PASSWORD, "password1": PASSWORD, "password2": PASSWORD}
    answer = browser.post(CHANGE, same)
    assert "Old and New password cannot be the same!" in answer.text
    nina.refresh_from_db()
    assert nina.must_change_password

    browser.post(CHANGE, {"oldpassword": PASSWORD, "password1": OWN, "password2": OWN})

    nina.refresh_from_db()
    assert not nina.must_change_password
    sign_in(browser, nina.email, OWN)
    assert browser.get(reverse("tickets:workspace")).status_code == 200


@pytest.mark.django_db(transaction=True)
async def test_no_socket_before(transactional_db):
    def make():
        person = User(email="nina@example.org", first_name="Nina", role="agent")
        person.set_password(PASSWORD)
        people.create(person, by=make_admin())
        consents.agree(person, consents.versions())
        browser = Client()
        sign_in(browser, person.email)
        return browser, person

    browser, person = await in_thread(make)()

    refused = await PageSocket("/ws/tickets/", browser).open()
    await in_thread(User.objects.filter(pk=person.pk).update)(must_change_password=False)
    async with PageSocket("/ws/tickets/", browser):
        pass

    assert refused == 4403
