"""Whether the conditions of a rule hold for a ticket."""

import re
from dataclasses import dataclass

from ..likeness import plain
from ..models import Feedback, Rule, Tag, Ticket, TicketEvent


@dataclass(frozen=True)
class Case:
    """A ticket as conditions see it."""

    ticket: Ticket
    words: str  # what set the rule off or, without words of its own, what the customer wrote first
    channel: str
    tags: set[Tag]
    rating: int | None


def cases(causes: list[tuple[Ticket, TicketEvent | None]]) -> list[Case]:
    """Each ticket with its cause as a case, in as many queries for all as for one."""
    pks = [ticket.pk for ticket, _event in causes]
    first = TicketEvent.objects.filter(ticket__in=pks, number=1).defer("salt", "digest")
    raised = {line.ticket_id: line for line in first}
    worn = {}
    for tag in Ticket.tags.through.objects.filter(ticket__in=pks).select_related("tag"):
        worn.setdefault(tag.ticket_id, set()).add(tag.tag)
    ratings = Feedback.objects.filter(ticket__in=pks).order_by("round")
    rating = dict(ratings.values_list("ticket", "rating"))  # the newest of each
    return [
        Case(
            ticket,
            f"{ticket.subject}\n{(event and event.text) or raised[ticket.pk].text}",
            raised[ticket.pk].channel,
            worn.get(ticket.pk, set()),
            rating.get(ticket.pk),
        )
        for ticket, event in causes
    ]


def holds(rule: Rule, case: Case) -> bool:
    """Whether all conditions hold. One that is empty always does."""
    ticket = case.ticket
    return (
        _is_among(ticket.kind, rule.kinds)
        and _is_among(ticket.priority, rule.priorities)
        and _is_among(ticket.status, rule.statuses)
        and _is_among(case.channel, rule.channels)
        and rule.is_assigned in (None, ticket.assignee_id is not None)
        and (rule.rated_at_most is None or (case.rating or 6) <= rule.rated_at_most)
        and _has_one({ticket.category_id, ticket.category.parent_id}, rule.categories.all())
        and _has_one({tag.pk for tag in case.tags}, rule.tags.all())
        and (not rule.words or says(rule.words, case.words))
    )


def _is_among(value, wanted) -> bool:
    return not wanted or value in wanted


def _has_one(pks, wanted) -> bool:
    wanted = {each.pk for each in wanted}
    return not wanted or not wanted.isdisjoint(pks)


def says(words: str, text: str) -> bool:
    """Whether one of ``words``, one on each line, stands in ``text``: whole, whatever its case
    and accents. A star at its beginning or end stands for any letters."""
    said = " ".join(plain(text).split())
    return any(re.search(_pattern(word), said) for word in words.splitlines() if word.strip(" *"))


def _pattern(word) -> str:
    word = " ".join(plain(word).split())
    before = r"\w*" if word.startswith("*") else ""
    after = r"\w*" if word.endswith("*") else ""
    return rf"(?<!\w){before}{re.escape(word.strip('*'))}{after}(?!\w)"
