"""One raw mail, read. Runs in a child process, as a mail may be made to break its reader."""

import binascii
import email
import re
from contextlib import suppress
from email.generator import BytesGenerator
from io import BytesIO
from pathlib import PurePosixPath

from . import headers, invitations, machines
from .flowed import unfolded
from .headers import decoded, raw_value, words_of
from .html_text import marked, text_of, without_pictures
from .parsed import File, Limits, Parsed, Unreadable
from .part import Part
from .quotes import sort_out

RECIPIENTS = ("Delivered-To", "X-Original-To", "Envelope-To", "To", "Cc")
ANSWERS_READ = 20  # of the Message-IDs that References lists
MAX_SUBJECT = 200
MAX_NAME = 200
MAX_TEXT = 2_000_000  # characters of one part that are read
MAX_CALENDAR = 100_000  # bytes of one that are read
# Text that programs read, and what it is called if the mail does not say. All other text is for
# people (RFC 2046, 4.1.4).
DATA = {
    "text/calendar": "invitation.ics",
    "text/csv": "table.csv",
    "text/directory": "card.vcf",
    "text/rtf": "words.rtf",
    "text/vcard": "card.vcf",
    "text/x-vcard": "card.vcf",
}
PAGES = ("text/html", "application/xhtml+xml", "text/x-amp-html", "text/watch-html")
# Programs name even the words of a mail. Whoever calls them otherwise means a file.
NAMES_OF_WORDS = ("", ".txt", ".text", ".htm", ".html", ".xhtml", ".md")
MAX_PROBED = 8_000  # bytes of a text that are asked whether it is one
NAMES = DATA | {
    "application/pkcs7-signature": "smime.p7s",
    "application/pkcs7-mime": "smime.p7m",
    "application/pgp-signature": "signature.asc",
    "application/pgp-encrypted": "version.txt",
    "image/jpeg": "picture.jpg",
    "image/png": "picture.png",
    "image/gif": "picture.gif",
    "application/pdf": "document.pdf",
    "text/html": "page.html",
    "text/plain": "words.txt",
}
UUENCODED = re.compile(
    r"^begin [0-7]{3,4} (\S.{0,200})\n((?:[ -`]{1,80}\n)+?)`?\n?end[ \t]*$", re.MULTILINE
)
MAX_EXCUSE = 400  # characters of a plain form that only says that the program shows no HTML
CHARSET = re.compile(rb"<meta[^>]{1,200}charset=[\"']?([\w.:-]{1,40})", re.IGNORECASE)
# What no database keeps, and halves of characters.
UNKEPT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]+")


def parse(raw: bytes, limits: Limits | None = None) -> Parsed:
    """Raises Unreadable, and whatever a hostile mail makes the library raise."""
    limits = limits or Limits()
    message = email.message_from_bytes(raw, Part)
    body = _Body(limits)
    text, new, own, wrapped = sort_out(body.read(message))
    name, sender = headers.sender_in(raw_value(message, "From"))
    sign = machines.sign_of_a_machine(message)
    answered = headers.message_ids_in(raw_value(message, "In-Reply-To"))
    references = headers.message_ids_in(raw_value(message, "References"))[::-1]
    return Parsed(
        sender=sender,
        sender_name=name,
        has_several_senders=headers.names_several_senders(message),
        subject=words_of(raw_value(message, "Subject"))[:MAX_SUBJECT],
        message_id=headers.message_id_of(message, raw),
        answers=list(dict.fromkeys([*answered, *references]))[:ANSWERS_READ],
        recipients=headers.recipients_in(message, RECIPIENTS, limits.addresses),
        text=text,
        new=new,
        own=own,
        wrapped=wrapped,
        files=[*body.files, *body.pictures],
        automatic=sign,
        bounce=machines.bounce_in(message, sign),
        is_spam=machines.is_marked_as_spam(message),
        failed_authentication=machines.has_failed_authentication(message),
    )


