"""Proving an address by a code in the browser that asked."""

import os
import re
import subprocess
import sys
from datetime import timedelta
from threading import Barrier, Thread

import pytest
import time_machine
from django.conf import settings
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from accounts import signups
from accounts.models import SignUp, User

from .doors import CODE_PAGE, code_in, sign_up, signed_in_id, type_code, wishes, wrong
from .factories import make_user

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
    assert "ACCOUNT_CONFIRMATION must be one of: code, link, none." in answer.stderr


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
