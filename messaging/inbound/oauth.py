"""Access tokens of Microsoft and Google, which no longer take passwords from programs."""

import json
import time
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

from messaging.models import Mailbox

TOKEN_URLS = {
    Mailbox.SignIn.MICROSOFT: "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
    Mailbox.SignIn.GOOGLE: "https://oauth2.googleapis.com/token",
}
TIMEOUT = 10
EARLY = 60  # seconds before its end a token is not used any more

_tokens: dict[tuple, tuple[str, float]] = {}  # of this process; the refresh token is the key


class TokenRefused(OSError):
    """The provider gave no token, so its server can’t be talked to. The text is what it said."""


def access_token(mailbox: Mailbox) -> str:
    """Raises TokenRefused, or OSError when the provider can't be reached."""
    key = (mailbox.pk, mailbox.secret)
    token, until = _tokens.get(key, ("", 0))
    if until > time.monotonic():
        return token
    answer = _ask(mailbox)
    token = answer["access_token"]
    renewed = answer.get("refresh_token", mailbox.secret)
    if renewed != mailbox.secret:  # Microsoft gives another one each time
        mailbox.secret = renewed
        Mailbox.objects.filter(pk=mailbox.pk).update(secret=renewed)
    until = time.monotonic() + int(answer.get("expires_in", 0)) - EARLY
    _tokens[mailbox.pk, mailbox.secret] = (token, until)
    return token


def _ask(mailbox) -> dict:
    url = TOKEN_URLS[mailbox.sign_in].format(tenant=quote(mailbox.tenant or "common", safe=""))
    told = {
        "grant_type": "refresh_token",
        "refresh_token": mailbox.secret,
        "client_id": mailbox.client_id,
    }
    if mailbox.client_secret:
        told["client_secret"] = mailbox.client_secret
    request = Request(url, urlencode(told).encode())  # noqa: S310 -- one of the two above
    try:
        with urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310
            answer = json.load(response)
    except HTTPError as refusal:
        raise TokenRefused(f"The provider says {refusal.code} {_error_in(refusal)}") from refusal
    except ValueError as error:
        raise TokenRefused("The provider’s answer can’t be read.") from error
    if "access_token" not in answer:
        raise TokenRefused("The provider gave no token.")
    return answer


def _error_in(refusal) -> str:
    try:
        return str(json.load(refusal).get("error", ""))[:100]
    except (ValueError, AttributeError):
        return ""
