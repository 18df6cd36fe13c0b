"""Headers of mails as they really come: bytes of any charset, and far too many of them."""

import hashlib
import re
from collections.abc import Iterator
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.utils import mktime_tz, parsedate_tz
from itertools import islice

MAX_WORDS = 4_000  # of one header that is decoded
MAX_ADDRESSES_READ = 40_000  # characters of one header that lists addresses
# What a mail without a usable Message-ID is known by, and its body: servers on the way leave it.
LASTING = ("Message-ID", "Date", "From", "To", "Cc", "Subject")
MOST_WRONG = 24 * 60 * 60  # seconds, by which clocks and time zones differ

# What mails call charsets, and what is meant.
CHARSETS = {
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-8-e": "iso-8859-8",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "cp936": "gb18030",
    "big5": "cp950",
    "x-big5": "cp950",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "iso-2022-jp": "iso2022_jp_ext",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "x-windows-949": "cp949",
    "windows-874": "cp874",
    "x-mac-roman": "mac_roman",
    "macintosh": "mac_roman",
}
GUESSED = ("", "us-ascii", "ascii", "unknown-8bit", "x-unknown", "unknown", "default")

_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]+")
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"\\@]{1,64}@[^\s<>()\[\],;:\"\\@]{1,253}")
_DOMAIN = re.compile(r"[\w.-]+")
_PIECES = re.compile(r'\\.|[^\\"()]+|.', re.DOTALL)
_BETWEEN = re.compile(r'[\s,;:<>()\[\]"]+')
_NAMED = re.compile(r"[^,;<>]*<(?:[^<>]*:)?([^<>]*)>?")  # a name, and an address with its route
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,250}>")


def decoded(content: bytes, charset: str | None) -> str:
    """``content`` as text, whatever ``charset`` claims; what can't be read is replaced."""
    charset = (charset or "").strip("\"' ").lower()
    if charset in GUESSED:
        return _guessed(content)
    try:
        return content.decode(CHARSETS.get(charset, charset), errors="replace")
    except (LookupError, ValueError):  # no such charset, or none for text
        return _guessed(content)


def _guessed(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def raw_values(message: Message, name: str) -> list[str]:
    """All headers called ``name``, as they came; bytes beyond ASCII are surrogates."""
    return [value for key, value in message.raw_items() if key.lower() == name.lower()]


def raw_value(message: Message, name: str) -> str:
    return next(iter(raw_values(message, name)), "")


def words_of(value: str) -> str:
    """The text of one header, on one line."""
    if len(value) > MAX_WORDS:
        value = value[:MAX_WORDS]
        value = value.rpartition(" ")[0] or value  # half an encoded word is rubbish
    try:
        pieces = decode_header(value)
    except (MessageError, ValueError):  # an encoded word that is none
        pieces = [(value, None)]
    text = "".join(
        decoded(_bytes(piece), charset) if charset or isinstance(piece, str) else _guessed(piece)
        for piece, charset in pieces
    )
    return " ".join(_LINE.sub(" ", text).split())


def _bytes(piece) -> bytes:
    return piece if isinstance(piece, bytes) else piece.encode("utf-8", "surrogateescape")


def sender_in(value: str) -> tuple[str, str]:
    """The name and the address that a From header puts first."""
    address = next(iter(_senders(value)), "")
    name = words_of(value.partition("<")[0]).strip("\"' ") if address and "<" in value else ""
    return "" if "@" in name else name[:150], address


def names_several_senders(message: Message) -> bool:
    """Then servers check one of them, and programs show another."""
    values = dict.fromkeys(raw_values(message, "From"))
    return len(values) > 1 or any(len(_senders(value)) > 1 for value in values)


def _senders(value: str) -> dict[str, None]:
    """The addresses in a From header, each once; one that can't be used is empty. Found before
    anything in it is decoded: words that look like an address are still words."""
    words = _BETWEEN.split(_NAMED.sub(r",\1,", _unquoted(value[:MAX_WORDS])))
    found = [_usable(word) for word in words if "@" in word]
    if "@" in value[MAX_WORDS:]:
        found.append("")
    return dict.fromkeys(found)


def _unquoted(value: str) -> str:
    """Without comments, and with a mark for what stands in quotes. Where one has no end nothing is
    left out."""
    kept, depth, is_quoted = [], 0, False
    for piece in _PIECES.findall(value):
        if piece == '"' and not depth:
            is_quoted = not is_quoted
            kept.append("\ufffd")
        elif piece in "()" and not is_quoted:
            depth = max(depth + (1 if piece == "(" else -1), 0)
            kept.append(" ")
        elif not (depth or is_quoted):
            kept.append(piece)
    return value if depth or is_quoted else "".join(kept)


def _usable(address: str) -> str:
    """In small letters, its domain as servers name it; empty if it is none that mail can be sent
    to, or a database can keep."""
    local, _at, domain = address.strip(".").lower().rpartition("@")
    address = f"{local}@{domain if domain.isascii() else _punycode(domain)}"
    is_plain = address.isascii() and address.isprintable()
    return address if is_plain and _ADDRESS.fullmatch(address) else ""


def _punycode(domain: str) -> str:
    """Empty if that is another domain: some letters have no form of their own there."""
    try:
        domain = _bytes(domain).decode().lower()
        coded = domain.encode("idna")
        return (
            coded.decode() if _DOMAIN.fullmatch(domain) and coded.decode("idna") == domain else ""
        )
    except UnicodeError:
        return ""


def addresses_in(text: str) -> Iterator[str]:
    """All in ``text``, whatever stands around them."""
    return filter(None, (_usable(match[0]) for match in _ADDRESS.finditer(text)))


def recipients_in(message: Message, names, limit: int) -> list[str]:
    """The first ``limit`` addresses in the headers ``names``, each once."""
    texts = (text[:MAX_ADDRESSES_READ] for name in names for text in raw_values(message, name))
    found = (address for text in texts for address in addresses_in(text))
    return list(dict.fromkeys(islice(found, limit)))


def message_ids_in(value: str) -> list[str]:
    return _MESSAGE_ID.findall(value[-MAX_ADDRESSES_READ:])


def message_id_of(message: Message, raw: bytes) -> str:
    """Its Message-ID. Where that has no usable form, one made here, the same for each copy
    whichever way it took; empty if copies can't be told from other mails.

    Two mails have the same one only if each word and each file is the same, and who sent them to
    whom, in the same second: so its Date has to be one that a clock said (devices that forget the
    time say the same one after each start), and its body has to be here.
    """
    if ids := message_ids_in(raw_value(message, "Message-ID")):
        return ids[0]
    end_of_head = _END_OF_HEAD.search(raw)
    body = raw[end_of_head.end() :].replace(b"\r\n", b"\n").strip() if end_of_head else b""
    if not (body and _is_dated_as_received(message)):
        return ""
    digest = hashlib.sha256(hashlib.sha256(body).digest())
    for name in LASTING:
        value = " ".join(raw_value(message, name).split())
        digest.update(hashlib.sha256(_bytes(value)).digest())
    return f"<{digest.hexdigest()}@made-here.invalid>"


def _is_dated_as_received(message) -> bool:
    """By the server before us, which writes above all others."""
    sent = _seconds_in(raw_value(message, "Date"))
    received = _seconds_in(raw_value(message, "Received").rpartition(";")[2])
    return None not in (sent, received) and abs(sent - received) <= MOST_WRONG


def _seconds_in(date: str) -> float | None:
    """Since 1970; None if it says nothing that can be read."""
    try:
        return mktime_tz(parsedate_tz(date))
    except (IndexError, OverflowError, TypeError, ValueError):
        return None
