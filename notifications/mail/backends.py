"""Where mail goes: to the SMTP server, or into a folder when there is none."""

import re
import secrets
import select
import smtplib
from pathlib import Path
from time import monotonic

from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend
from django.utils import timezone

from messaging.inbound.oauth import TokenRefused, access_token
from messaging.models import Mailbox

from ..owed import WRITTEN_TO
from .envelopes import one_line

# A server may filter and store before it answers to a mail; who hangs up earlier and tries again
# sends it twice (RFC 5321, 4.5.3.2.6).
LAST_ANSWER_SECONDS = 600
ENDS_WHEN_AWAY = 2  # of connections, each at the first mail
MOST_SECONDS_LOST = 60  # in one go, with mails at which connections ended


class TooSlow(OSError):
    """The server works, but whoever goes on with it has no time for anything else."""


class UsedUp(Exception):
    """The server ended a connection on which it had answered to mails before. Many do after so
    many, so the one that met it may go over the next connection."""


class AnswerIsLate(TooSlow):
    """The server has the whole mail and hasn't said yet whether it takes it."""


class AnswerIsLost(smtplib.SMTPServerDisconnected):
    """The server had the whole mail when the connection was lost, so it may have taken it."""


def answer_in(error: OSError) -> tuple[int, str]:
    """The server's code and words; the code is 0 when it did not answer."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, words = next(iter(error.recipients.values()))
    elif isinstance(error, smtplib.SMTPResponseException):
        code, words = error.smtp_code, error.smtp_error
    else:
        return 0, one_line(error.strerror or str(error)) or type(error).__name__
    words = words.decode(errors="replace") if isinstance(words, bytes) else words
    return code, one_line(f"{code} {words}")


class _KeepsAnswer:
    """smtplib forgets what the server said on accepting a mail; its queue id finds the mail
    in the server's log."""

    answer = ""
    has_mail = False  # the one that is sent now, to its last byte

    def send(self, s):
        super().send(s)
        # Of all that is sent only the mail itself is bytes; after it comes the last answer.
        if isinstance(s, bytes):
            self.has_mail = True
            ready, _, _ = select.select([self.sock], [], [], self.sock.gettimeout())
            if not ready:
                raise AnswerIsLate

    def data(self, msg):
        self.has_mail = False
        try:
            code, words = super().data(msg)
        except smtplib.SMTPServerDisconnected as lost:
            if self.has_mail:
                raise AnswerIsLost(*lost.args) from lost
            raise
        self.answer = f"{code} {words.decode(errors='replace')}"
        return code, words

    def late_answer(self) -> str:
        """What the server says in the end to the mail it has."""
        self.sock.settimeout(LAST_ANSWER_SECONDS)
        code, words = self.getreply()
        if code != 250:
            raise smtplib.SMTPDataError(code, words)
        return f"{code} {words.decode(errors='replace')}"


class _SignsInByToken:
    """Microsoft and Google take an access token in place of a password."""

    def login(self, user, password, **kwargs):
        if not settings.EMAIL_OAUTH_MAILBOX:
            return super().login(user, password, **kwargs)
        self.ehlo_or_helo_if_needed()
        words = f"user={user}\x01auth=Bearer {password}\x01\x01"
        # A challenge says why not; an empty answer gets the refusal itself.
        return self.auth("XOAUTH2", lambda challenge=None: "" if challenge else words)


class _SMTP(_KeepsAnswer, _SignsInByToken, smtplib.SMTP):
    pass


class _SMTPOverSSL(_KeepsAnswer, _SignsInByToken, smtplib.SMTP_SSL):
    pass


class SmtpBackend(EmailBackend):
    """Django's own, which also remembers the server's last ``answer``, and may sign in as one of
    our mailboxes does."""

    def open(self):
        if settings.EMAIL_OAUTH_MAILBOX and not self.connection:
            mailbox = Mailbox.objects.filter(name=settings.EMAIL_OAUTH_MAILBOX).first()
            if mailbox is None:
                name = settings.EMAIL_OAUTH_MAILBOX
                raise TokenRefused(f"There is no mailbox called {name}, see EMAIL_OAUTH_MAILBOX.")
            self.username, self.password = mailbox.username, access_token(mailbox)
        try:
            return super().open()
        except UnicodeError:  # quotes the password, so the log must not have it
            words = "There is a character that can’t be sent in the user, password or server’s name"
            raise smtplib.SMTPException(f"{words}, see EMAIL_URL.") from None

    @property
    def connection_class(self):
        return _SMTPOverSSL if self.use_ssl else _SMTP

    @property
    def answer(self):
        return self.connection.answer

    def give_away(self):
        """The conversation, for somebody else to end; the next mail opens another."""
        conversation, self.connection = self.connection, None
        return conversation


