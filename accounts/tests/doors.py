"""How a person comes in, through the pages."""

from django.test import Client
from django.urls import reverse

from .factories import PASSWORD

CODE_PAGE = "account_email_verification_sent"

NEW_PERSON = {
    "role": "customer",
    "first_name": "John",
    "last_name": "Doe",
    "email": "john@example.org",
    "password1": PASSWORD,
    "password2": PASSWORD,
    "agree": "on",
}


def from_(address):
    """A browser in that network."""
    return Client(REMOTE_ADDR=address)


def sign_up(client, **changes):
    return client.post(reverse("account_signup"), NEW_PERSON | changes)


def sign_in(client, email, password=PASSWORD, **more):
    return client.post(reverse("account_login"), {"login": email, "password": password, **more})


def ask_for_reset(client, email):
    return client.post(reverse("account_reset_password"), {"email": email})


def type_code(client, code, page=CODE_PAGE):
    return client.post(reverse(page), {"code": code})


def code_in(mail):
    return mail.subject.split()[0]


def wrong(code):
    return f"{(int(code) + 1) % 10**8:08}"


def signed_in_id(client):
    """The person this browser is signed in as."""
    return client.session.get("_auth_user_id")


def wishes(**changes):
    return {
        "email": "john@example.org",
        "first_name": "John",
        "last_name": "",
        "role": "customer",
        "password": PASSWORD,
    } | changes
