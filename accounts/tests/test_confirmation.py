"""Proving an address: by a code in the browser that asked, by a link in any, or not at all."""

import os
import re
import subprocess
import sys
from datetime import timedelta
from threading import Barrier, Thread

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import signups
from accounts.models import SignUp, Standing, User

from .doors import CODE_PAGE, NEW_PERSON, code_in, sign_in, sign_up, signed_in_id, type_code, wrong
from .factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db


def after(**time):
    return time_machine.travel(timezone.now() + timedelta(**time))


def resend(client):
    return client.post(reverse(CODE_PAGE), {"action": "resend"})


def test_a_way_nobody_knows_stops_the_start():
    answer = subprocess.run(
        [sys.executable, "-c", "import careregistry.settings"],
        env=os.environ | {"ACCOUNT_CONFIRMATION": "lnk"},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert answer.returncode != 0
    assert "lnk not in ('code', 'link', 'none')" in answer.stderr


# --- Code -----------------------------------------------------------------------


@pytest.mark.plan("SEC-C3")
def test_a_code_has_eight_digits_and_a_mail_without_links(client, mails):
    """D0-3: by code unless the operator chose otherwise."""
    sign_up(client)

    assert re.fullmatch(r"\d{8}", code_in(mails[0]))
    assert "http" not in mails[0].text


@pytest.mark.parametrize("shape", ["{0}", "{1} {2}", "{1}-{2}", "  {0}  "])
def test_a_code_is_accepted_however_people_space_it(client, mails, shape):
    sign_up(client)
    code = code_in(mails[0])

    type_code(client, shape.format(code, code[:4], code[4:]))

    assert signed_in_id(client) is not None


@pytest.mark.parametrize("typed", ["", "x" * 10_000, "a\x00b", "١٢٣٤٥٦٧٨", "' OR 1=1 --"])
@pytest.mark.plan("SEC-B1")
def test_nonsense_is_an_error_beside_the_field(client, typed):
    sign_up(client)

    response = type_code(client, typed)

    assert list(response.context["form"].errors) == ["code"]


@pytest.mark.parametrize(("wrong_tries", "works"), [(4, True), (5, False)])
@pytest.mark.plan("SEC-C3")
def test_a_code_can_be_tried_five_times(client, mails, wrong_tries, works):
    sign_up(client)
    code = code_in(mails[0])

    for _ in range(wrong_tries):
        response = type_code(client, wrong(code))
    last = type_code(client, code)

    assert (signed_in_id(client) is not None) == works
    if not works:
        assert response.headers["Location"] == last.headers["Location"] == reverse(CODE_PAGE)
        assert "Too many tries. Ask for a new code" in client.get(reverse(CODE_PAGE)).text


@pytest.mark.django_db(transaction=True)
@pytest.mark.plan("SEC-C3")
def test_guesses_at_the_same_moment_are_five_as_well():
    asked = signups.ask(**wishes())
    barrier, counted = Barrier(8), []

    def guess():
        row = SignUp.objects.get(pk=asked.pk)
        barrier.wait()
        counted.append(row.count_try())
        connection.close()

    threads = [Thread(target=guess) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(counted) == [False] * 3 + [True] * 5


@pytest.mark.parametrize(("minutes", "works"), [(9, True), (11, False)])
@pytest.mark.plan("SEC-C3")
def test_a_code_works_for_ten_minutes(client, mails, minutes, works):
    sign_up(client)

    with after(minutes=minutes):
        type_code(client, code_in(mails[0]))
        assert (signed_in_id(client) is not None) == works
        if not works:
            assert "That code has expired" in client.get(reverse(CODE_PAGE)).text


@pytest.mark.plan("SEC-C3")
def test_a_code_works_only_in_the_browser_that_asked(client, mails):
    sign_up(client)
    client.cookies.clear()

    type_code(client, code_in(mails[0]))

    assert not User.objects.exists()


@pytest.mark.plan("SEC-C3")
def test_a_code_lets_in_once(client, mails):
    sign_up(client)
    type_code(client, code_in(mails[0]))
    client.post(reverse("account_logout"))

    type_code(client, code_in(mails[0]))

    assert signed_in_id(client) is None


@pytest.mark.plan("SEC-C3")
def test_a_new_code_cancels_the_old_one_and_has_ten_minutes_and_five_tries(client, mails):
    sign_up(client)
    for _ in range(4):
        type_code(client, wrong(code_in(mails[0])))
    with after(minutes=9):
        resend(client)
    with after(minutes=18):
        type_code(client, code_in(mails[0]))
        assert signed_in_id(client) is None

        type_code(client, code_in(mails[1]))
        assert signed_in_id(client) is not None


def test_a_new_code_helps_whoever_used_up_the_tries(client, mails):
    """P10: nobody is locked out for good."""
    sign_up(client)
    for _ in range(5):
        type_code(client, wrong(code_in(mails[0])))
    with after(minutes=2):
        resend(client)
        type_code(client, code_in(mails[1]))

    assert signed_in_id(client) is not None


def test_the_next_code_waits_a_minute_and_the_page_says_so(client, mails):
    now = timezone.now()
    with time_machine.travel(now, tick=False):
        sign_up(client)
    with time_machine.travel(now + timedelta(seconds=18), tick=False):
        shown = client.get(reverse(CODE_PAGE))
        refused = resend(client)

    assert 'data-wait="42"' in shown.text
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "42")
    assert "You can ask for another in 42 seconds" in refused.text
    assert len(mails) == 1


def test_who_mistyped_the_address_starts_again(client, mails):
    sign_up(client, email="jhon@example.org")

    again = client.post(reverse(CODE_PAGE), {"action": "restart"})
    form = client.get(again.headers["Location"])

    assert form.status_code == 200
    assert sign_up(client).headers["Location"] == reverse(CODE_PAGE)
    assert SignUp.objects.get().email == "john@example.org"


def test_nobody_gets_the_page_without_asking(client, login, alice):
    assert client.get(reverse(CODE_PAGE)).headers["Location"] == reverse("account_login")
    assert login(alice).get(reverse(CODE_PAGE)).headers["Location"] == "/"


def test_the_code_of_an_address_that_was_taken_meanwhile_leads_to_sign_in(client, mails):
    sign_up(client)
    make_user(email="john@example.org")

    response = type_code(client, code_in(mails[0]), CODE_PAGE)

    assert response.headers["Location"] == reverse("account_login")
    assert "has an account already" in client.get(reverse("account_login")).text
    assert User.objects.count() == 1


# --- Link -----------------------------------------------------------------------


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


# --- None -----------------------------------------------------------------------


@pytest.fixture
def closed_network(settings):
    settings.ACCOUNT_CONFIRMATION = "none"


def wishes(**changes):
    return {
        "email": "john@example.org",
        "first_name": "John",
        "last_name": "",
        "role": "customer",
        "password": PASSWORD,
    } | changes


def test_a_closed_network_lets_in_at_once(client, mails, closed_network):
    """D0-3"""
    response = sign_up(client)

    john = User.objects.get()
    assert response.headers["Location"] == reverse("tickets:list")
    assert (john.standing, signed_in_id(client)) == (Standing.ACTIVE, str(john.pk))
    assert mails == []
    assert not EmailAddress.objects.get().verified  # nobody proved it


def test_a_closed_network_lets_in_again(client, closed_network):
    sign_up(client)
    client.post(reverse("account_logout"))

    sign_in(client, "john@example.org")

    assert signed_in_id(client) is not None


def test_a_closed_network_says_that_an_address_is_taken(client, mails, alice, closed_network):
    """It tells which addresses exist: that is why it is for closed networks."""
    response = sign_up(client, email=alice.email)

    assert response.context["form"].errors == {
        "email": ["This address has an account already. Sign in instead"]
    }
    assert User.objects.get().check_password(PASSWORD)


@pytest.mark.plan("SEC-C12")
def test_a_closed_network_still_asks_for_proof_of_an_address_with_tickets(
    client, mails, closed_network
):
    una = make_user("Una", email="una@example.org", standing=Standing.UNCLAIMED)

    response = sign_up(client, email=una.email)

    assert response.headers["Location"] == reverse(CODE_PAGE)
    una.refresh_from_db()
    assert una.standing == Standing.UNCLAIMED
    with pytest.raises(signups.Taken):
        signups.join_unproved(**wishes(email=una.email))
    type_code(client, code_in(mails[0]))
    assert signed_in_id(client) == str(una.pk)
