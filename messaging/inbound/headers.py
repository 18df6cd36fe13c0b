"""Headers of mails as they really come: bytes of any charset, and far too many of them."""

import re
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from itertools import islice

MAX_WORDS = 4_000  # of one header that is decoded
MAX_ADDRESSES_READ = 40_000  # characters of one header that lists addresses

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

_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]+")
ADDRESS = re.compile(r"[^\s<>()\[\],;:\"\\@]{1,64}@[^\s<>()\[\],;:\"\\@]{1,253}")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_COMMENT = re.compile(r"\([^()]*\)")
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,250}>")


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
    value = value[:MAX_WORDS]
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
    """The name and the address of a From header, decided before anything in it is decoded: words
    that look like an address are still words."""
    value = value[:MAX_WORDS]
    bare = _QUOTED.sub(" ", value)
    for _level in range(5):
        bare = _COMMENT.sub(" ", bare)
    in_brackets = re.search(r"<\s*([^<>]*)>", bare)
    found = ADDRESS.search(in_brackets[1] if in_brackets else bare)
    if not found:
        return "", ""
    address = found[0].strip(".").lower()
    name = words_of(value.partition("<")[0]).strip("\"' ") if in_brackets else ""
    return name[:150], address if address.isascii() else ""


def addresses_in(message: Message, names, limit: int) -> list[str]:
    """The first ``limit`` addresses in the headers ``names``, each once, in small letters."""
    texts = (text[:MAX_ADDRESSES_READ] for name in names for text in raw_values(message, name))
    found = (match[0].lower() for text in texts for match in ADDRESS.finditer(text))
    return list(dict.fromkeys(islice(found, limit)))


def message_ids_in(value: str) -> list[str]:
    return _MESSAGE_ID.findall(value[-MAX_ADDRESSES_READ:])
