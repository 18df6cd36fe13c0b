"""One raw mail, read. Runs in a child process, as a mail may be made to break its reader."""

import binascii
import email
import re
from contextlib import suppress
from email.generator import BytesGenerator
from email.message import Message
from io import BytesIO

from . import headers, machines
from .headers import decoded, raw_value, words_of
from .html_text import text_of
from .parsed import File, Limits, Parsed, Unreadable
from .quotes import new_part

RECIPIENTS = ("Delivered-To", "X-Original-To", "Envelope-To", "To", "Cc")
ANSWERS_READ = 20  # of the Message-IDs that References lists
MAX_SUBJECT = 200
MAX_NAME = 200
MAX_TEXT = 1_000_000
NAMES = {
    "text/calendar": "invitation.ics",
    "application/pkcs7-signature": "smime.p7s",
    "application/pkcs7-mime": "smime.p7m",
    "application/pgp-signature": "signature.asc",
    "application/pgp-encrypted": "version.txt",
    "image/jpeg": "picture.jpg",
    "image/png": "picture.png",
    "image/gif": "picture.gif",
    "application/pdf": "document.pdf",
    "text/html": "page.html",
}
UUENCODED = re.compile(
    r"^begin [0-7]{3,4} (\S.{0,200})\n((?:[ -`]{1,80}\n)+?)`?\n?end[ \t]*$", re.MULTILINE
)
# What no database keeps, and halves of characters.
UNKEPT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]+")


def parse(raw: bytes, limits: Limits | None = None) -> Parsed:
    """Raises Unreadable, and whatever a hostile mail makes the library raise."""
    limits = limits or Limits()
    message = email.message_from_bytes(raw)
    body = _Body(limits)
    text, new = body.read(message)
    name, sender = headers.sender_in(raw_value(message, "From"))
    sign = machines.sign_of_a_machine(message)
    answered = headers.message_ids_in(raw_value(message, "In-Reply-To"))
    references = headers.message_ids_in(raw_value(message, "References"))[::-1]
    ids = headers.message_ids_in(raw_value(message, "Message-ID"))
    return Parsed(
        sender=sender,
        sender_name=name,
        subject=words_of(raw_value(message, "Subject"))[:MAX_SUBJECT],
        message_id=ids[0] if ids else "",
        answers=list(dict.fromkeys([*answered, *references]))[:ANSWERS_READ],
        recipients=headers.addresses_in(message, RECIPIENTS, limits.addresses),
        text=text,
        new=new,
        files=body.files,
        automatic=sign,
        bounce=machines.bounce_in(message, sign),
        is_spam=machines.is_marked_as_spam(message),
        failed_authentication=machines.has_failed_authentication(message),
    )


