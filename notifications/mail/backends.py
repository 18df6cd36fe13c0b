"""Where mail goes: to the SMTP server, or into a folder when there is none."""

import re
import secrets
import smtplib
from pathlib import Path

from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend
from django.utils import timezone

from messaging.inbound.oauth import TokenRefused, access_token
from messaging.models import Mailbox


class _KeepsAnswer:
    """smtplib forgets what the server said on accepting a mail; its queue id finds the mail
    in the server's log."""

    answer = ""

    def data(self, msg):
        code, words = super().data(msg)
        self.answer = f"{code} {words.decode(errors='replace')}"
        return code, words


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
                raise TokenRefused("There is no mailbox called EMAIL_OAUTH_MAILBOX.")
            self.username, self.password = mailbox.username, access_token(mailbox)
        return super().open()

    @property
    def connection_class(self):
        return _SMTPOverSSL if self.use_ssl else _SMTP

    @property
    def answer(self):
        return self.connection.answer


class FolderBackend(BaseEmailBackend):
    """Every mail becomes a text file in ``settings.MAIL_DIR`` that a person can open and read."""

    answer = ""

    def send_messages(self, messages):
        for message in messages:
            self.write(message)
        # Not the file's name: the subject in it may hold a code.
        self.answer = f"Written to {settings.MAIL_DIR}"
        return len(messages)

    def write(self, message) -> None:
        folder = Path(settings.MAIL_DIR)
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        path = folder / self.file_name(message)
        part = path.with_name(f".{path.stem[-8:]}.part")
        part.write_text(self.as_text(message), encoding="utf-8", errors="replace")
        part.chmod(0o640)
        part.replace(path)  # appears complete or not at all

    @staticmethod
    def file_name(message) -> str:
        """When, for whom and what about; the end of the name keeps two mails apart."""
        now = timezone.localtime().strftime("%Y-%m-%dT%H-%M-%S")
        words = re.sub(r"[^\w@.+ -]+", " ", f"{' '.join(message.to)} {message.subject}")
        words = " ".join(words.split()).encode()[:160].decode(errors="ignore").strip()
        return f"{now} {words} {secrets.token_hex(4)}.txt"

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
