"""Where people are signed in, and how a session is ended by somebody else than its browser.

Its sockets follow within seconds: the live layer watches the sessions of the ones it holds.
"""

from dataclasses import dataclass

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone

from .devices import device_in_words, icon_of
from .models import LoginRecord, User

SHOWN = 50


@dataclass(frozen=True)
class Place:
    """A browser somebody is signed in with."""

    session: UserSession
    is_here: bool

    @property
    def device(self):
        return device_in_words(self.session.user_agent)

    @property
    def icon(self):
        return icon_of(self.session.user_agent)


def places_of(request) -> list[Place]:
    """Where the person of ``request`` is signed in: this browser, then the newest."""
    alive = Session.objects.filter(expire_date__gt=timezone.now()).values("session_key")
    mine = UserSession.objects.filter(user=request.user, session_key__in=alive)
    here = request.session.session_key
    places = [Place(each, each.session_key == here) for each in mine.order_by("-pk")[:SHOWN]]
    return sorted(places, key=lambda place: not place.is_here)


def elsewhere(request):
    """The sessions of this person in other browsers."""
    here = request.session.session_key
    return UserSession.objects.filter(user=request.user).exclude(session_key=here)


def sessions_of(user: User):
    return UserSession.objects.filter(user=user)


@transaction.atomic
def end(sessions) -> None:
    """Whoever holds one of ``sessions`` is signed out at their next request."""
    for session in sessions:
        session.end()
        LoginRecord.objects.create(
            user_id=session.user_id,
            kind=LoginRecord.Kind.REVOKED,
            ip=session.ip,
            device=device_in_words(session.user_agent),
        )


def forget(session_key: str) -> None:
    """This session ended by itself, so it is listed no more."""
    UserSession.objects.filter(session_key=session_key).delete()
