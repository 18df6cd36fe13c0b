"""The record of what was done to accounts (SEC-H6)."""

from .models import AccountEvent, User


def note(
    user: User, kind: AccountEvent.Kind, *, by: User | None, reason: str = "", **codes
) -> AccountEvent:
    """Write down that ``by`` (nobody: the clock) did ``kind`` to ``user``.

    ``codes`` are ids, codes and dates, never words a person typed. Call it in the transaction
    that does it.
    """
    return AccountEvent.objects.create(user=user, kind=kind, by=by, reason=reason, data=codes)
