"""What stands on the outside of a mail: who it comes from, what it is about, what it answers."""

import re
import textwrap
from email.utils import formataddr, parseaddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

MAX_SUBJECT = 69
# Line ends and other controls, and the marks that turn the direction of what follows.
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+")
OUR_NUMBERS = re.compile(r"\[CCR-\d{4}-\d{5,}\]\s*")
MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,240}>")  # printable ASCII without angle brackets


def envelope(
    mail,
    *,
    subject,
    text,
    html,
    ticket=None,
    reply_to="",
    stop_link="",
    their_mail="",
    is_answer=False,
    files=(),
) -> EmailMultiAlternatives:
    """One mail to one person: nobody learns who else was told. ``their_mail``
    is the Message-ID of what its reader wrote last on the ``ticket`` by mail. One that
    ``is_answer`` was written by nobody, to somebody who wrote to us (RFC 3834)."""
    headers = {
        "From": sender_for(ticket),
        "Message-ID": mail.message_id,
        "Auto-Submitted": "auto-replied" if is_answer else "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }
    if ticket:
        headers |= _thread_of(mail, ticket, their_mail)
    if stop_link:  # RFC 8058: mail programs offer it, and post there without asking again
        headers["List-Unsubscribe"] = f"<{stop_link}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    reply_to = reply_to or (ticket and one_line(ticket.category.email))
    message = EmailMultiAlternatives(
        one_line(subject),
        text,
        from_email=return_path(),
        to=[mail.email],
        reply_to=[reply_to] if reply_to else None,
        headers=headers,
    )
    if html:
        message.attach_alternative(html, "text/html")
    for file in files:
        with file.file.open() as content:
            message.attach(one_line(file.name), content.read(), file.content_type)
    return message


def sender_for(ticket) -> str:
    """The address of the ticket's category, if it has one."""
    if ticket and ticket.category.email:
        return formataddr((settings.SITE_NAME, one_line(ticket.category.email)))
    return settings.DEFAULT_FROM_EMAIL


def return_path() -> str:
    """Where reports come that a mail did not arrive: to us, whoever it is from."""
    return settings.REPLY_ADDRESS or parseaddr(settings.DEFAULT_FROM_EMAIL)[1]


def _thread_of(mail, ticket, theirs) -> dict:
    """All mails about a ticket name the same root, so mail programs show one thread; it is also
    the thread of whoever writes by mail, as theirs is answered."""
    theirs = theirs if MESSAGE_ID.fullmatch(theirs) else ""  # or a header can't hold it
    root = f"<ticket-{ticket.reference.lower()}@{mail.message_id.rpartition('@')[2]}"
    return {
        "In-Reply-To": theirs or root,
        "References": f"{root} {theirs}" if theirs else root,
    }


def subject_for(headline: str, ticket, is_neutral: bool = False) -> str:
    """[CCR-2026-00482] Kettle stopped heating, cut between words. About one ticket it is always
    the same, as some mail programs begin a new thread with each new subject."""
    if ticket is None:
        return _shortened(headline, MAX_SUBJECT)
    number = f"[{ticket.reference}] "
    # Who answers an old mail may begin a new ticket, and bring a number along.
    subject = "" if is_neutral else OUR_NUMBERS.sub("", ticket.subject)
    about = subject or headline
    return number + _shortened(about, MAX_SUBJECT - len(number))


def _shortened(words: str, limit: int) -> str:
    words = one_line(words)
    short = textwrap.shorten(words, limit, placeholder="...")
    # Not all languages put spaces between words.
    return short if short != "..." else f"{words[: limit - 3]}..."


def one_line(words: str) -> str:
    """Fit for a header, whatever people typed: also no encoded word, which readers would decode."""
    return " ".join(CONTROLS.sub(" ", words).replace("=?", "= ?").split())
