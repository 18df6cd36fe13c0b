"""How facts are written on pages: icons, times, people, states. The one place for each."""

from datetime import timedelta
from functools import cache, lru_cache

from django import template
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from messaging import line_words
from tickets import wording
from tickets.automation.timing import warned_at
from tickets.models import Priority
from tickets.parties import participant_wording
from tickets.promise.deadlines import moved_words
from tickets.regulated.complaint_words import level_words, stage_words
from tickets.relations.link_words import joined_words
from tickets.workflow import REQUESTER_WORDS, Status

register = template.Library()

STATUS_ICONS = {
    Status.NEW: "circle",
    Status.OPEN: "circle-half",
    Status.WAITING: "hourglass-split",
    Status.HOLD: "pause-circle",
    Status.RESOLVED: "check-circle-fill",
    Status.CLOSED: "lock",
    Status.WITHDRAWN: "x-circle",
}
REQUESTER_ICONS = STATUS_ICONS | {Status.NEW: "inbox", Status.WAITING: "reply-fill"}


# Small parts that stand on a page dozens of times: written once for each form they take.
# What depends on the language has the word among its arguments.


@register.simple_tag
@cache
def icon(name: str, css: str = "") -> SafeString:
    """One icon of the sprite, silent to screen readers: a word always stands beside it."""
    return format_html(
        '<svg class="ccr-i{}" width="16" height="16" aria-hidden="true" focusable="false">'
        '<use href="{}#{}"></use></svg>',
        f" {css}" if css else "",
        static("img/icons.svg"),
        name,
    )


@register.simple_tag
def status_tag(ticket, reader: str = "staff") -> SafeString:
    """The state as a word and a glyph, in the words of ``reader`` (staff or requester)."""
    status = Status(ticket.status)
    if reader == "requester":
        word, glyph = REQUESTER_WORDS[status], REQUESTER_ICONS[status]
    else:
        word, glyph = status.label, STATUS_ICONS[status]
    return _status(status.value, glyph, str(word))


@cache
def _status(status, glyph, word):
    return format_html(
        '<span class="ccr-status ccr-status--{}">{}{}</span>', status, icon(glyph), word
    )


@register.simple_tag
def priority_tag(ticket, quiet: bool = False) -> SafeString:
    """Signal bars and a word; ``quiet`` hides the word from sight, for tables."""
    return _priority(ticket.priority, str(Priority(ticket.priority).label), quiet)


@cache
def _priority(priority, word, quiet):
    facts = {"priority": priority, "word": word, "quiet": quiet}
    return render_to_string("registry/_priority.html", facts)


@register.simple_tag
def avatar(person, size: str = "") -> SafeString:
    return _avatar(person.avatar_class, person.initials, size, person.photo_url)


@lru_cache(maxsize=1000)
def _avatar(colour, initials, size, photo_url):
    """The photo lies over the initials: who may not see it, or has it no more, sees those."""
    return format_html(
        '<span class="ccr-avatar {}{}" aria-hidden="true">{}{}</span>',
        colour,
        f" ccr-avatar--{size}" if size else "",
        initials,
        format_html('<img src="{}" alt="">', photo_url) if photo_url else "",
    )


@register.filter
def time_tag(local) -> SafeString:
    """The time of day, with the whole moment for programs; ``local`` is in the reader's zone."""
    return format_html('<time datetime="{}">{}</time>', local.isoformat(), f"{local:%H:%M}")


@register.filter
def when_tag(moment) -> SafeString:
    """The day and the time of day, with the whole moment for programs."""
    iso = timezone.localtime(moment).isoformat()
    return format_html('<time datetime="{}">{}</time>', iso, wording.when(moment))


for say in (
    wording.clock,
    wording.day,
    wording.long_day,
    wording.when,
    wording.by_when,
    wording.span,
    wording.ago,
    moved_words,
    stage_words,
    level_words,
    joined_words,
):
    register.filter(say)


