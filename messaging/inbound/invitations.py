"""What a calendar in a mail says: RFC 5545."""

import re

SHOWN = ("SUMMARY", "DTSTART", "DTEND", "LOCATION", "DESCRIPTION")

_FOLD = re.compile(r"\r?\n[ \t]")
_LINE = re.compile(r'([A-Za-z-]+)(?=[;:])((?:[^:"]|"[^"]*")*):(.*)')
_ESCAPED = re.compile(r"\\(.)")
_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)\d\d(Z?))?$")
_ZONE = re.compile(r'TZID="?([^";:]+)')


def words_in(calendar: str) -> str:
    """What its first event is, when and where, and what is said of it; empty if there is none."""
    event = _FOLD.sub("", calendar).partition("BEGIN:VEVENT")[2]
    for end in ("END:VEVENT", "BEGIN:VALARM"):
        event = event.partition(end)[0]
    found = {}
    for line in event.split("\n"):
        if (match := _LINE.match(line.rstrip())) and match[1].upper() in SHOWN:
            found.setdefault(match[1].upper(), _said(match))
    when = " – ".join(found[name] for name in ("DTSTART", "DTEND") if name in found)
    lines = [found.get("SUMMARY"), when, found.get("LOCATION")]
    head = "\n".join(filter(None, lines))
    return "\n\n".join(filter(None, [head, found.get("DESCRIPTION")]))


def _said(match) -> str:
    _name, more, value = match.groups()
    if time := _TIME.match(value):
        year, month, day, hour, minute, is_utc = time.groups()
        zone = _ZONE.search(more)
        named = "UTC" if is_utc else zone[1] if zone else ""
        clock = f"{hour}:{minute}" if hour else ""
        return " ".join(filter(None, [f"{year}-{month}-{day}", clock, named]))
    return _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], value).strip()
