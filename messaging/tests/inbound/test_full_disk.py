"""A disk that is really full: mail stays where it was, and comes in when there is space again."""

import io
import os
import subprocess
from email.policy import SMTP
from types import SimpleNamespace

import pytest
from django.core.management import call_command

from messaging.inbound import ledger
from messaging.inbound.lmtp import Server
from messaging.models import Fate, InboundMail
from notifications.tests.smtp import free_port

from .mails import make_mail
from .test_doors import deliver

pytestmark = [
    pytest.mark.fault,
    pytest.mark.plan("SEC-F7"),
    pytest.mark.django_db(transaction=True),
]
LARGE = make_mail("zoe@example.org", body="It stays cold.\n" * 140_000).as_bytes(policy=SMTP)
TRY_AGAIN = 75


@pytest.fixture
def disk(settings, tmp_path):
    """One megabyte, on which our files are."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(made, capture_output=True).returncode:
        pytest.skip("this machine lends no disk")
    settings.MEDIA_ROOT = folder
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def give_space(disk):
    subprocess.run(["mount", "-o", "remount,size=8m", str(disk)], check=True)


def files_on(disk):
    return [path for path in disk.rglob("*") if path.is_file()]


def pipe(monkeypatch, raw) -> int:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(raw)))
    try:
        call_command("receive_mail", stdout=io.StringIO(), stderr=io.StringIO())
    except SystemExit as end:
        return end.code
    return 0


def test_the_pipe_tries_again_and_nothing_of_it_is_left(disk, kettles, monkeypatch):
    assert pipe(monkeypatch, LARGE) == TRY_AGAIN
    assert (InboundMail.objects.count(), files_on(disk)) == (0, [])
    # What fits still comes in.
    assert pipe(monkeypatch, make_mail().as_bytes()) == 0

    give_space(disk)
    assert pipe(monkeypatch, LARGE) == 0
    assert list(InboundMail.objects.values_list("fate", flat=True)) == [Fate.TICKETED] * 2


def test_the_mail_server_before_us_keeps_it(disk, kettles):
    server = Server("127.0.0.1", free_port())
    server.start()
    try:
        assert deliver(server, LARGE) == [451]
        assert (InboundMail.objects.count(), files_on(disk)) == (0, [])

        give_space(disk)
        assert deliver(server, LARGE) == [250]
    finally:
        server.stop()
    ledger.process_waiting()
    assert InboundMail.objects.get().fate == Fate.TICKETED
