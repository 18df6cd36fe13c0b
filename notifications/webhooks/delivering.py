"""Deliveries: signed, sent, marked; tried again ever more seldom, until they are given up.

Between "the receiver took it" and "marked as sent" lies the one moment in which a crash sends a
delivery twice, with the same event id.
"""

import hashlib
import hmac
import json
import logging
import secrets
from datetime import timedelta
from http.client import responses
from time import monotonic

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.faults import fault
from accounts.models import User
from accounts.sealing import seal, unseal
from tickets.models import Audience

from ..models import Notification
from ..owed import FIRST_DELAY, UNLEASED, retry_delay
from ..owing import owe
from . import client
from .models import Webhook, WebhookDelivery

State = WebhookDelivery.State
logger = logging.getLogger(__name__)

TURN_SECONDS = 10  # after which another webhook, and the worker's other jobs, have their turn
LONGEST_REST = timedelta(minutes=15)
PURPOSE = "notifications.webhooks"


# --- Secrets --------------------------------------------------------------------


def new_secret(webhook: Webhook) -> str:
    """Give ``webhook`` another secret, which people can't read back later. The caller saves it."""
    secret = f"whsec_{secrets.token_urlsafe(32)}"
    webhook.secret = seal(secret, PURPOSE)
    return secret


def secret_of(webhook: Webhook) -> str:
    """Raises InvalidToken if it was made with a SECRET_KEY that is gone."""
    return unseal(webhook.secret, PURPOSE)


def signature(secret: str, body: bytes) -> str:
    moment = str(int(timezone.now().timestamp()))
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256)
    return f"t={moment},v1={digest.hexdigest()}"


# --- Sending --------------------------------------------------------------------


def take_turn() -> bool:
    """Deliver for a while what is due to the webhook that waits longest. False if none does."""
    for webhook in Webhook.objects.due(timezone.now()).claim(1):
        waited_until = webhook.rests_until
        try:
            _deliver_to(webhook)
        finally:  # and whoever waits longest comes next
            later = max(webhook.rests_until, timezone.now())
            # Unless it was to be called at once meanwhile, as with a test: then it does not rest.
            webhook.held().filter(rests_until=waited_until).update(rests_until=later)
            webhook.held().update(**UNLEASED)
        return True
    return False


def _deliver_to(webhook) -> None:
    until = monotonic() + TURN_SECONDS
    while monotonic() < until:
        due = webhook.deliveries.due(timezone.now()).filter(webhook__is_active=True)
        delivery = due.select_related("line__ticket").first()
        if delivery is None or not deliver(delivery, webhook):
            return


def deliver(delivery: WebhookDelivery, webhook: Webhook) -> bool:
    """Send one delivery and write down what became of it. False when nobody answered."""
    try:
        status = _post(delivery, webhook)
    except (client.AddressRefused, client.NoAnswer) as trouble:
        return _nobody_answered(delivery, webhook, str(trouble))
    except Exception:  # one that can't be sent must not hold up the others
        logger.exception("Delivery %s can't be sent.", delivery.pk)
        answer = _("It could not be sent. The worker’s log says why.")
        _settle_failure(delivery, webhook, answer)
        return True
    fault("after_webhook_answer")
    answer = f"{status} {responses.get(status, '')}".strip()  # the words are ours
    if 200 <= status < 300:
        _owed(delivery).update(state=State.SENT, sent_at=timezone.now(), last_answer=answer)
        if webhook.failing_since:
            _note(webhook, failing_since=None)
    else:
        _settle_failure(delivery, webhook, answer)
    return True


def _post(delivery, webhook) -> int:
    body = json.dumps(_told(delivery, webhook), separators=(",", ":")).encode()
    try:
        secret = secret_of(webhook)
    except InvalidToken as trouble:
        words = _("The secret was made with a SECRET_KEY that is gone. Make a new secret.")
        raise client.NoAnswer(words) from trouble
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Customer-Care-Registry",
        "X-Registry-Event": delivery.event,
        "X-Registry-Delivery": str(delivery.event_id),
        "X-Registry-Signature": signature(secret, body),
    }
    named = settings.WEBHOOK_INTERNAL_HOSTS
    return client.post(webhook.url, body, headers, internal_hosts=named)


def _told(delivery, webhook) -> dict:
    told = {"id": str(delivery.event_id), "event": delivery.event, **delivery.payload}
    if webhook.with_words and delivery.line and _may_be_quoted(delivery.line):
        told["words"] = {"subject": delivery.line.ticket.subject, "text": delivery.line.text}
    return told


def _may_be_quoted(line) -> bool:
    return line.audience == Audience.EVERYONE and line.ticket.deleted_at is None


# --- What came of it ------------------------------------------------------------


def _owed(delivery):
    return WebhookDelivery.objects.filter(pk=delivery.pk, state=State.OWED)


def _note(webhook, **changes):
    Webhook.objects.filter(pk=webhook.pk).update(**changes)
    for field, value in changes.items():
        setattr(webhook, field, value)


def _settle_failure(delivery, webhook, answer) -> None:
    now = timezone.now()
    if webhook.failing_since is None:
        _note(webhook, failing_since=now)
    tries = delivery.tries + 1
    if tries < settings.OUTBOX_MAX_TRIES and not delivery.is_too_old:
        later = now + retry_delay(tries)
        _owed(delivery).update(tries=tries, next_try_at=later, last_answer=answer)
        return
    _owed(delivery).update(state=State.FAILED, tries=tries, last_answer=answer)
    logger.error("Delivery %s of webhook %s was given up: %s", delivery.pk, webhook.pk, answer)
    if now - webhook.failing_since >= settings.WEBHOOK_OFF_AFTER:
        switch_off(webhook, because=delivery)


def _nobody_answered(delivery, webhook, trouble) -> bool:
    """The webhook rests as long again as it has been failing, at most a quarter of an hour: a
    receiver that is away must not take the worker's time with each thing that happens."""
    _settle_failure(delivery, webhook, trouble)
    now = timezone.now()
    failing = max(now - webhook.failing_since, FIRST_DELAY)
    webhook.rests_until = now + min(failing, LONGEST_REST)  # written when its turn ends
    return False


@transaction.atomic
def switch_off(webhook: Webhook, *, because: WebhookDelivery | None = None) -> None:
    """Nothing is sent to ``webhook`` any more, nor owed to it. Administrators hear of it if it was
    ``because`` a delivery was given up."""
    _note(webhook, is_active=False, failing_since=webhook.failing_since if because else None)
    owed = webhook.deliveries.filter(state=State.OWED)
    owed.update(state=State.DROPPED, last_answer=_("The webhook was switched off."))
    if because:
        admins = User.objects.admins()
        owe(Notification.Kind.WEBHOOK_OFF, *admins, cause=f"webhook-off:{because.pk}")


def switch_on(webhook: Webhook) -> None:
    """What happened meanwhile is not told."""
    _note(webhook, is_active=True, failing_since=None, rests_until=timezone.now())


# --- Again ----------------------------------------------------------------------


@transaction.atomic
def replay(deliveries) -> int:
    """Owe the queryset ``deliveries`` anew, with the event ids they had, and return how many. To
    webhooks that are switched off nothing is sent."""
    chosen = deliveries.filter(webhook__is_active=True)
    now = timezone.now()
    # Subqueries: after a long outage there may be more keys than SQLite takes in one statement.
    Webhook.objects.filter(pk__in=chosen.values("webhook")).update(rests_until=now)
    return WebhookDelivery.objects.filter(pk__in=chosen.values("pk")).update(
        state=State.OWED, tries=0, next_try_at=now, created_at=now, sent_at=None
    )
