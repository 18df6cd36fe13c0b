"""Where SMS go: to a gateway, or into a folder. Another way is another ``Provider``."""

import base64
import json
import secrets
from dataclasses import dataclass, field
from http.client import responses
from pathlib import Path
from urllib.parse import quote, unquote, urlencode, urlsplit

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from ..owed import WRITTEN_TO
from ..webhooks import client
from .answers import NoAnswer, Refused

MAX_ANSWER = 64 * 1024
# Our account, its limits, or the gateway itself: it may work later. All else of 400 is final.
TRY_AGAIN = {401, 403, 408, 429}
# What the gateway's commonest numbers mean; it sends words as well, which name the number.
REASONS = {
    21211: "no valid number",
    21408: "not allowed to send there",
    21610: "the number asked for no more SMS",
    21614: "no mobile number",
}


class BadAddress(ValueError):
    """SMS_URL can't be read. The text says why, without the secret in it."""


class Provider:
    """Takes one SMS at a time."""

    where = ""  # for people

    def send(self, number: str, text: str) -> str:
        """Hand over one SMS to ``number`` (like +441134960000), and return what was answered.

        Raises Refused and NoAnswer.
        """
        raise NotImplementedError


class Folder(Provider):
    """Every SMS becomes a text file in ``settings.SMS_DIR`` that a person can open and read."""

    @property
    def where(self):
        return str(settings.SMS_DIR)

    def send(self, number, text):
        folder = Path(settings.SMS_DIR)
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        now = timezone.localtime()
        path = folder / f"{now:%Y-%m-%dT%H-%M-%S} {number} {secrets.token_hex(4)}.txt"
        part = path.with_name(f".{path.stem[-8:]}.part")
        part.write_text(f"To: {number}\nDate: {now:%a, %d %b %Y %H:%M:%S %z}\n\n{text}\n", "utf-8")
        part.chmod(0o640)
        part.replace(path)  # appears complete or not at all
        return f"{WRITTEN_TO} {folder}"


@dataclass(frozen=True)
class Gateway(Provider):
    """Whoever speaks as Twilio's "Messages" do."""

    base: str  # like https://api.example.com
    account: str
    secret: str = field(repr=False)
    sender: str

    @property
    def where(self):
        return self.base

    def send(self, number, text):
        url = f"{self.base}/2010-04-01/Accounts/{quote(self.account, safe='')}/Messages.json"
        proof = base64.b64encode(f"{self.account}:{self.secret}".encode()).decode()
        headers = {
            "Authorization": f"Basic {proof}",
            "Content-Type": "application/x-www-form-urlencoded",
            "User-Agent": "Customer-Care-Registry",
        }
        body = urlencode({"To": number, "From": self.sender, "Body": text}).encode()
        try:
            target = client.target_of(url, internal_hosts=[urlsplit(self.base).hostname])
            status, answer = client.call(target, body, headers, read=MAX_ANSWER)
        except (client.AddressRefused, client.NoAnswer) as trouble:
            raise NoAnswer(str(trouble)) from trouble
        return _judge(status, _facts_in(answer))


def _judge(status: int, facts: dict) -> str:
    words = f"{status} {responses.get(status, '')}".strip()
    if 200 <= status < 300:
        return f"{words} {str(facts.get('sid', ''))[:40]}".strip()
    code = facts.get("code")
    if isinstance(code, int):
        words += f": {code} {REASONS.get(code, '')}".rstrip()
    raise Refused(words, is_final=400 <= status < 500 and status not in TRY_AGAIN)


def _facts_in(answer: bytes) -> dict:
    try:
        facts = json.loads(answer)
    except ValueError:
        return {}
    return facts if isinstance(facts, dict) else {}


def is_on() -> bool:
    """Whether people can be offered SMS."""
    try:
        return provider() is not None
    except BadAddress:
        return False


def provider() -> Provider | None:
    """Whom the operator chose. Raises BadAddress."""
    if not settings.SMS_URL:
        return None
    try:
        parts = urlsplit(settings.SMS_URL)
        where = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname
    except ValueError as trouble:
        raise BadAddress(_("SMS_URL is not an address.")) from trouble
    if parts.scheme == "file":
        return Folder()
    told = dict(part.partition("=")[::2] for part in parts.query.split("&"))  # "+" is itself
    sender = unquote(told.get("from", ""))
    if parts.scheme not in ("https", "http") or not where:
        raise BadAddress(_("SMS_URL must begin with file: or https://."))
    if not (parts.username and parts.password and sender):
        raise BadAddress(_("SMS_URL must name an account, its secret and from=, the sender."))
    base = f"{parts.scheme}://{where}{parts.path.rstrip('/')}"
    return Gateway(base, unquote(parts.username), unquote(parts.password), sender)
