"""What an upgrade from 0.1.0 does with what it finds."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from messaging.actions import post_message
from notifications.mail import outbox
from notifications.models import Notification, OutgoingMail

AS_IN_0_1_0 = [("notifications", "0005_webhooks")]  # as far as notifications go


@pytest.fixture
def migrate():
    """Bring tables to where they were, or to where they should be, as they are in the end."""

    def migrate_to(targets=None):
        executor = MigrationExecutor(connection)
        executor.migrate(targets or executor.loader.graph.leaf_nodes())

    yield migrate_to
    migrate_to()


@pytest.mark.django_db(transaction=True)
def test_what_is_owed_while_tables_are_migrated_goes_out(migrate, sink, quiet_ticket, alice, bob):
    """P2: and the bell does not ring for what was mailed before there was one."""
    before = timezone.now() - timedelta(minutes=5)
    sent = OutgoingMail.objects.create(
        recipient=alice, email=alice.email, state=OutgoingMail.State.SENT, sent_at=before
    )
    Notification.objects.create(kind="welcome", cause="user:0", recipient=alice, mail=sent)
    post_message(quiet_ticket, by=bob, body="It was the fuse.")
    Notification.objects.update(created_at=before)
    migrate(AS_IN_0_1_0)

    migrate()
    outbox.drain()

    assert [mail.recipients for mail in sink.mails] == [[alice.email]]
    told = Notification.objects.order_by("pk").values_list("kind", "read_at", "mail__state")
    assert list(told) == [("welcome", before, "sent"), ("message", None, "sent")]
