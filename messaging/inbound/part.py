"""A part of a mail as Python's library reads it, and where that is not enough: nothing that may
stand in a mail makes it raise."""

import binascii
import re
from email.message import Message
from email.utils import collapse_rfc2231_value

_EIGHT_BIT = re.compile(rb"[\x80-\xff]")
_BASE64 = re.compile(rb"\s*(?:[A-Za-z0-9+/]+={0,2}[ \t\r]*\n)*")


class Part(Message):
    """Also the mail itself, for ``email.message_from_bytes``."""

    def get_param(self, param, failobj=None, header="content-type", unquote=True):
        """As text, in whichever way it is encoded; ``failobj`` too if nobody can read it."""
        try:
            value = super().get_param(param, failobj, header, unquote)
            return collapse_rfc2231_value(value) if isinstance(value, tuple) else value
        except (LookupError, TypeError, ValueError):
            return failobj

    def content(self) -> bytes:
        """Its bytes; empty if it has parts itself."""
        content = self.get_payload(decode=True) or b""
        encoding = str(self.get("Content-Transfer-Encoding", "")).strip().lower()
        if encoding != "base64" or not content:
            return content
        encoded = self._payload.encode("ascii", "surrogateescape")
        if _EIGHT_BIT.search(encoded):
            return _above_the_strange(encoded)
        is_decoded = content not in (encoded, b"".join(encoded.splitlines()))
        return content if is_decoded else _cut_off(encoded)


def _above_the_strange(encoded: bytes) -> bytes:
    """Scanners write below base64 what is none. What has none above that, never was base64."""
    lines = _BASE64.match(encoded)[0].split()
    try:
        return binascii.a2b_base64(b"".join(lines), strict_mode=True) or encoded
    except binascii.Error:
        return encoded


def _cut_off(encoded: bytes) -> bytes:
    """The library gives it back undecoded when its end was lost on the way."""
    letters = re.sub(rb"[\s=]+", b"", encoded)
    try:
        return binascii.a2b_base64(letters[: len(letters) // 4 * 4], strict_mode=True)
    except binascii.Error:  # it never was base64
        return encoded
