"""Until when nobody else touches what somebody works on."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts import exports
from accounts.leases import unleased
from accounts.tests.factories import make_user
from messaging.inbound import imap, ledger
from messaging.models import InboundMail, Mailbox
from notifications.models import OutgoingMail
from notifications.owed import LEASE, LONGEST_LEASE

pytestmark = pytest.mark.django_db

LEASES = [(None, True), (-1, True), (1, False), (9, False), (11, True), (60 * 24, True)]


@pytest.mark.plan("SEC-F8")
@pytest.mark.parametrize(("minutes", "is_free"), LEASES)
def test_no_lease_lasts_longer_than_any_may(minutes, is_free):
    now = timezone.now()
    until = minutes and now + timedelta(minutes=minutes)
    Mailbox.objects.create(name="Care", leased_until=until)

    assert Mailbox.objects.filter(unleased(now, timedelta(minutes=10))).exists() == is_free


@pytest.mark.plan("SEC-F8")
@pytest.mark.parametrize(
    ("lease", "is_free"), [(LEASE, False), (LONGEST_LEASE / 2, False), (2 * LONGEST_LEASE, True)]
)
def test_a_mail_that_a_wrong_clock_leased_is_sent(lease, is_free):
    now = timezone.now()
    mail = OutgoingMail.objects.create(email="a@example.org", leased_until=now + lease)

    assert OutgoingMail.objects.unleased(now).exists() == is_free
    assert mail.is_being_sent is not is_free


def ask_for_an_archive():
    alice = make_user("Alice")
    exports.ask_for(alice, by=alice)


def claim_archive() -> bool:
    return exports.claim() is not None


def fetch_mail() -> bool:
    return imap.fetch(Mailbox.objects.get(), None) is not None


def process_mail() -> bool:
    return ledger.process(InboundMail.objects.get(), None)


@pytest.mark.plan("SEC-F8")
@pytest.mark.parametrize(
    ("lease", "begin", "take"),
    [
        (imap.LEASE, lambda: Mailbox.objects.create(name="Care"), fetch_mail),
        (ledger.LEASE, lambda: InboundMail.objects.create(size=1, sha256="a"), process_mail),
        (exports.LEASE, ask_for_an_archive, claim_archive),
    ],
)
def test_whose_clock_is_behind_takes_nothing_from_who_works(lease, begin, take):
    """P5: of two hosts, or of two processes that looked at the clock in another order than they
    wrote."""
    begin()
    now = timezone.now()
    for model in (Mailbox, InboundMail, exports.DataExport):
        model.objects.update(leased_until=now + lease)

    with time_machine.travel(now - timedelta(seconds=1)):
        assert not take()