@register.simple_tag
def due_tag(ticket) -> SafeString | str:
    """The staff's clock: what is left of the time to answer, or to solve it if that ends sooner;
    what is over, or that it is paused."""
    if ticket.status in (Status.WAITING, Status.HOLD):
        return format_html(
            '<span class="ccr-due ccr-due--paused">{}<span>{}</span></span>',
            icon("pause"),
            _("Paused"),
        )
    if ticket.status not in (Status.NEW, Status.OPEN):
        return ""
    is_answer = ticket.resolve_by is None or ticket.due_at <= ticket.resolve_by
    due_at = ticket.due_at if is_answer else ticket.resolve_by
    title = wording.when(due_at)
    now = timezone.now()
    left = due_at - now
    if left < timedelta():
        kind, glyph, words = "over", "exclamation-circle-fill", _("%(span)s over")
    elif now >= (warned_at(ticket, due_at) or due_at - timedelta(hours=1)):
        kind, glyph, words = "soon", "clock-history", _("%(span)s left")
    else:
        kind, glyph, words = "ok", "clock", _("%(span)s left")
    return format_html(
        '<span class="ccr-due ccr-due--{}" title="{}">{}<span>{}</span></span>',
        kind,
        title if is_answer else _("To be solved by %(time)s") % {"time": title},
        icon(glyph),
        words % {"span": wording.span(abs(left))},
    )


for say in (
    participant_wording.promise_for,
    participant_wording.coming_words,
    line_words.event_words,
    line_words.assigned_words,
    line_words.clock_words,
    line_words.step_words,
):
    register.simple_tag(say)


@register.simple_tag
def steps_tag(ticket) -> SafeString:
    """Received, assigned, in progress, resolved: how far a live ticket has come."""
    at = 0 if ticket.assignee_id is None else 2
    words = (_("Received"), _("Assigned"), _("In progress"), _("Resolved"))
    return _steps(at, words, wording.when(ticket.created_at), str(ticket.assignee or ""))


@lru_cache(maxsize=1000)
def _steps(at, words, received, agent):
    said = {0: received, 1: agent}
    steps = [
        {
            "word": word,
            "state": "done" if number < at else "now" if number == at else "",
            "when": said.get(number, ""),
        }
        for number, word in enumerate(words)
    ]
    return render_to_string("tickets/_steps.html", {"steps": steps})


@register.simple_tag
def event_icon(line) -> SafeString:
    return icon(STATUS_ICONS[Status(line.data["to"])])


@register.filter
def item(mapping, key):
    return mapping[key]


@register.filter
def first_id(bound_field) -> str:
    """Where the link of an error leads: the control, or the first of several."""
    if getattr(bound_field.field.widget, "is_group", False):
        return f"{bound_field.auto_id}_0"
    return bound_field.id_for_label or f"{bound_field.auto_id}_0"


@register.filter
def chosen_priority(form) -> str:
    """High: I can't use what I paid for."""
    priority = Priority(form.cleaned_data["priority"])
    return f"{priority.label}: {form.fields['priority'].hints[priority]}"


@register.filter
def options(bound_field) -> list[tuple[str, str, bool]]:
    """Value, word and whether it is chosen, for each option of a select.

    Much quicker than Django's widget, which renders a template for each. Not ``list``: asked for
    its length, the choices of a model would be counted in the database first.
    """
    chosen = str(bound_field.value())
    return [(str(value), word, str(value) == chosen) for value, word in bound_field.field.choices]


@register.filter
def choice_hint(bound_field, choice) -> str:
    """The line under a radio's label, from the field's ``hints``."""
    return getattr(bound_field.field, "hints", {}).get(choice.data["value"], "")


@register.simple_tag(takes_context=True)
def query(context, **changes) -> str:
    """This page's query with ``changes``, from its first page on; None removes a parameter."""
    params = context["request"].GET.copy()
    params.pop("after", None)
    for name, value in changes.items():
        if value is None:
            params.pop(name, None)
        else:
            params[name] = value
    return f"?{params.urlencode()}" if params else "?"
