"""SEC-H4, P16: what people type, and what lets them in, is in no log."""

import logging

import pytest
from django.urls import reverse

from accounts import erasure, exports, limits
from accounts.models import Attempt
from accounts.signals import account_mail_composed
from messaging.actions import post_message, post_note
from notifications import outbox
from tickets import actions
from tickets.workflow import ResolutionKind, Status

PASSWORD = "canary password of four"
WORDS = "canary words of a message"


@pytest.fixture
def logged(caplog):
    """Everything that any logger says, in full, tracebacks and arguments included."""
    caplog.set_level(logging.DEBUG)
    return caplog


def everything_in(logged) -> str:
    return logged.text + "".join(str(vars(record)) for record in logged.records)


@pytest.fixture
def mails():
    composed = []

    def keep(sender, signal, **mail):
        composed.append(mail)

    account_mail_composed.connect(keep)
    yield composed
    account_mail_composed.disconnect(keep)


@pytest.mark.plan("SEC-H4")
@pytest.mark.django_db
def test_doors_log_no_password_and_no_code(client, alice, mails, logged, mailoutbox):
    """Wrong and right passwords, a sign-up, a sign-in code and a reset, and the mails of them."""
    login, signup = reverse("account_login"), reverse("account_signup")
    client.post(login, {"login": alice.email, "password": PASSWORD})
    names = {"first_name": "John", "email": "john@example.org", "role": "customer"}
    both = {"password1": PASSWORD, "password2": PASSWORD}
    client.post(signup, names | both | {"agree": "on"})
    type(client)().post(reverse("account_reset_password"), {"email": alice.email})
    outbox.drain()

    codes = [mail["subject"].split()[0] for mail in mails]
    assert len(codes) >= 2
    assert all(code.isdigit() for code in codes)
    cookies = [cookie.value for cookie in client.cookies.values()]
    said = everything_in(logged)
    assert [secret for secret in [PASSWORD, *codes, *cookies] if secret in said] == []


@pytest.mark.plan("SEC-H4")
@pytest.mark.django_db
def test_tickets_log_no_words(login, ticket, alice, bob, ada, logged):
    """Through pages, actions, mails, a download and an erasure; also what is refused."""
    browser = login(alice)
    page = reverse("messaging:reply", args=[ticket.reference])
    browser.post(page, {"body": WORDS, "key": "no key at all"})
    post_message(ticket, by=bob, body=WORDS)
    post_note(ticket, by=bob, body=WORDS)
    solved = {"text": WORDS, "resolution": ResolutionKind.ANSWERED}
    actions.change_status(ticket, Status.RESOLVED, by=bob, **solved)
    actions.rate(ticket, by=alice, rating=1, comment=WORDS)
    browser.post(page, {"body": WORDS})
    browser.post(reverse("messaging:reply", args=["CCR-1999-00001"]), {"body": WORDS})
    outbox.drain()
    exports.ask_for(alice, by=alice)
    exports.make_due()
    erasure.erase(alice, by=ada)

    assert ticket.events.count() >= 7
    assert WORDS not in everything_in(logged)


@pytest.mark.plan("SEC-H4")
def test_the_search_would_notice(logged):
    """The tests above see what is logged, at every level and in every part of a record."""
    logging.getLogger("accounts").debug("a wrong %s", PASSWORD)
    logging.getLogger("django").info("words", extra={"body": WORDS})

    assert PASSWORD in everything_in(logged)
    assert WORDS in everything_in(logged)


def test_limits_keep_no_address(db, rf):
    """What the limiter writes down can be read by nobody."""
    limits.take(*limits.sign_in(rf.post("/"), "alice@example.org"))

    kept = list(Attempt.objects.values_list("bucket", flat=True))
    assert kept
    assert not any("alice" in bucket for bucket in kept)
