"""Which words of a mail are its sender's own, and which it quotes or is signed with.

Language says little, shape much: marks at the beginning of lines, the rule of dashes of a
forwarded mail, the block of headers that Outlook puts above what it quotes.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

OWN, QUOTED, SIGNATURE = range(3)
SIGNATURES = ("-- ", "--")
# "From" as Outlook writes it above a quoted mail.
FROM = (
    "From|Von|De|Da|Van|Fra|Från|Lähettäjä|Od|Kimden|От|Від|Feladó|De la|Dari|Từ|"
    "发件人|寄件者|差出人|보낸 사람|من"
)
# "wrote", as programs say it above a quoted mail, and how such a sentence begins.
WROTE = (
    "wrote|schrieb|escribió|a écrit|ha scritto|schreef|escreveu|napisał|skrev|kirjoitti|"
    "написал|пише|yazdı|写道|寫道|のメール|작성"
)
OPENINGS = "On|Am|Le|El|Il|Op|Em|No dia|W dniu|Dnia|Den|Il giorno"
ATTRIBUTION_LINES = 3  # "On such a day so-and-so wrote:" may be folded into so many

_RULE = re.compile(r"^(?:-{3,} ?[^\s-].{0,60}-{3,}|_{20,}|-{20,})\s*$")
_ANNOUNCED = re.compile(r"^\S.{0,60}[:：]\s*$")  # "Begin forwarded message:", in any language
_FROM = re.compile(rf"^[*\s]*(?:{FROM})\s*[:：][\s*]*\S")
_HEADER = re.compile(r"^[*\s]*[^\s:：>][^:：]{0,30}[:：]\*?\s*\S")
_OPENING = re.compile(rf"(?:{OPENINGS})\b")
_WROTE = re.compile(rf"(?:{WROTE})", re.IGNORECASE)
_TIMED = re.compile(r"\d{1,2}[:.h]\d\d|\d{4}")  # a time or a year
_DATED = re.compile(rf"{_TIMED.pattern}|@")  # or an address


class Sorted(NamedTuple):
    """See ``parsed.Parsed``."""

    text: str
    new: int
    own: str = ""
    wrapped: Sequence[tuple[str, str]] = ()


def sort_out(text: str) -> Sorted:
    """``text`` with an answer before the quote that it stands below, and whose which words are.

    Where there are no own lines, all of ``text`` is new.
    """
    lines = text.split("\n")
    kinds = _kinds(lines)
    own = [number for number, kind in enumerate(kinds) if kind == OWN and lines[number].strip()]
    if not own:
        return Sorted(text, len(text))
    first, end = own[0], own[-1] + 1
    alone = "\n".join("" if kind else line for line, kind in zip(lines, kinds, strict=True))
    below = [number for number in own if number and lines[number - 1].startswith(">")]
    wrapped = [(lines[number - 1].lstrip("> "), lines[number]) for number in below]
    alone = re.sub(r"\n(?:[^\S\n]*\n){2,}", "\n\n", alone).strip()
    if first > 0 and not any(kinds[first:end]):
        lines = [*lines[first:end], "", *lines[:first], *lines[end:]]
        end -= first
    new = len("\n".join(lines[:end]).rstrip())
    return Sorted("\n".join(lines).rstrip(), new, alone, wrapped)


def _kinds(lines) -> list[int]:
    """Of each line, whose it is. A signature goes on until something is quoted."""
    kinds = [QUOTED if line.startswith(">") else OWN for line in lines]
    for last, line in enumerate(lines):
        if kinds[last] == OWN and line.rstrip().endswith((":", "：")):
            first, end = _attributed(lines, last)
            kinds[first:end] = [QUOTED] * (end - first)
    forwarded = _forwarded_from(lines)
    kinds[forwarded:] = [QUOTED] * (len(lines) - forwarded)
    for number in range(1, len(lines)):
        is_signed = kinds[number - 1] == SIGNATURE or lines[number] in SIGNATURES
        if is_signed and kinds[number] == OWN:
            kinds[number] = SIGNATURE
    return kinds


def _attributed(lines, last) -> tuple[int, int]:
    """Where the attribution that ends in the line ``last`` begins, and ends together with a quote
    that has no marks: nobody knows where that ends. Nothing, if it is no attribution."""
    first = last
    above = range(last, max(last - ATTRIBUTION_LINES, -1), -1)
    for number in above:
        if not lines[number].strip() or lines[number].startswith(">"):
            break
        if _OPENING.match(lines[number]):
            first = number
            break
    words = " ".join(lines[first : last + 1])
    is_written, is_dated = bool(_WROTE.search(words)), bool(_DATED.search(words))
    below = range(last + 1, len(lines))
    quoted = next((lines[number] for number in below if lines[number].strip()), "")
    if quoted.startswith(">") and (is_written or is_dated):
        return first, last + 1
    if quoted and is_written and is_dated:
        return first, len(lines)
    return first, first


def _forwarded_from(lines) -> int:
    """The line at which a mail stands below a rule or a block of headers; all lines if none."""
    for number, line in enumerate(lines):
        is_rule = bool(_RULE.match(line)) and not set(line.strip()) <= set("-_")
        if not is_rule and not _is_block(lines[number : number + 4]):
            continue
        first = _headed_from(lines, number) if is_rule else number
        above = _last_above(lines, first)
        is_announced = above >= 0 and _announces(lines[above], is_rule and first == number)
        return above if is_announced else first
    return len(lines)


def _last_above(lines, number) -> int:
    """The last line with words above the line ``number``; less than 0 if there is none."""
    above = number - 1
    while above > 0 and not lines[above].strip():
        above -= 1
    return above


def _headed_from(lines, rule) -> int:
    """Where the headers begin that stand above the line ``rule``, with which our mails begin: in
    any language, so there must be an address and a time among them. ``rule`` if there are none."""
    last = first = _last_above(lines, rule)
    while first > 0 and lines[first - 1].strip():
        first -= 1
    headers = list(filter(_is_header, lines[first : last + 1]))
    words = " ".join(headers)
    is_headed = len(headers) >= 3 and "@" in words and _TIMED.search(words)
    return lines.index(headers[0], first) if is_headed else rule


def _is_block(lines) -> bool:
    """Of headers."""
    headers = sum(map(_is_header, lines)) if _FROM.match(lines[0]) else 0
    return headers >= 3 or (headers == 2 and "@" in lines[0])


def _announces(line, is_rule) -> bool:
    """Whether a quote that goes on with a rule or headers begins with ``line``."""
    if _ANNOUNCED.match(line):
        return not is_rule or bool(_DATED.search(line))
    return not is_rule and bool(_RULE.match(line))


def _is_header(line) -> bool:
    return bool(_HEADER.match(line))
