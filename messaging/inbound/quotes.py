"""Where the new words of a mail end, and what it quotes or is signed with begins.

Language says little, shape much: marks at the beginning of lines, the rule of dashes of a
forwarded mail, the block of headers that Outlook puts above what it quotes.
"""

import re

SIGNATURE = "-- "
# "From" as Outlook writes it above a quoted mail.
FROM = (
    "From|Von|De|Da|Van|Fra|Från|Lähettäjä|Od|Kimden|От|Від|Feladó|De la|Dari|Từ|"
    "发件人|寄件者|差出人|보낸 사람|من"
)
_RULE = re.compile(r"^(?:-{3,} ?[^\s-].{0,60}-{3,}|_{20,}|-{20,})\s*$")
_FROM = re.compile(rf"^[*>\s]*(?:{FROM})\s*[:：]\s*\*?\s*\S")
_HEADER = re.compile(r"^[*>\s]*[^\s:：][^:：]{0,30}[:：]\*?\s*\S")
ENDS_AN_ATTRIBUTION = (":", "：")
ATTRIBUTION_LINES = 3  # "On such a day so-and-so wrote:" may be folded into so many


def new_part(text: str) -> int:
    """How many characters of ``text`` are new. All, unless something new comes before the rest."""
    lines = text.split("\n")
    end = min(_forwarded_from(lines), _quoted_from(lines))
    for number in range(end - 1, 0, -1):
        if lines[number] == SIGNATURE or lines[number] == "--":
            end = number
    new = "\n".join(lines[:end]).rstrip()
    return len(new) if new.strip() else len(text)


def _forwarded_from(lines) -> int:
    """The line at which a mail stands below a rule or a block of headers; all lines if none."""
    for number, line in enumerate(lines):
        if _FROM.match(line) and sum(map(_is_header, lines[number : number + 4])) >= 3:
            above = number - 1
            while above > 0 and not lines[above].strip():
                above -= 1
            return above if above >= 0 and _RULE.match(lines[above]) else number
        if _RULE.match(line) and not set(line.strip()) <= set("-_"):
            return number
    return len(lines)


def _is_header(line) -> bool:
    return bool(_HEADER.match(line))


def _quoted_from(lines) -> int:
    """The line at which the last block of ``>`` begins, if nothing but a signature follows it."""
    last = len(lines) - 1
    for number, line in enumerate(lines):
        if line == SIGNATURE:
            last = number - 1
            break
    while last >= 0 and not lines[last].strip():
        last -= 1
    first = last
    while first >= 0 and (lines[first].startswith(">") or not lines[first].strip()):
        first -= 1
    if first == last:  # the last words are not quoted
        return len(lines)
    return _attributed_from(lines, first) if first >= 0 else len(lines)


def _attributed_from(lines, above) -> int:
    """``above`` is the last line over the quoted block: the attribution, or the last new one."""
    if not lines[above].rstrip().endswith(ENDS_AN_ATTRIBUTION):
        return above + 1
    first = above
    while first > 0 and above - first < ATTRIBUTION_LINES - 1 and lines[first - 1].strip():
        first -= 1
    # A sentence of three lines that ends in a colon is no attribution: those name a day or an
    # address, so the nearest line with a figure or an @ begins it.
    while first < above and not re.search(r"[\d@]", lines[first]):
        first += 1
    return first
