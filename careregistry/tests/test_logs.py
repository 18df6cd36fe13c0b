"""SEC-H4, P16: what people type, and what lets them in, is in no log."""

import io
import logging
import os
import subprocess
import sys
import time

import pytest
from django.conf import settings as real_settings
from django.test import Client, RequestFactory
from django.urls import resolve, reverse
from django.utils.log import log_response

from accounts import erasure, exports, limits
from accounts.models import Attempt
from accounts.signals import account_mail_composed
from accounts.tests.doors import sign_in
from careregistry.logs import DiscreetFormatter, without_addresses
from messaging.actions import post_message, post_note
from notifications.mail import outbox
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


# --- Addresses --------------------------------------------------------------------


@pytest.mark.plan("SEC-H4")
@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("No user alice@example.org here", "No user a***@example.org here"),
        ("a@b.org, <o'brien+x@example.org>.", "a***@b.org, <o***@example.org>."),
        ("{'ф@пример.рф': (550, b'no')}", "{'ф***@пример.рф': (550, b'no')}"),
        ("Key (email)=(alice@example.org)", "Key (email)=(a***@example.org)"),
        ("Not Found: /x/alice%40example.org/", "Not Found: /x/a***%40example.org/"),
        ("smtp://care:secret@mail.example.org", "smtp://care:s***@mail.example.org"),
        ("from 192.0.2.77.", "from 192.0.2.0/24."),
        ("('192.0.2.77', 443)", "('192.0.2.0/24', 443)"),
        ("at 192.0.2.77:443", "at 192.0.2.0/24:443"),
        ("[2001:db8:7:8::1]:443", "[2001:db8:7::/48]:443"),
        ("2001:db8:85a3:0:0:8a2e:370:7334", "2001:db8:85a3::/48"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
    ],
)
def test_addresses_are_masked_wherever_they_stand(said, written):
    assert without_addresses(said) == written


@pytest.mark.parametrize(
    "said",
    [
        "07:41:02,123 it took 12:34:56.789",
        "Connection to 127.0.0.1:6379 and [::1] refused, 0.0.0.0 as well",
        "Version 1.2.3 of 1.2.3.4.5, accounts/test.py::test_x:12:34",
        "@receiver(signal) a @ b",
    ],
)
def test_what_only_looks_like_one_stays(said):
    assert without_addresses(said) == said


@pytest.mark.parametrize(
    "hostile", ["x" * 60_000 + "@", "a=" * 30_000, "1." * 30_000, ":" * 60_000]
)
def test_a_hostile_line_costs_little(hostile):
    began = time.thread_time()  # on the processor, however busy it is

    without_addresses(hostile)

    assert time.thread_time() - began < 2


PROCESSES = {
    "web": (
        "from uvicorn import Config;"
        "Config('careregistry.asgi:application', access_log=True, log_level='info').load()"
    ),
    "worker": (
        "from careregistry import celery_app as app; app.loader.init_worker();"
        "app.log.setup(loglevel='INFO', redirect_stdouts=True)"
    ),
    "command": "import django; django.setup()",
}
SAY = """
import logging
assert not logging.getLogger("uvicorn.access").hasHandlers()  # then no request is written down
for name in ("", "accounts", "django", "django.request", "django.server", "py.warnings",
             "celery", "celery.task", "celery.redirected", "multiprocessing", "uvicorn",
             "uvicorn.error", "channels", "asyncio"):
    try:
        raise ValueError("of bob@example.org")
    except ValueError:
        logging.getLogger(name).error("%s from %s", "alice@example.org", "192.0.2.7", exc_info=True)
"""


def what_a_process_writes(start, tmp_path, **environment):
    """All that ends up on its two outputs when each of its loggers says the same."""
    ended = subprocess.run(
        [sys.executable, "-c", f"{start}\n{SAY}"],
        cwd=real_settings.BASE_DIR,
        env=os.environ
        | {"DJANGO_SETTINGS_MODULE": "careregistry.settings", "DATA_DIR": str(tmp_path)}
        | {"DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3", "REDIS_URL": ""}
        | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return ended.stdout + ended.stderr


@pytest.mark.plan("SEC-H4")
@pytest.mark.parametrize("start", PROCESSES.values(), ids=PROCESSES)
def test_every_handler_of_every_process_masks_them(tmp_path, start):
    """Message, arguments and traceback; also what web server and worker bring of their own."""
    written = what_a_process_writes(start, tmp_path, LOG_MASK_ADDRESSES="1")

    said = [line for line in written.splitlines() if "from 192" in line]
    assert len(said) == 14  # once each
    assert {line.partition("a***")[2] for line in said} == {"@example.org from 192.0.2.0/24"}
    assert written.count("ValueError: of b***@example.org") == len(said)
    assert "alice" not in written
    assert "192.0.2.7" not in written


def test_the_setting_shows_them_whole(tmp_path):
    """As delivered on this machine; https masks them, see the next."""
    written = what_a_process_writes(PROCESSES["command"], tmp_path, LOG_MASK_ADDRESSES="0")

    assert "alice@example.org from 192.0.2.7" in written


@pytest.mark.parametrize(("site", "masks"), [("https://care.example.org", 1), ("http://x", 0)])
def test_a_production_site_masks_unless_it_is_told_otherwise(tmp_path, site, masks):
    written = what_a_process_writes(
        PROCESSES["command"], tmp_path, SITE_URL=site, EMAIL_URL="smtp://mail.example.org:25"
    )

    assert ("a***@example.org from 192.0.2.0/24" in written) == bool(masks)


@pytest.fixture
def written():
    """What the log file of a production site holds, at every level."""
    line = real_settings.LOGGING["formatters"]["line"]
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(DiscreetFormatter(line["fmt"], style="{", masks_addresses=True))
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream.getvalue
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.mark.plan("SEC-H4")
def test_a_refused_sign_in_and_a_mail_that_fails_name_nobody(
    alice, bob, carol, written, monkeypatch
):
    """The mail server repeats the address in its answer."""

    def refuse(*args, **kwargs):
        raise OSError(f"550 <{alice.email}> unknown, said 192.0.2.77")

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuse)
    sign_in(Client(REMOTE_ADDR="192.0.2.9"), alice.email, "a wrong password")
    for person in (alice, bob, carol):  # one at whom the server hangs up holds up no other
        forgotten = {"email": person.email}
        Client(REMOTE_ADDR="192.0.2.9").post(reverse("account_reset_password"), forgotten)
    outbox.drain()

    assert "550 <a***@example.org> unknown, said 192.0.2.0/24" in written()
    assert alice.email not in written()
    assert "192.0.2.9" not in written()


# --- Links that let in --------------------------------------------------------------


@pytest.mark.plan("SEC-H4")
@pytest.mark.parametrize("status", [404, 500])
def test_a_link_that_lets_in_is_not_written_out(written, status):
    """The path of a page that went wrong is in the log, and the link may still be good."""
    for address in (
        reverse("account_invitation", args=["canary-of-an-invitation"]),
        reverse("account_confirm_by_link", args=["canary-of-a-sign-up"]),
        reverse("account_not_me", args=["7:canary-of-a-dispute"]),
        reverse("account_apply_again", args=["7:canary-of-a-request"]),
    ):
        request = RequestFactory().get(address)
        request.resolver_match = resolve(address)
        log_response("Went wrong: %s", address, request=request, response=Answer(status))

    assert written().count("Went wrong: /account/") == 4
    assert "canary" not in written()


class Answer:
    def __init__(self, status_code):
        self.status_code = status_code
