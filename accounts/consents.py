"""Who agreed to which version of what. Asked at sign-up, and again when a version changes."""

from django.conf import settings
from django.utils import timezone

from .models import Consent, User

SESSION_KEY = "agreed"


def versions() -> dict[str, str]:
    """The documents in force."""
    return {
        Consent.Document.TERMS.value: settings.TERMS_VERSION,
        Consent.Document.PRIVACY.value: settings.PRIVACY_VERSION,
    }


def agree(user: User, agreed: dict[str, str], *, at=None) -> None:
    """Write down that ``user`` agreed to these versions. To agree once more changes nothing."""
    at = at or timezone.now()
    Consent.objects.bulk_create(
        [
            Consent(user=user, document=document, version=version, at=at)
            for document, version in agreed.items()
        ],
        ignore_conflicts=True,
    )


def missing(user: User) -> list[Consent.Document]:
    """The documents in force that ``user`` has not agreed to."""
    known = set(user.consents.values_list("document", "version"))
    return [
        Consent.Document(document)
        for document, version in versions().items()
        if (document, version) not in known
    ]


def is_owed(request) -> bool:
    """Whether the person has to agree to something before anything else. What they agreed to
    stands in the session, so that rows are read once in a session and after a change."""
    if request.session.get(SESSION_KEY) == versions():
        return False
    if missing(request.user):
        return True
    remember(request.session)
    return False


def remember(session) -> None:
    session[SESSION_KEY] = versions()