class _Body:
    """Walks the parts: what is to be read becomes text, all else files."""

    def __init__(self, limits, level=1):
        self.limits = limits
        self.level = level
        self.count = 0
        self.files = []
        self.pictures = []  # written into the HTML
        self.attached = []  # mails, and how deep they lie
        self.invited = []  # what calendars say
        self.enclosed = []  # texts that are files: the part, its kind and its bytes

    def read(self, message) -> str:
        found = [text.strip() for text in self._pieces(message, self.level)]
        words = self._without_uuencoded(clean("\n\n".join(filter(None, found))))
        return words or self._quoted()

    def _quoted(self) -> str:
        """What stands in the files of a mail that itself says nothing. It is marked, as its sender
        may not have written it: of staff none of it is published."""
        read = [_Body(self.limits, level).read(mail) for mail, level in self.attached]
        enclosed = [self._words(*text) for text in self.enclosed]
        found = "\n\n".join(filter(None, map(clean, [*read, *self.invited, *enclosed])))
        return found and marked(found, 1)

    def _pieces(self, part, level) -> list[str]:
        """The texts of ``part``."""
        self.count += 1
        if level > self.limits.levels:
            raise Unreadable("levels")
        if self.count > self.limits.parts:
            raise Unreadable("parts")
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
        """Of the same words in several forms the plain ones, if there are any; not those that
        only say that the program shows no HTML. Forms that few programs show come last."""
        plain, rare, others = [], [], []
        for child in part.get_payload():
            text = "\n\n".join(self._pieces(child, level + 1))
            kind = child.get_content_type()
            is_rare = kind.startswith("text/") and kind != "text/html"
            (plain if kind == "text/plain" else rare if is_rare else others).append(text)
        others = [*reversed(others), *reversed(rare)]
        if any(_is_about_html(text) for text in plain) and not any(map(_is_about_html, others)):
            plain, others = others, plain
        return [text for text in (*plain, *others) if text.strip()][:1]

    def _attached_mail(self, part, level):
        """Kept as a file, with the files in it. Its words are read only where the mail around it
        says nothing."""
        inner = part.get_payload(0)
        content = BytesIO()
        with suppress(UnicodeError, LookupError, KeyError):  # a mail the library can't write again
            BytesGenerator(content, mangle_from_=False, maxheaderlen=0).flatten(inner)
        subject = words_of(raw_value(inner, "Subject"))[: MAX_NAME - 4]
        self._keep(_name_of(part) or f"{subject or 'mail'}.eml", content.getvalue())
        self.attached.append((inner, level + 1))
        return []

    def _leaf(self, part, kind):
        name = _name_of(part)
        is_attached = part.get_content_disposition() == "attachment"
        content = part.content()
        if kind == "application/ms-tnef" or name.lower() == "winmail.dat":
            return self._unpacked(content)
        is_text = _is_text(part, kind, content, name)
        suffix = PurePosixPath(name).suffix.lower()
        if is_text and not is_attached and suffix in NAMES_OF_WORDS:
            return [self._words(part, kind, content)]  # shown by all programs, whatever its name
        if is_text:
            self.enclosed.append((part, kind, content))
        if kind == "text/calendar":
            calendar = decoded(content[:MAX_CALENDAR], part.get_content_charset())
            self.invited.append(invitations.words_in(calendar))
        if content:
            self._keep(name or NAMES.get(kind, NAMES["text/plain"] if is_text else "file"), content)
        return []

    def _words(self, part, kind, content) -> str:
        charset = part.get_content_charset()
        if kind in PAGES:
            return self._html(decoded(content, charset or _charset_in(content)))
        words = decoded(content, charset).replace("\r\n", "\n").replace("\r", "\n")
        if str(part.get_param("format")).lower() == "flowed":
            words = unfolded(words, str(part.get_param("delsp")).lower() == "yes")
        return self._limited(words, NAMES["text/plain"])

    def _html(self, markup) -> str:
        markup, pictures = without_pictures(markup)
        for kind, content in pictures:
            self.pictures.append(File(NAMES.get(kind, "picture"), content))
        return text_of(self._limited(markup, NAMES["text/html"]))

    def _limited(self, words, name) -> str:
        """What is too long even to be read is a file: nobody misses it unknowingly."""
        if len(words) > MAX_TEXT:
            self._keep(name, words.encode())
        return words[:MAX_TEXT]

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
            return [self._html(html if isinstance(html, str) else decoded(html, None))]
        return [text if isinstance(text, str) else decoded(text or b"", None)]

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


def _name_of(part: Part) -> str:
    """RFC 2231 says how names are encoded; most mail programs do otherwise."""
    for header in ("Content-Disposition", "Content-Type"):
        if not (value := raw_value(part, header)).isascii():  # the library would lose the letters
            part.replace_header(header, words_of(value))
    return words_of(part.get_filename() or "")


def _is_text(part, kind, content, name) -> bool:
    """For people to read. Scanners call files text that are none: then they have a name."""
    if kind in DATA or not (part.get_content_maintype() in ("text", "multipart") or kind in PAGES):
        return False
    return not name or "\0" not in decoded(content[:MAX_PROBED], part.get_content_charset())


def _charset_in(page: bytes) -> str:
    found = CHARSET.search(page[:4096])
    return found[1].decode() if found else ""


def _is_about_html(text: str) -> bool:
    return len(text) < MAX_EXCUSE and "html" in text.lower()


def clean(text: str) -> str:
    return UNKEPT.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
