"""Access tokens of Microsoft and Google, which no longer take passwords from programs."""

import json
import time
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

from django.db import transaction

from messaging.models import Mailbox

TOKEN_URLS = {
    Mailbox.SignIn.MICROSOFT: "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
    Mailbox.SignIn.GOOGLE: "https://oauth2.googleapis.com/token",
}
TIMEOUT = 10
EARLY = 60  # seconds before its end a token is not used any more

# Of this process: of each mailbox its refresh token, the access token, and until when that serves.
_tokens: dict[int, tuple[str, str, float]] = {}


class TokenRefused(OSError):
    """The provider gave no token, so its server can’t be talked to. The text is what it said."""


def access_token(mailbox: Mailbox) -> str:
    """Raises TokenRefused, or OSError when the provider can't be reached."""
    secret, token, until = _tokens.get(mailbox.pk, ("", "", 0))
    if secret == mailbox.secret and until > time.monotonic():
        return token
    answer = _ask(mailbox)
    token = answer["access_token"]
    renewed = answer.get("refresh_token", mailbox.secret)
    if renewed != mailbox.secret:  # Microsoft gives another one each time
        _keep(mailbox, renewed)
    until = time.monotonic() + answer["expires_in"] - EARLY
    _tokens[mailbox.pk] = (mailbox.secret, token, until)
    return token


@transaction.atomic
def _keep(mailbox, renewed):
    """Unless an administrator entered another one meanwhile. As what is kept is encrypted, no query
    can tell."""
    kept = Mailbox.objects.select_for_update().get(pk=mailbox.pk)
    if kept.secret == mailbox.secret:
        kept.secret = renewed
        kept.save(update_fields=["secret"])
    mailbox.secret = renewed


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
        answer["expires_in"] = int(answer.get("expires_in") or 0)
    except HTTPError as refusal:
        raise TokenRefused(f"The provider says {refusal.code} {_error_in(refusal)}") from refusal
    except (HTTPException, ValueError, TypeError, AttributeError) as error:
        raise TokenRefused("The provider’s answer can’t be read.") from error
    if not answer.get("access_token"):
        raise TokenRefused("The provider gave no token.")
    return answer


def _error_in(refusal) -> str:
    try:
        return str(json.load(refusal).get("error", ""))[:100]
    except (ValueError, AttributeError):
        return ""
