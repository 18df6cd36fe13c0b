"""What the pages offer of push and SMS."""

from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.models import User

from . import browsers, numbers, push, sms


def offered(request) -> dict:
    """What templates/notifications/_push.html and _sms.html need."""
    return _push(request) | _sms(request.user)


def _push(request) -> dict:
    if not push.is_on():
        return {}
    here = request.session.session_key
    theirs = list(browsers.alive(timezone.now()).filter(user=request.user))
    for browser in theirs:
        browser.is_here = browser.session_key == here
    return {
        "push_key": push.public_key(),
        "push_person": name_for(request.user),
        "browsers": theirs,
        "is_pushed_here": any(browser.is_here for browser in theirs),
    }


def _sms(user) -> dict:
    if not sms.is_on():
        return {}
    return {"offers_sms": True, "sms_number": numbers.number_of(user)}


def name_for(user: User) -> str:
    """What a browser remembers of who allowed pushes in it: it tells nothing to the next one."""
    return _nameless("person", user.pk)


def name_of_session(session_key: str) -> str:
    return _nameless("session", session_key)


def _nameless(kind, key) -> str:
    return salted_hmac(f"notifications.{kind}", str(key), algorithm="sha256").hexdigest()[:32]