class KeptConnection:
    """One for many mails, made again when the server ends it.

    Many servers do so after so many mails, and some at a mail that they can't stand. Away is only
    one with which no connection can be made, or that ends two on end at the first mail of each.
    """

    def __init__(self):
        self.connection = get_connection()
        self.is_open = self.has_answered = False  # to a mail
        self.ends = []  # on end, without an answer to any mail
        self.seconds_lost = 0

    def open(self) -> None:
        """Raises OSError when the server is away, and TooSlow."""
        if len(self.ends) >= ENDS_WHEN_AWAY:
            raise self.ends[-1]
        if self.seconds_lost >= MOST_SECONDS_LOST:
            raise TooSlow
        self.connection.open()
        self.is_open = True

    def close(self) -> None:
        self.connection.close()
        self.is_open = self.has_answered = False

    def send_messages(self, messages) -> None:
        """Raises OSError for a mail that is not taken, and UsedUp when that is not its fault."""
        began = monotonic()
        try:
            self.connection.send_messages(messages)
        except AnswerIsLate:
            raise
        except OSError as trouble:
            if answer_in(trouble)[0] not in (0, 421):
                self._note_answer()
                raise
            self.seconds_lost += monotonic() - began
            had_answered = self.has_answered
            self.close()
            if not had_answered:
                self.ends.append(trouble)
            elif not isinstance(trouble, AnswerIsLost):
                raise UsedUp from trouble
            raise
        self._note_answer()

    def _note_answer(self) -> None:
        self.has_answered, self.ends = True, []

    @property
    def answer(self) -> str:
        """To the last mail; some backends know none."""
        return getattr(self.connection, "answer", "")

    def give_away(self):
        return self.connection.give_away()


class FolderBackend(BaseEmailBackend):
    """Every mail becomes two files in ``settings.MAIL_DIR``: a text that a person can read at a
    glance, and the mail itself, which mail programs open with all that is in it."""

    answer = ""

    def send_messages(self, messages):
        for message in messages:
            self.write(message)
        # Not the file's name: the subject in it may hold a code.
        self.answer = f"{WRITTEN_TO} {settings.MAIL_DIR}"
        return len(messages)

    def write(self, message) -> None:
        folder = Path(settings.MAIL_DIR)
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        name = self.name_of(message)
        self.write_file(folder / f"{name}.eml", message.message().as_bytes())
        self.write_file(folder / f"{name}.txt", self.as_text(message).encode(errors="replace"))

    @staticmethod
    def write_file(path, content: bytes) -> None:
        part = path.with_name(f".{path.stem[-8:]}.part")
        part.write_bytes(content)
        part.chmod(0o640)
        part.replace(path)  # appears complete or not at all

    @staticmethod
    def name_of(message) -> str:
        """When, for whom and what about; the end of the name keeps two mails apart."""
        now = timezone.localtime().strftime("%Y-%m-%dT%H-%M-%S")
        words = re.sub(r"[^\w@.+ -]+", " ", f"{' '.join(message.to)} {message.subject}")
        words = " ".join(words.split()).encode()[:160].decode(errors="ignore").strip()
        return f"{now} {words} {secrets.token_hex(4)}"

    @staticmethod
    def as_text(message) -> str:
        headers = {
            "From": message.from_email,
            "To": ", ".join(message.to),
            "Subject": message.subject,
            "Date": timezone.localtime().strftime("%a, %d %b %Y %H:%M:%S %z"),
            **({"Reply-To": ", ".join(message.reply_to)} if message.reply_to else {}),
            **message.extra_headers,
        }
        lines = [f"{name}: {value}" for name, value in headers.items()]
        return "\n".join([*lines, "", message.body])
