"""Mails that no person wrote, and what servers on the way say of a mail."""

import re
from email.message import Message
from itertools import islice

from .headers import (
    addresses_in,
    decoded,
    message_ids_in,
    raw_value,
    raw_values,
    sender_in,
    words_of,
)
from .parsed import Bounce

BULK = ("bulk", "junk", "list", "auto_reply")
SIGNS = (
    "X-Auto-Response-Suppress",
    "X-Autoreply",
    "X-Autorespond",
    "X-Loop",
    "X-Failed-Recipients",
)
MACHINES = ("mailer-daemon", "postmaster", "mail-daemon", "bounce", "bounces")
MAX_REPORT = 100_000  # characters of a report that are looked at
MAX_ANSWER = 500

_EXCHANGE = re.compile(r"microsoftexchange[0-9a-f]{32}")
_STATUS = re.compile(r"\b([245])\.\d{1,3}\.\d{1,3}\b")
_CODE = re.compile(r"\b([45])\d\d[ -]")
_FAILED = re.compile(r"\b(?:spf|dkim|dmarc)\s*=\s*(?:fail|softfail|permerror)\b", re.IGNORECASE)
_SPF_FAILED = re.compile(r"\s*(?:fail|softfail|permerror)\b", re.IGNORECASE)


def sign_of_a_machine(message: Message) -> str:
    """The header that shows that no person wrote it; empty for a person's mail."""
    for value in raw_values(message, "Auto-Submitted"):
        if value.split(";")[0].strip().lower() not in ("", "no"):
            return "Auto-Submitted"
    if any(value.strip().lower() in BULK for value in raw_values(message, "Precedence")):
        return "Precedence"
    for name in SIGNS:
        if raw_values(message, name):
            return name
    if any(name.lower().startswith("list-") for name, _value in message.raw_items()):
        return "List-*"
    if [value.strip() for value in raw_values(message, "Return-Path")] == ["<>"]:
        return "Return-Path"
    if message.get_content_type() == "multipart/report":
        return "Content-Type"
    if _is_from_machine(message):
        return "From"
    return ""


def _is_from_machine(message) -> bool:
    sender = sender_in(raw_value(message, "From"))[1].partition("@")[0]
    return sender in MACHINES or bool(_EXCHANGE.fullmatch(sender))


def is_marked_as_spam(message: Message) -> bool:
    """Only a yes counts: anybody can write a no into their own mail."""
    flags = [raw_value(message, name).strip().lower() for name in ("X-Spam-Flag", "X-Spam")]
    status = raw_value(message, "X-Spam-Status").strip().lower()
    action = raw_value(message, "X-Rspamd-Action").strip().lower()
    level = raw_value(message, "X-MS-Exchange-Organization-SCL").strip()
    return (
        "yes" in flags
        or status.startswith("yes")
        or action in ("add header", "rewrite subject", "reject", "quarantine")
        or (level.isdecimal() and int(level[:3]) >= 5)
        or "SFV:SPM" in raw_value(message, "X-Forefront-Antispam-Report")
    )


def has_failed_authentication(message: Message) -> bool:
    """By any of the headers in which servers say so. Only a failure counts: anybody can write a
    pass into their own mail."""
    results = ("Authentication-Results", "ARC-Authentication-Results")
    said = [text[:4_000] for name in results for text in raw_values(message, name)]
    spf = raw_values(message, "Received-SPF")
    return any(map(_FAILED.search, said)) or any(map(_SPF_FAILED.match, spf))


def bounce_in(message: Message, sign: str) -> Bounce | None:
    """What ``message`` reports of a mail that did not arrive; None if it reports nothing.

    ``sign`` is that of a machine: a person may attach the report they got. Servers that write no
    report say it in words; then our mail, or its Message-ID, must be there.
    """
    if not sign:
        return None
    report = next((part for part in _own_parts(message) if _is_report(part)), None)
    if report is not None:
        return _reported(message, report)
    if not _is_from_server(message):
        return None
    words = _words(message)
    about = [*message_ids_in(words), *filter(None, [_original_id(message)])]
    status = _STATUS.search(words) or _CODE.search(words)
    failed = raw_value(message, "X-Failed-Recipients")
    if not (about and (status or failed)):
        return None
    return Bounce(
        message_id=about[-1],
        recipients=list(islice(addresses_in(f"{failed}\n{words}"), 1)),
        status=status[0].strip(" -") if status else "",
        is_final=not status or status[1] == "5",
        answer=_line_with(status, words) if status else "",
    )


def _is_from_server(message) -> bool:
    if raw_values(message, "X-Failed-Recipients"):
        return True
    is_unanswerable = [value.strip() for value in raw_values(message, "Return-Path")] == ["<>"]
    return is_unanswerable or _is_from_machine(message)


def _own_parts(message):
    """Without those of attached mails: who forwards a report to us wants an answer."""
    yield message
    if message.is_multipart() and message.get_content_type() != "message/rfc822":
        for part in message.get_payload():
            yield from _own_parts(part)


def _is_report(part) -> bool:
    return part.get_content_type() in ("message/delivery-status", "message/global-delivery-status")


def _reported(message, report) -> Bounce:
    """Each of our mails goes to one address; a report names more where that one forwards."""
    blocks = report.get_payload() if report.is_multipart() else []
    blocks = sorted(filter(_recipients, blocks), key=_has_failed, reverse=True)
    if not blocks:
        return Bounce(message_id=_original_id(message))
    status = _STATUS.search(raw_value(blocks[0], "Status"))
    return Bounce(
        message_id=_original_id(message),
        recipients=[address for block in blocks for address in _recipients(block)],
        status=status[0] if status else "",
        is_final=_has_failed(blocks[0]),
        answer=_answer_in(raw_value(blocks[0], "Diagnostic-Code")),
    )


def _recipients(block) -> list[str]:
    named = [raw_value(block, name) for name in ("Original-Recipient", "Final-Recipient")]
    return list(dict.fromkeys(addresses_in("\n".join(named))))


def _has_failed(block) -> bool:
    return raw_value(block, "Action").strip().lower() == "failed"


def _original_id(message) -> str:
    """Of the mail that came back, whole or only its headers."""
    for part in message.walk():
        if part.get_content_type() == "message/rfc822" and part.is_multipart():
            if ids := message_ids_in(raw_value(part.get_payload(0), "Message-ID")):
                return ids[0]
        elif part.get_content_type() in ("text/rfc822-headers", "message/global-headers"):
            found = re.search(r"(?im)^message-id:\s*(\S+)", _text(part))
            if ids := message_ids_in(found[1]) if found else []:
                return ids[0]
    return ""


def _answer_in(diagnostic: str) -> str:
    """Without the kind of it, which is smtp."""
    kind, semicolon, words = diagnostic.partition(";")
    return words_of(words if semicolon else kind)[:MAX_ANSWER]


def _line_with(found: re.Match, words: str) -> str:
    start = words.rfind("\n", 0, found.start()) + 1
    return words_of(words[start:].partition("\n")[0])[:MAX_ANSWER]


def _words(message) -> str:
    texts = [_text(part) for part in message.walk() if part.get_content_maintype() == "text"]
    return "\n".join(texts)[:MAX_REPORT]


def _text(part) -> str:
    return decoded(part.content(), part.get_content_charset())[:MAX_REPORT]
