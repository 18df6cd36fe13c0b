"""How long a session lasts. Named by ``SESSION_ENGINE``.

A customer's ends 14 days after the sign-in, an agent's or administrator's after 24 hours, or 12
without a request of theirs. The session's row holds the end, so that Django, the sockets and the
list of sessions agree about it.
"""

from datetime import timedelta

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.utils import timezone

from .models import Role

STARTED, SEEN, ROLE = "_started_at", "_seen_at", "_role"
NOTE_EVERY = timedelta(minutes=5)


class SessionStore(DatabaseSessionStore):
    def get_expiry_age(self, **kwargs):
        age = super().get_expiry_age(**kwargs)
        if STARTED not in self:  # nobody is signed in
            return age
        left = ends_at(self) - timezone.now().timestamp()
        return max(0, min(age, int(left)))

    def get_expiry_date(self, **kwargs):
        return timezone.now() + timedelta(seconds=self.get_expiry_age(**kwargs))


def ends_at(session) -> float:
    """When ``session`` is over, in seconds since the epoch, unless its person comes back before."""
    if session[ROLE] == Role.CUSTOMER:
        return session[STARTED] + settings.SESSION_LIFETIME.total_seconds()
    return min(
        session[STARTED] + settings.STAFF_SESSION_LIFETIME.total_seconds(),
        session[SEEN] + settings.STAFF_SESSION_IDLE.total_seconds(),
    )


def begin(session, user) -> None:
    """``user`` has just signed in."""
    session[STARTED] = session[SEEN] = timezone.now().timestamp()
    session[ROLE] = user.role


def touch(session, user) -> None:
    """``user`` is there: the clock of the idle starts anew. Written now and then only."""
    if STARTED not in session:
        begin(session, user)
    now = timezone.now().timestamp()
    is_due = user.role != Role.CUSTOMER and now - session[SEEN] > NOTE_EVERY.total_seconds()
    if is_due or session[ROLE] != user.role:
        session[ROLE], session[SEEN] = user.role, now
