"""How facts are written on pages: icons, times, people, states. The one place for each."""

from datetime import datetime, timedelta

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, linebreaks
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

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


@register.simple_tag
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
    return format_html(
        '<span class="ccr-status ccr-status--{}">{}{}</span>', status.value, icon(glyph), word
    )


@register.inclusion_tag("registry/_priority.html")
def priority_tag(ticket, quiet: bool = False):
    """Signal bars and a word; ``quiet`` hides the word from sight, for tables."""
    return {"priority": ticket.priority, "word": ticket.get_priority_display(), "quiet": quiet}


@register.inclusion_tag("registry/_avatar.html")
def avatar(person, size: str = ""):
    return {"person": person, "size": size}


@register.filter
def clock(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "H:i")


@register.filter
def day(moment) -> str:
    """Mon 23 Nov, with the year when it is not this one."""
    if isinstance(moment, datetime):
        moment = timezone.localtime(moment).date()
    this_year = moment.year == timezone.localdate().year
    return date_format(moment, "D j M" if this_year else "D j M Y")


@register.filter
def long_day(moment: datetime) -> str:
    """Today, Yesterday or Wednesday 18 November."""
    date = timezone.localtime(moment).date()
    today = timezone.localdate()
    if date == today:
        return _("Today")
    if date == today - timedelta(days=1):
        return _("Yesterday")
    return date_format(date, "l j F" if date.year == today.year else "l j F Y")


@register.filter
def when(moment: datetime) -> str:
    """Wed 18 Nov, 09:14."""
    return f"{day(moment)}, {clock(moment)}"


@register.filter
def by_when(moment: datetime) -> str:
    """A promise: 16:00 today, 12:00 tomorrow, Mon 23 Nov."""
    date = timezone.localtime(moment).date()
    today = timezone.localdate()
    if date == today:
        return _("%(time)s today") % {"time": clock(moment)}
    if date == today + timedelta(days=1):
        return _("%(time)s tomorrow") % {"time": clock(moment)}
    return day(moment)


def span(seconds: float) -> str:
    """38 min, 1 h 20, 3 days. No-break space between number and unit."""
    minutes = int(seconds // 60)
    if minutes < 60:
        return _("%(n)s\u00a0min") % {"n": minutes}
    if minutes < 24 * 60:
        hours, rest = divmod(minutes, 60)
        return f"{hours}\u00a0h {rest:02d}" if rest else f"{hours}\u00a0h"
    days = minutes // (24 * 60)
    return ngettext("%(n)s\u00a0day", "%(n)s\u00a0days", days) % {"n": days}


@register.filter
def ago(moment: datetime) -> str:
    return span((timezone.now() - moment).total_seconds())


@register.inclusion_tag("registry/_due.html")
def due_tag(ticket):
    """The staff's clock: what is left, what is over, or that it is paused."""
    if not ticket.due_at or ticket.status not in (Status.NEW, Status.OPEN):
        paused = ticket.status in (Status.WAITING, Status.HOLD)
        return {"kind": "paused", "glyph": "pause", "words": _("Paused")} if paused else {}
    left = (ticket.due_at - timezone.now()).total_seconds()
    if left < 0:
        words = _("%(span)s over") % {"span": span(-left)}
        return {"kind": "over", "glyph": "exclamation-circle-fill", "words": words, "at": ticket.due_at}
    words = _("%(span)s left") % {"span": span(left)}
    if left < 3600:
        return {"kind": "soon", "glyph": "clock-history", "words": words, "at": ticket.due_at}
    return {"kind": "ok", "glyph": "clock", "words": words, "at": ticket.due_at}


@register.filter
def paragraphs(text: str) -> SafeString:
    """Plain words as paragraphs, everything escaped."""
    return linebreaks(text, autoescape=True)


@register.filter
def choice_hint(bound_field, choice) -> str:
    """The line under a radio's label, from the field's ``hints``."""
    return getattr(bound_field.field, "hints", {}).get(choice.data["value"], "")


@register.simple_tag(takes_context=True)
def query(context, **changes) -> str:
    """This page's query with ``changes``; None removes a parameter, every change leaves the page."""
    params = context["request"].GET.copy()
    params.pop("after", None)
    for name, value in changes.items():
        if value is None:
            params.pop(name, None)
        else:
            params[name] = value
    return f"?{params.urlencode()}" if params else "?"
