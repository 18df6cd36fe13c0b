"""Until when nobody else touches what somebody works on."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.leases import unleased
from messaging.models import Mailbox
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
