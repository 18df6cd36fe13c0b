"""Real processes, killed while they take mail in: each mail is counted once, and none is lost."""

import os
import signal
import smtplib
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from django.conf import settings as product
from django.utils import timezone

from messaging.inbound import imap, ledger
from messaging.inbound.lmtp import Server
from messaging.models import InboundMail, Mailbox
from notifications.tests.smtp import free_port
from notifications.tests.test_faults import database_url
from tickets.models import Ticket

from .mails import make_mail, take_in
from .servers import PASSWORD, Dovecot

pytestmark = [
    pytest.mark.fault,
    pytest.mark.plan("SEC-P1"),
    pytest.mark.plan("SEC-P3"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture(autouse=True)
def one_installation(kettles, settings, tmp_path):
    """This process goes on with the files of the one that is killed."""
    settings.MEDIA_ROOT = tmp_path / "files"


@pytest.fixture
def manage(tmp_path):
    """``manage("receive_mail", fault="…", typed=raw)`` says how the process ended."""

    def run(*command, fault, typed=b"", wait=True):
        process = subprocess.Popen(
            [sys.executable, "manage.py", *command],
            cwd=product.BASE_DIR,
            env=os.environ
            | {
                "DJANGO_SETTINGS_MODULE": "notifications.tests.process_settings",
                "DATA_DIR": str(tmp_path),
                "DATABASE_URL": database_url(),
                "FAULT_POINTS": f"{fault}:exit",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
        if not wait:
            return process
        process.communicate(typed, timeout=60)
        return process.returncode

    return run


def go_on():
    """As the worker does, once the lease of the dead one has ended."""
    InboundMail.objects.update(leased_until=timezone.now())
    ledger.process_waiting()


def counted():
    """What became of each, and of which subjects there are tickets."""
    fates = sorted(InboundMail.objects.values_list("fate", flat=True))
    return fates, list(Ticket.objects.order_by("subject").values_list("subject", flat=True))


@pytest.mark.parametrize(
    ("point", "fates"),
    [
        ("before_inbound_row", ["ticketed"]),
        ("after_inbound_store", ["repeated", "ticketed"]),
        ("before_inbound_commit", ["repeated", "ticketed"]),
        ("after_inbound_commit", ["repeated", "ticketed"]),
    ],
)
def test_a_pipe_that_is_killed_gets_the_mail_again(manage, point, fates):
    """The mail server before us has no answer, so it tries again; the first copy is there too."""
    raw = make_mail(subject="Kettle").as_bytes()

    assert manage("receive_mail", fault=point, typed=raw) == -signal.SIGKILL
    take_in(raw)
    go_on()

    assert counted() == (fates, ["Kettle"])


@pytest.mark.parametrize("point", ["before_inbound_commit", "after_inbound_commit"])
def test_what_was_stored_needs_no_second_copy(manage, point):
    raw = make_mail(subject="Kettle").as_bytes()

    assert manage("receive_mail", fault=point, typed=raw) == -signal.SIGKILL
    go_on()

    assert counted() == (["ticketed"], ["Kettle"])


def deliver(port, raw) -> bool:
    """Whether the server said that it has it."""
    until = time.monotonic() + 60
    while True:
        try:
            client = smtplib.LMTP("127.0.0.1", port)
            break
        except ConnectionRefusedError:  # it starts
            assert time.monotonic() < until
            time.sleep(0.1)
    with suppress(smtplib.SMTPServerDisconnected, ConnectionError), client:
        return client.sendmail("zoe@example.org", ["care@example.net"], raw) == {}
    return False


def test_an_lmtp_server_that_is_killed_before_its_answer_gets_the_mail_again(manage):
    raw = make_mail(subject="Kettle").as_bytes()

    port = free_port()
    with manage("lmtp", f"--port={port}", fault="after_inbound_store", wait=False) as process:
        assert not deliver(port, raw)
        assert process.wait(60) == -signal.SIGKILL
    server = Server("127.0.0.1", free_port())
    server.start()
    try:
        assert deliver(server.port, raw)
    finally:
        server.stop()
    go_on()

    assert counted() == (["repeated", "ticketed"], ["Kettle"])


@pytest.mark.skipif(not Dovecot.is_here(), reason="dovecot-imapd is not installed")
@pytest.mark.parametrize(
    "point",
    [
        "after_inbound_store@2",  # the row goes back with the transaction
        "before_inbound_tidy@2",
        "after_inbound_tidy",
        "before_inbound_commit@2",
    ],
)
def test_a_poll_that_is_killed_is_finished_by_the_next(manage, point):
    """P3: what is on the server is here once; what is here is marked as read there."""
    with TemporaryDirectory() as folder, Dovecot(Path(folder)) as server:
        where = {"host": "127.0.0.1", "port": server.port, "security": "none"}
        mailbox = Mailbox.objects.create(name="Care", username="care", secret=PASSWORD, **where)
        for subject in ("One", "Two", "Zoo"):
            server.put(make_mail(subject=subject).as_bytes())

        killed = manage("poll_mail", "--once", fault=point)
        Mailbox.objects.update(leased_until=None)  # as it ends by itself
        imap.poll(mailbox)
        go_on()

        assert killed == -signal.SIGKILL
        assert counted() == (["ticketed"] * 3, ["One", "Two", "Zoo"])
        assert (server.unseen(), server.in_folder()) == (0, 3)
        assert not InboundMail.objects.filter(is_tidied=False).exists()
