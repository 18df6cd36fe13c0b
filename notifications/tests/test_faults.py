"""A real worker process, killed in the middle of its work, and a mail server that is away."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts import faults
from accounts.tests.factories import make_user
from careregistry.processes import signal_group
from notifications.models import Notification, OutgoingMail
from notifications.owing import owe

from .smtp import Sink, free_port

State = OutgoingMail.State
PATIENCE = 120  # seconds; a busy machine is no failure
MAILS, ROUNDS = (1_000, 5) if os.environ.get("SOAK") else (100, 1)
POINTS = (
    "after_addressing@1", "after_claim@1", "before_smtp@9", "after_smtp_accept@9", "after_mark@9",
)  # fmt: skip


def database_url():
    """The tests' database, for another process."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    return "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**database)


@contextmanager
def worker(data_dir, port, **environment):
    """A worker with the clock inside, as ``make run`` starts it, but in one process."""
    command = [
        *(sys.executable, "-m", "celery", "-A", "careregistry", "worker", "--pool=solo"),
        *("--beat", "--schedule", str(data_dir / "beat"), "--loglevel=WARNING"),
        *("--without-mingle", "--without-gossip"),
    ]
    process = subprocess.Popen(
        command,
        cwd=settings.BASE_DIR,
        start_new_session=True,  # its clock is a child, which must not outlive it
        env=os.environ
        | {
            "DJANGO_SETTINGS_MODULE": "notifications.tests.process_settings",
            "DATA_DIR": str(data_dir),
            "DATABASE_URL": database_url(),
            "EMAIL_URL": f"smtp://127.0.0.1:{port}",
        }
        | environment,
    )
    try:
        yield process
    finally:
        signal_group(process, signal.SIGKILL)
        process.wait()


def wait_until(is_true):
    until = time.monotonic() + PATIENCE
    while not is_true():
        assert time.monotonic() < until, "It did not happen in time."
        time.sleep(0.1)


def owe_welcomes(count):
    people = [make_user() for _ in range(count)]
    for person in people:
        owe(Notification.Kind.WELCOME, person, cause=f"user:{person.pk}")
    return people


def all_sent():
    return set(OutgoingMail.objects.values_list("state", flat=True)) == {State.SENT}


@pytest.mark.fault
@pytest.mark.plan("SEC-F1")
@pytest.mark.django_db(transaction=True)
def test_worker_killed_at_each_point_of_its_work(tmp_path):
    """P1, P2: every mail arrives. One comes twice for each kill between the server's yes and the
    mark, for no other, and then with the same Message-ID. Two workers with a clock each, who send
    the rest at the same time, double none."""
    people = []

    with Sink() as sink:
        for number, point in enumerate(POINTS * ROUNDS):
            if number % len(POINTS) == 0:
                people += owe_welcomes(MAILS // ROUNDS)
            with worker(tmp_path, sink.port, FAULT_POINTS=f"{point}:exit") as killed:
                assert killed.wait(PATIENCE) == -9
            # What the dead worker held comes back when its lease ends; here it ends now.
            OutgoingMail.objects.filter(state=State.OWED).update(leased_until=timezone.now())
        second = tmp_path / "second"
        second.mkdir()
        with worker(tmp_path, sink.port), worker(second, sink.port):
            wait_until(all_sent)

    arrived = sink.message_ids()
    assert {mail.recipients[0] for mail in sink.mails} == {person.email for person in people}
    assert set(arrived) == set(OutgoingMail.objects.values_list("message_id", flat=True))
    assert sorted(arrived.values()) == [1] * (MAILS - ROUNDS) + [2] * ROUNDS


@pytest.mark.fault
@pytest.mark.plan("SEC-F3")
@pytest.mark.django_db(transaction=True)
def test_mail_server_refuses_for_a_while(tmp_path):
    """P2: nothing is lost, nothing doubled, and the outbox shows why it waits."""
    port = free_port()
    people = owe_welcomes(10)

    with worker(tmp_path, port):
        refused = OutgoingMail.objects.filter(last_answer__endswith="connection refused")
        wait_until(lambda: refused.count() == 10)
        assert set(refused.values_list("state", "tries")) == {(State.OWED, 0)}
        with Sink(port) as sink:
            wait_until(all_sent)

    assert sorted(mail.recipients[0] for mail in sink.mails) == sorted(p.email for p in people)


def test_fault_points_exist_in_tests_only(settings, monkeypatch):
    """P17"""
    monkeypatch.setenv("FAULT_POINTS", "here:raise,there:wait=0")

    with pytest.raises(faults.FaultInjected):
        faults.fault("here")
    faults.fault("there")
    faults.fault("elsewhere")
    settings.FAULT_POINTS = False
    faults.fault("here")
