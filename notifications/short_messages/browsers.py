"""The browsers that show somebody’s notifications, as long as they are signed in there; and again
once they have signed in anew."""

import hashlib
from datetime import timedelta

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts.models import User
from accounts.sessions import SessionStore

from ..models import PushSubscription

KEPT_FOR = timedelta(days=90)  # after the session has ended, without use
MAX_BROWSERS = 10  # of one person; another one takes the place of the oldest


@transaction.atomic
def subscribe(user: User, session_key: str, *, endpoint, p256dh, auth, browser) -> PushSubscription:
    """From now on ``user`` is told here. Whoever was told here before is not any more: the push
    service knows browsers, not people. The arguments have passed ``BrowserForm``."""
    facts = {
        "user": user,
        "session_key": session_key,
        "endpoint": endpoint,
        "p256dh": p256dh,
        "auth": auth,
        "browser": browser,
        "created_at": timezone.now(),
    }
    found, _made = PushSubscription.objects.update_or_create(
        digest=digest_of(endpoint), defaults=facts
    )
    kept = user.push_subscriptions.order_by("-created_at", "-pk").values_list("pk", flat=True)
    user.push_subscriptions.exclude(pk__in=list(kept[:MAX_BROWSERS])).delete()
    return found


def renew(user: User, session_key: str, *, before: str, **facts) -> bool:
    """``user`` has signed in anew, in the browser that had the address ``before``. False if they
    are not told there any more."""
    known = user.push_subscriptions.filter(digest=digest_of(before)).first()
    if known is None:
        return False
    if facts["endpoint"] != before:
        known.delete()
    subscribe(user, session_key, **facts)
    return True


def digest_of(endpoint: str) -> str:
    return hashlib.sha256(endpoint.encode()).hexdigest()


def alive(now):
    """Those whose session may still last. Whether it does, ``is_signed_in`` says."""
    sessions = Session.objects.filter(expire_date__gt=now).values("session_key")
    return PushSubscription.objects.filter(session_key__in=sessions)


def is_signed_in(subscription: PushSubscription) -> bool:
    """Whether its person still is, there: not signed out, shut out or with another password."""
    session = SessionStore(subscription.session_key).load()
    user = subscription.user
    return (
        user.is_active
        and session.get(SESSION_KEY) == str(user.pk)
        and constant_time_compare(session.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash())
    )


def forget_ended() -> None:
    """Whoever comes back sooner is told there again."""
    now = timezone.now()
    long_ago = PushSubscription.objects.filter(created_at__lt=now - KEPT_FOR)
    long_ago.exclude(pk__in=alive(now).values("pk")).delete()
