"""Mailboxes and the ledger, as they are used in the administrator console."""

from django.urls import reverse

SECRET = "three small words"
MAILBOX = {
    "name": "Care", "host": "127.0.0.1", "port": 9, "security": "none", "username": "care",
    "sign_in": "password", "new_secret": SECRET, "client_id": "", "new_client_secret": "",
    "tenant": "", "folder": "INBOX", "move_to": "", "category": "", "is_active": "on",
}  # fmt: skip


def page(name, *args):
    return reverse(f"admin:messaging_{name}", args=args)


def save(client, mailbox, **changes):
    return client.post(page("mailbox_change", mailbox.pk), MAILBOX | {"new_secret": ""} | changes)


def choose(client, verb, *mails, answered="yes"):
    """In the ledger. Without ``answered`` the first click only, which may ask."""
    chosen = {"action": verb, "_selected_action": [mail.pk for mail in mails]}
    if answered:
        chosen["answered"] = answered
    return client.post(page("inboundmail_changelist"), chosen)
