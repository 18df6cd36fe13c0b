"""The link in a mail that stops mails like it, without signing in.

It names one person and those of their choices that the mail is about. Who holds it can do that one
thing, and take it back: people without an account have no page of their own for that.
"""

from django.core.signing import BadSignature, Signer
from django.urls import reverse

from accounts.models import Standing, User

from ..models import Channel, Notification, Preference
from ..preferences import Choice, choices_for, kept_of, rows_of

Kind = Notification.Kind

_signer = Signer(salt="notifications.mail.unsubscribing")


def path_to_stop(person: User, *kinds: str) -> str:
    """Empty if one of ``kinds`` is always sent."""
    choices = [choice for choice in choices_for(person.role) if choice.kinds & set(kinds)]
    if not _kinds_of(choices).issuperset(kinds):
        return ""
    signed = _signer.sign_object([person.pk, *(choice.name for choice in choices)])
    return reverse("notifications:stop", args=[signed])


def _kinds_of(choices) -> set[str]:
    return {kind for choice in choices for kind in choice.kinds}


def named_in(signed: str) -> tuple[User, list[Choice]] | None:
    """Whose mails a link of ours stops, and which. None for any other, for who is gone, and where
    none of the choices is theirs any more."""
    try:
        pk, *names = _signer.unsign_object(signed)
    except BadSignature:
        return None
    person = User.objects.filter(pk=pk, deleted_at=None).first()
    offered = choices_for(person.role) if person else []
    choices = [choice for choice in offered if choice.name in names]
    return (person, choices) if choices else None


def is_stopped(person: User, choices: list[Choice]) -> bool:
    """Whether no mail about them comes at all."""
    rows = rows_of(person)
    kept = [kept_of(kind, Channel.EMAIL, person.role, rows) for kind in _kinds_of(choices)]
    return all(each and not each.is_wanted for each in kept)


def are_all_they_read(person: User, choices: list[Choice]) -> bool:
    """Whether answers reach ``person`` by mails about them or not at all: there is no account."""
    return person.standing == Standing.UNCLAIMED and Kind.MESSAGE in _kinds_of(choices)


def want(person: User, choices: list[Choice], *, is_wanted: bool) -> None:
    """Mails about them, or none; what they chose besides, and for other channels, stays."""
    Preference.objects.bulk_create(
        [
            Preference(user=person, kind=kind, channel=Channel.EMAIL, is_wanted=is_wanted)
            for kind in _kinds_of(choices)
        ],
        update_conflicts=True,
        unique_fields=["user", "kind", "channel"],
        update_fields=["is_wanted"],
    )
