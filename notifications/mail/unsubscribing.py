"""The link in a mail that stops mails like it, without signing in.

It names one person and one of their choices. Who holds it can do that one thing, which the person
can take back on their own page.
"""

from django.core.signing import BadSignature, Signer
from django.urls import reverse

from accounts.models import User

from ..models import Channel, Preference
from ..preferences import Choice, choices_for

_signer = Signer(salt="notifications.mail.unsubscribing")


def path_to_stop(person: User, kind: str) -> str:
    """Empty for what is always sent."""
    for choice in choices_for(person.role):
        if kind in choice.kinds:
            signed = _signer.sign_object([person.pk, choice.name])
            return reverse("notifications:stop", args=[signed])
    return ""


def named_in(signed: str) -> tuple[User, Choice] | None:
    """Whose mails a link of ours stops, and which. None for any other, for who is gone, and for a
    choice that is theirs no more."""
    try:
        pk, name = _signer.unsign_object(signed)
    except BadSignature:
        return None
    person = User.objects.filter(pk=pk, deleted_at=None).first()
    offered = choices_for(person.role) if person else []
    choice = next((each for each in offered if each.name == name), None)
    return (person, choice) if choice else None


def stop(person: User, choice: Choice) -> None:
    """No mail about it any more; what they chose besides, and for other channels, stays."""
    Preference.objects.bulk_create(
        [
            Preference(user=person, kind=kind, channel=Channel.EMAIL, is_wanted=False)
            for kind in choice.kinds
        ],
        update_conflicts=True,
        unique_fields=["user", "kind", "channel"],
        update_fields=["is_wanted"],
    )
