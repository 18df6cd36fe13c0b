"""Mail sent with the token of a mailbox, as Microsoft and Google want it."""

import base64

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from django.core.mail import EmailMessage, get_connection

from messaging.inbound import oauth
from messaging.inbound.oauth import TokenRefused
from messaging.models import Mailbox

from .smtp import Handler, free_port

GOOD = "user=care@example.net\x01auth=Bearer token-1\x01\x01"


class Provider(Handler):
    """Knows one token, and takes no mail without."""

    async def handle_RCPT(self, server, session, envelope, address, options):
        if not session.authenticated:
            return "530 Sign in first"
        return await super().handle_RCPT(server, session, envelope, address, options)

    async def auth_XOAUTH2(self, server, args):
        if base64.b64decode(args[1]).decode() == GOOD:
            return AuthResult(success=True)
        await server.push("535 5.7.8 No")
        return AuthResult(success=False)


@pytest.fixture
def provider(settings, db, monkeypatch):
    server = Controller(
        Provider(),
        hostname="127.0.0.1",
        port=free_port(),
        auth_require_tls=False,
    )
    server.start()
    settings.EMAIL_BACKEND = "notifications.mail.backends.SmtpBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = server.hostname, server.port
    settings.EMAIL_OAUTH_MAILBOX = "Care"
    monkeypatch.setattr("notifications.mail.backends.access_token", lambda mailbox: mailbox.secret)
    yield server.handler
    server.stop()


def send():
    EmailMessage("Hello", "Hello", to=["alice@example.org"]).send()


def make_mailbox(secret):
    Mailbox.objects.create(
        name="Care", host="h", username="care@example.net", secret=secret, sign_in="google"
    )


def test_the_mailboxs_token_signs_in(provider):
    make_mailbox("token-1")

    send()

    assert [mail["Subject"] for mail in provider.mails] == ["Hello"]


def test_a_wrong_token_sends_nothing(provider):
    make_mailbox("token-2")

    connection = get_connection()

    with pytest.raises(OSError, match="535"):
        connection.open()
    connection.close()

    assert provider.mails == []


def test_without_the_mailbox_nothing_is_sent(provider):
    with pytest.raises(TokenRefused, match="no mailbox called Care, see EMAIL_OAUTH_MAILBOX"):
        send()

    assert provider.mails == []
    assert issubclass(oauth.TokenRefused, OSError)  # the outbox waits as for a server that is away
