"""Signed in to a mailbox on its server; and what keeps us from it, in words."""

import imaplib
import socket
import ssl
from contextlib import contextmanager, suppress

from django.utils.translation import gettext_lazy as _
from imap_tools import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import (
    ImapToolsError,
    MailboxCopyError,
    MailboxFetchError,
    MailboxFolderSelectError,
    MailboxFolderStatusError,
    MailboxLoginError,
    MailboxMoveError,
    UnexpectedCommandStatusError,
)

from messaging.models import Mailbox

from .headers import decoded
from .oauth import TokenRefused, access_token

TIMEOUT = 30  # seconds, for each answer of the server
# What a server, its network or its provider may do to us, or what was entered for them.
TROUBLE = (OSError, imaplib.IMAP4.error, ImapToolsError, ValueError)
# What to make of it, the first that fits.
MEANT = (
    (MailboxLoginError, _("The server does not let us sign in")),
    ((MailboxFolderSelectError, imaplib.IMAP4.readonly), _("The folder can’t be opened")),
    (MailboxFolderStatusError, _("A folder can’t be found on the server")),
    ((MailboxCopyError, MailboxMoveError), _("Mails can’t be moved to “%(move_to)s”")),
    (MailboxFetchError, _("The server does not give out the mails")),
    (TokenRefused, _("No token for signing in")),
    (ssl.SSLError, _("No secure connection")),
    (socket.gaierror, _("The server’s name is not known")),
    (TimeoutError, _("The server does not answer in time")),
    (ConnectionError, _("No connection to the server")),
    (imaplib.IMAP4.abort, _("The connection broke off")),
    (UnicodeError, _("Letters that can’t be sent or read")),
)


@contextmanager
def opened(mailbox: Mailbox):
    """Signed in, with the folder chosen. Raises TROUBLE."""
    box = _connected(mailbox)
    try:
        _sign_in(mailbox, box)
        yield box
    finally:
        _close(box)


def _close(box):
    """Raises nothing, which would stand in place of what went wrong before."""
    try:
        box.logout()
    except TROUBLE:
        with suppress(OSError):
            box.client.shutdown()


def _sign_in(mailbox, box):
    if mailbox.sign_in == Mailbox.SignIn.PASSWORD:
        is_ascii = f"{mailbox.username}{mailbox.secret}".isascii()
        sign_in, proof = box.login if is_ascii else box.login_utf8, mailbox.secret
    else:
        sign_in, proof = box.xoauth2, access_token(mailbox)
    sign_in(mailbox.username, proof, initial_folder=mailbox.folder)


def _connected(mailbox) -> BaseMailBox:
    where = {"host": mailbox.host, "port": mailbox.port, "timeout": TIMEOUT}
    if mailbox.security == Mailbox.Security.NONE:
        return MailBoxUnencrypted(**where)
    kind = MailBox if mailbox.security == Mailbox.Security.TLS else MailBoxStartTls
    return kind(**where, ssl_context=ssl.create_default_context())


def problem_in(trouble: Exception, mailbox: Mailbox) -> str:
    """In plain words, and without secrets, whatever the server repeats."""
    meant = next((meant for kind, meant in MEANT if isinstance(trouble, kind)), None)
    said = " ".join(_said(trouble).split())
    words = ": ".join(filter(None, [meant and meant % {"move_to": mailbox.move_to}, said]))
    for secret in (mailbox.secret, mailbox.client_secret):
        words = words.replace(secret, "…") if secret else words
    return words[:300]


def _said(trouble) -> str:
    """By the server, or by whatever keeps us from it."""
    if isinstance(trouble, UnexpectedCommandStatusError):
        _status, lines = trouble.command_result
        return " ".join(decoded(line, None) for line in lines if isinstance(line, bytes))
    if isinstance(trouble, OSError):
        return trouble.strerror or str(trouble)
    if isinstance(trouble, ValueError):  # of Unicode the arguments hold all that was to be sent
        return str(trouble)
    lines = [decoded(each, None) if isinstance(each, bytes) else str(each) for each in trouble.args]
    return " ".join(lines)