class _Body:
    """Walks the parts: what is to be read becomes text, all else files."""

    def __init__(self, limits):
        self.limits = limits
        self.count = 0
        self.files = []

    def read(self, message) -> tuple[str, int]:
        found = [piece for piece in self._pieces(message, 1) if piece[0].strip()]
        if len(found) == 1:  # then the HTML's own marks of quoting hold
            text, new = found[0]
            text = clean(text)
        else:
            text = clean("\n\n".join(text.strip() for text, _new in found))
            new = len(text)
        text = self._without_uuencoded(text)
        if new >= len(text):
            new = new_part(text)
        return text[:MAX_TEXT], min(new, MAX_TEXT)

    def _pieces(self, part, level) -> list[tuple[str, int]]:
        """The texts of ``part``, each with the length of its new words."""
        self.count += 1
        if level > self.limits.levels:
            raise Unreadable(f"Parts within parts, deeper than {self.limits.levels}.")
        if self.count > self.limits.parts:
            raise Unreadable(f"More than {self.limits.parts} parts.")
        kind = part.get_content_type()
        if kind == "message/rfc822" and part.is_multipart():
            return self._attached_mail(part, level)
        if kind == "multipart/alternative" and part.is_multipart():
            return self._best_of(part, level)
        if part.is_multipart():
            return [
                piece for child in part.get_payload() for piece in self._pieces(child, level + 1)
            ]
        return self._leaf(part, kind)

    def _best_of(self, part, level):
        """Of the same words in several forms the plain ones, if there are any."""
        plain, others = [], []
        for child in part.get_payload():
            pieces = self._pieces(child, level + 1)
            (plain if child.get_content_type() == "text/plain" else others).append(pieces)
        for pieces in [*plain, *others[::-1]]:
            if any(text.strip() for text, _new in pieces):
                return pieces
        return []

    def _attached_mail(self, part, level):
        """Kept as a file. Its words are read only where the mail around it says nothing."""
        inner = part.get_payload(0)
        content = BytesIO()
        with suppress(UnicodeError, LookupError, KeyError):  # a mail the library can't write again
            BytesGenerator(content, mangle_from_=False, maxheaderlen=0).flatten(inner)
        subject = words_of(raw_value(inner, "Subject"))[: MAX_NAME - 4]
        self._keep(_name_of(part) or f"{subject or 'mail'}.eml", content.getvalue())
        return []

    def _leaf(self, part, kind):
        name = _name_of(part)
        is_attached = part.get_content_disposition() == "attachment"
        content = _content_of(part)
        if kind == "application/ms-tnef" or name.lower() == "winmail.dat":
            return self._unpacked(content)
        is_text = kind in ("text/plain", "text/html") or part.get_content_maintype() == "multipart"
        if is_text and not is_attached and not name:
            words = decoded(content[: 4 * MAX_TEXT], part.get_content_charset())
            words = words.replace("\r\n", "\n").replace("\r", "\n")
            return [text_of(words)] if kind == "text/html" else [(words, len(words))]
        if content:
            self._keep(name or NAMES.get(kind, "file"), content)
        return []

    def _unpacked(self, content):
        """Outlook's winmail.dat: its text, and the files in it."""
        from tnefparse import TNEF  # noqa: PLC0415 -- seldom needed, and slow to import

        try:
            packed = TNEF(content)
            files = [(file.long_filename() or "file", file.data) for file in packed.attachments]
            html, text = packed.htmlbody, packed.body
        except Exception:  # noqa: BLE001 -- damaged, in any of many ways: it stays what it is
            self._keep("winmail.dat", content)
            return []
        for name, data in files:
            self._keep(name, bytes(data))
        if not (files or html or text):  # whatever it is
            self._keep("winmail.dat", content)
        if html:
            return [text_of(html if isinstance(html, str) else decoded(html, None))]
        words = text if isinstance(text, str) else decoded(text or b"", None)
        return [(words, len(words))]

    def _without_uuencoded(self, text):
        def kept(match):
            lines = match[2].splitlines(keepends=True)
            try:
                content = b"".join(binascii.a2b_uu(line) for line in lines)
            except binascii.Error:
                return match[0]
            self._keep(match[1], content)
            return ""

        return UUENCODED.sub(kept, text).strip() if "\nend" in text else text

    def _keep(self, name, content):
        self.files.append(File(clean(name)[:MAX_NAME], content))


def _content_of(part: Message) -> bytes:
    """Its bytes. The library gives back base64 undecoded when its end was lost on the way."""
    content = part.get_payload(decode=True) or b""
    if raw_value(part, "Content-Transfer-Encoding").strip().lower() != "base64":
        return content
    if content != part.get_payload().encode("ascii", "surrogateescape"):
        return content
    letters = re.sub(rb"[\s=]+", b"", content)
    try:
        return binascii.a2b_base64(letters[: len(letters) // 4 * 4], strict_mode=True)
    except binascii.Error:  # it never was base64
        return content


def _name_of(part: Message) -> str:
    """RFC 2231 says how names are encoded; most mail programs do otherwise."""
    try:
        return words_of(part.get_filename() or "")
    except (ValueError, LookupError, TypeError):
        return "file"


def clean(text: str) -> str:
    return UNKEPT.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
