"""How a mail reads: checked and written when it is sent, from the rows as they are then."""

from operator import attrgetter

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import Case, Count, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from messaging.models import InboundMail
from tickets.models import Attachment
from tickets.wording import read_later

from ..models import Notification, OutgoingMail
from ..preferences import is_refused
from .addressing import leave_out
from .enclosing import files_for
from .envelopes import envelope, one_line, subject_for
from .facts import WITH_ALL, basics, facts_for
from .meant import NotMeant
from .quoting import cut, said_before
from .templates import html_of, language_for, words_of
from .unsubscribing import path_to_stop

# What a mail about many things says of the one ticket they are all about.
OF_ONE_TICKET = (
    "ticket", "status_words", "is_requester", "takes_part", "follows", "answer_reopens", "link",
    "link_words", "their_mail",
)  # fmt: skip
FIRST_WORDS = 240  # characters of each thing in a mail about many


def compose(mail: OutgoingMail, told: list[Notification] | None = None) -> EmailMultiAlternatives:
    """``mail`` as it goes out now; ``told`` is what ``told_by`` found for it. Raises NotMeant."""
    if mail.expires_at and mail.expires_at <= timezone.now():
        raise NotMeant(_("It expired before it could be sent."))
    if mail.content:
        return envelope(mail, **mail.content)
    told = told or told_by([mail]).get(mail.pk)
    if not told:
        raise NotMeant(_("What it was about is gone."))
    person = told[0].recipient
    with (
        timezone.override(person.zone),
        translation.override(language_for(person)),
        read_later(names_zone=not person.time_zone),
    ):
        things = _still_meant(told)
        files = files_for(things)
        if len(things) == 1:
            return enveloped(mail, things[0]["kind"], things[0], files)
        return enveloped(mail, "digest", together(things, person), files)


def told_by(mails: list[OutgoingMail]) -> dict[int, list[Notification]]:
    """What each of ``mails`` tells, by its key, in the order in which it happened. One query for
    many of them: it is as long to build as all the rest of a mail."""
    found = Notification.objects.filter(mail__in=[mail.pk for mail in mails])
    found = found.select_related(*WITH_ALL)
    found = found.annotate(
        is_refused=is_refused(), their_mail=_their_last_mail(), file_count=_files_that_came()
    )
    told = {}
    for each in sorted(found.order_by(), key=attrgetter("pk")):  # sorting in SQL costs far more
        told.setdefault(each.mail_id, []).append(each)
    return told


def _their_last_mail() -> Coalesce:
    theirs = InboundMail.objects.filter(
        ticket=OuterRef("event__ticket"), person=OuterRef("recipient"), event__isnull=False
    )
    return Coalesce(Subquery(theirs.order_by("-pk").values("message_id")[:1]), Value(""))


def _files_that_came() -> Case:
    """With its line; with the first one where a ticket is given, as the mail has its words."""
    is_given = Q(kind=Notification.Kind.ASSIGNED_TO_YOU)
    return Case(
        When(is_given, then=_files(event__ticket=OuterRef("event__ticket"), event__number=1)),
        default=_files(event=OuterRef("event")),
    )


def _files(**which) -> Coalesce:
    files = Attachment.objects.filter(**which).order_by().values("event")
    return Coalesce(Subquery(files.annotate(count=Count("pk")).values("count")), 0)


def letter(name: str, person, **facts) -> dict:
    """A mail about nothing in the registry, whole, as ``OutgoingMail.content`` keeps it. It may be
    to an address without a ``person``."""
    with translation.override(language_for(person)):
        return _worded(name, basics(person) | facts)


def _still_meant(told) -> list[dict]:
    """The facts of each of ``told`` that is; the others are left out, and it is on record why.
    Raises NotMeant when none is, and says why."""
    things, refusals = [], []
    for notification in told:
        try:
            things.append(facts_for(notification))
        except NotMeant as refusal:
            refusals.append((notification, refusal))
    if not things:
        raise refusals[-1][1]
    for notification, refusal in refusals:
        leave_out(notification, str(refusal))
    return things


def _worded(name, facts) -> dict:
    """The words around ``facts``, by the templates called ``name``. What the frame shows besides
    is put into ``facts``."""
    facts["headline"] = one_line(words_of(f"{name}_subject.txt", facts))
    facts["next"] = facts.get("next", "").removeprefix(f"{facts['headline']}. ")
    facts["body"] = words_of(f"{name}_message.txt", facts)
    facts.setdefault("why", words_of("_why.txt", facts))
    return {
        "subject": facts["headline"],
        "text": words_of("base_message.txt", facts) + "\n",
        "html": html_of(facts),
    }


def together(things, person) -> dict:
    """The facts of one mail for what waited: by ticket, in the order in which it happened."""
    groups = {}
    for facts in things:
        ticket = facts.get("ticket")
        groups.setdefault(ticket and ticket.pk, []).append(_in_short(facts))
    facts = basics(person) | {
        "count": len(things),
        "groups": list(groups.values()),
        "has_tickets": any(groups),
    }
    stop = path_to_stop(person, *(each["kind"] for each in things))
    facts["stop_link"] = stop and settings.SITE_URL + stop
    if facts["signup_link"]:
        facts["is_cut"] = any(each.get("is_cut") for each in things)
        facts["file_count"] = sum(each.get("file_count", 0) for each in things)
    else:
        facts["choose_link"] = settings.SITE_URL + reverse("notifications:preferences")
    if len(groups) == 1 and ticket:  # it stays in the thread of that ticket
        facts |= {name: things[-1][name] for name in OF_ONE_TICKET}
        facts["is_neutral"] = any(each["is_neutral"] for each in things)
        # Everyone on the ticket gets an answer, and one of the things may not be for everyone.
        facts["reply_to"] = all(each["reply_to"] for each in things) and things[-1]["reply_to"]
    return facts


def enveloped(mail, name, facts, files=()) -> EmailMultiAlternatives:
    """The mail called ``name``: a kind of notification, or ``digest``. ``files`` go with it."""
    ticket = facts.get("ticket")
    facts["enclosed_count"] = len(files)
    facts["file_count"] = facts.get("file_count", 0) - len(files)
    if "event" in facts and not facts["is_neutral"]:
        facts["said_before"] = said_before(facts["event"])
    worded = _worded(name, facts)
    worded["subject"] = subject_for(facts["headline"], ticket, facts.get("is_neutral"))
    return envelope(
        mail,
        **worded,
        ticket=ticket,
        reply_to=facts.get("reply_to", ""),
        stop_link=facts.get("stop_link", ""),
        their_mail="" if facts.get("is_neutral") else facts.get("their_mail", ""),
        is_answer=facts.get("is_answer", False),
        files=files,
    )


def _in_short(facts) -> dict:
    facts["headline"] = one_line(words_of(f"{facts['kind']}_subject.txt", facts))
    said = facts.get("quote") or words_of(f"{facts['kind']}_message.txt", facts)
    # Who has no page reads the whole here or nowhere.
    most = settings.MAX_TEXT_LENGTH if facts["signup_link"] else FIRST_WORDS
    return facts | {"first_words": cut(said, most)}
