"""Pushes and SMS: what is owed of them, and how it is sent."""


def fan_out(notifications, wishes, now) -> None:
    """Owe what of ``notifications`` lights up a telephone. Inside the transaction that found them;
    ``wishes`` are the ``preferences.Wishes`` of their people."""
