"""Whether an address has an account can't be read from any answer."""

import re

import pytest
import time_machine
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Standing, User

from .doors import CODE_PAGE, ask_for_reset, sign_in, sign_up, type_code
from .factories import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.plan("SEC-C1")]

KNOWN, UNKNOWN = "alice@example.org", "nobody@example.org"
RESET_PAGE = "account_confirm_password_reset_code"


def sign_up_as(role):
    def flow(client, email):
        yield sign_up(client, email=email, role=role)
        yield client.get(reverse(CODE_PAGE))
        yield type_code(client, "00000000")
        yield client.post(reverse(CODE_PAGE), {"action": "resend"})
        yield client.get(reverse(CODE_PAGE))
        yield client.get(reverse("account_login"))
        yield client.get(reverse("account_signup"))
        yield client.post(reverse(CODE_PAGE), {"action": "restart"})
        yield client.get(reverse(CODE_PAGE))
        yield client.get(reverse("account_signup"))
        yield sign_up(client, email=email, role=role)

    return flow


def use_up_the_tries_of_a_sign_up(client, email):
    yield sign_up(client, email=email)
    for _ in range(6):
        yield type_code(client, "00000000")
    yield client.get(reverse("account_login"))


def sign_in_wrongly(client, email):
    for _ in range(6):  # one more than allowed
        yield sign_in(client, email, "not the password")


def ask_for_a_new_password(client, email):
    yield ask_for_reset(client, email)
    for _ in range(2):
        yield client.get(reverse(RESET_PAGE))
        yield type_code(client, "00000000", RESET_PAGE)
    yield client.get(reverse("account_complete_password_reset"))
    for _ in range(5):
        yield ask_for_reset(client, email)


def ask_for_a_sign_in_code(client, email):
    page = reverse("account_confirm_login_code")
    for _ in range(2):
        yield client.post(reverse("account_request_login_code"), {"email": email})
    yield client.get(page)
    yield client.post(page, {"action": "resend"})
    for _ in range(6):
        yield client.post(page, {"code": "00000000"})
    yield client.get(reverse("account_login"))


FLOWS = {
    "sign up as customer": sign_up_as("customer"),
    "sign up as agent": sign_up_as("agent"),
    "sign up as administrator": sign_up_as("admin"),
    "use up the tries": use_up_the_tries_of_a_sign_up,
    "sign in": sign_in_wrongly,
    "forgotten password": ask_for_a_new_password,
    "sign-in code": ask_for_a_sign_in_code,
}


def seen(response, email):
    """All a stranger can see of an answer, but for the address they typed and random tokens."""
    body = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", response.text)
    headers = {name: value for name, value in response.headers.items() if name != "Content-Length"}
    cookies = {name: sorted(jar.items()) for name, jar in response.cookies.items()}
    return response.status_code, headers, cookies, body.replace(email, "ADDRESS")


@pytest.fixture(autouse=True)
def one_moment():
    """Dates of headers and cookies would differ otherwise."""
    with time_machine.travel(timezone.now(), tick=False):
        yield


def walk(flow, email, address):
    client = Client(REMOTE_ADDR=address)  # two strangers, each with their own limits
    return [seen(response, email) for response in flow(client, email)]


@pytest.mark.parametrize("way", ["code", "link"])
@pytest.mark.parametrize("standing", ["active", "unclaimed", "declined", "suspended"])
@pytest.mark.parametrize("name", FLOWS)
def test_known_and_unknown_addresses_get_the_same_answers(alice, name, standing, way, settings):
    """However people prove their address here."""
    settings.ACCOUNT_CONFIRMATION = way
    User.objects.update(standing=standing)

    known = walk(FLOWS[name], KNOWN, "192.0.2.1")
    unknown = walk(FLOWS[name], UNKNOWN, "192.0.2.2")

    assert known == unknown


@pytest.mark.parametrize("standing", [Standing.DECLINED, Standing.SUSPENDED])
def test_the_right_password_of_a_closed_account_tells_nothing(alice, standing):
    User.objects.update(standing=standing)

    known = seen(sign_in(Client(), KNOWN, PASSWORD), KNOWN)
    unknown = seen(sign_in(Client(), UNKNOWN, PASSWORD), UNKNOWN)

    assert known == unknown


@pytest.mark.parametrize("flow", [sign_up, sign_in])
def test_a_known_and_an_unknown_address_cost_the_same_work(alice, flow, monkeypatch):
    """Hashing is what takes time here: as many hashes for the one as for the other."""
    hashed = []
    encode = MD5PasswordHasher.encode

    def count(hasher, *args, **kwargs):
        hashed.append(1)
        return encode(hasher, *args, **kwargs)

    monkeypatch.setattr(MD5PasswordHasher, "encode", count)

    work = []
    for email in (KNOWN, UNKNOWN):
        hashed.clear()
        flow(Client(), email=email)
        work.append(len(hashed))

    assert work == [1, 1]
