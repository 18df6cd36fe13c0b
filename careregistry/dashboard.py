"""What an administrator sees first.

Every figure is capped or read from the daily summaries, so the page costs the same however many
tickets there are. The orderings below are those of the indexes: without them PostgreSQL may walk
the table instead.
"""

import itertools
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

from django.contrib.admin.models import LogEntry
from django.db.models import Avg, Count
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.console import capped
from accounts.lists import LISTS
from accounts.models import Application, Role, User
from messaging.inbound.ledger import WAITING
from messaging.inbound.watching import silent_mailboxes
from messaging.models import InboundMail
from notifications.mail.circuit import circuit_open
from notifications.mail.outbox import LONGEST_OUTAGE_DELAY
from notifications.models import OutgoingMail
from tickets.automation.assignment import Desk, overdue
from tickets.counting import CappedCount
from tickets.models import Concern, DaySummary, Feedback, RuleRun, Ticket
from tickets.wording import ago, desk_day, span
from tickets.workflow import Status

from .doctor import LATE_SECONDS

MAX_COUNT = 1_000
NEWEST_MEASURED = 500  # for the figures that are no counts
DAYS = 30
FAILED_DAYS = 7  # how long what a rule could not do is news
UNASSIGNED_SHOWN = 10
AGENTS_OFFERED = 25  # in each row's select; the page of the question offers all
AGENTS_SHOWN = 10
REQUESTS_SHOWN = 10
ACTIONS_SHOWN = 6
TICKETS_SHOWN = 6
MAILS_ASKED = 50  # the next that are due: during an outage each of them waits


def dashboard(user) -> dict:
    """The context of the dashboard of the administrator ``user``."""
    unassigned = _unassigned()
    desk = Desk(unassigned)
    days = _last_days()
    counts = _counts(user)
    mail_stopped = circuit_open()
    return {
        "figures": _figures(counts, unassigned, days),
        "unassigned": [
            {
                "ticket": ticket,
                "is_late": ticket.due_at < timezone.now(),
                "is_own": ticket.requester_id == user.pk,
                "candidates": desk.candidates([ticket], AGENTS_OFFERED),
            }
            for ticket in unassigned
        ],
        "workloads": _workloads(desk.agents),
        "requests": [
            (_("Agent requests"), _pending(Role.AGENT)),
            (_("Admin requests"), _pending(Role.ADMIN)),
        ],
        "mail_stopped": mail_stopped,
        "late_mail": None if mail_stopped else _late_mail(),
        "stuck": counts["stuck"] and capped(counts["stuck"], MAX_COUNT),
        "failed_rules": counts["failed_rules"] and capped(counts["failed_rules"], MAX_COUNT),
        "silent": counts["silent"] and capped(counts["silent"], MAX_COUNT),
        "waiting_mails": counts["waiting_mails"] and capped(counts["waiting_mails"], MAX_COUNT),
        "concerns": capped(counts["unsettled"], MAX_COUNT),
        "lists": [(title, _people_url(name)) for name, (title, _condition) in LISTS.items()],
        "chart": Chart(days) if days else None,
        "recent_actions": LogEntry.objects.select_related("user").order_by("-pk")[:ACTIONS_SHOWN],
        "due_next": Ticket.objects.live().with_people().order_by("due_at", "pk")[:TICKETS_SHOWN],
    }


# --- Mail that does not go out ----------------------------------------------


def _late_mail() -> OutgoingMail | None:
    """The one that has waited longest, by its ``waits_since``, if that is too long: nobody answers
    at the mail server, or no worker runs."""
    now = timezone.now()
    # While nobody answers, each is put off for a few minutes again and again.
    due = OutgoingMail.objects.due(now + LONGEST_OUTAGE_DELAY)
    mails = due.only("created_at", "next_try_at", "tries", "last_answer")[:MAILS_ASKED]
    for mail in mails:
        # A try that met nobody is not counted: only the answer tells of it.
        met_nobody = mail.last_answer and not mail.tries
        mail.waits_since = mail.created_at if met_nobody else mail.next_try_at
    longest = min(mails, key=lambda mail: mail.waits_since, default=None)
    is_late = longest and (now - longest.waits_since).total_seconds() > LATE_SECONDS
    return longest if is_late else None


# --- Figures ----------------------------------------------------------------


@dataclass(frozen=True)
class Figure:
    label: str
    value: str
    note: str
    url: str
    tone: str = ""  # good, bad


def _figures(counts, unassigned, days) -> list[Figure]:
    """Each opens exactly the tickets it counts."""
    today = days[-1].raised if days and days[-1].day == desk_day() else 0
    figures = [
        Figure(
            _("All open"),
            capped(counts["live"], MAX_COUNT),
            _("%(n)s raised today") % {"n": today},
            _tickets_url("status=live"),
        ),
        Figure(
            _("Unassigned"),
            capped(counts["unassigned"], MAX_COUNT),
            _("Oldest %(span)s") % {"span": ago(unassigned[0].created_at)}
            if unassigned
            else _("All taken"),
            _tickets_url("status=live&agent=nobody"),
            "" if unassigned else "good",
        ),
        Figure(
            _("Overdue"),
            capped(counts["overdue"], MAX_COUNT),
            _("Promise missed") if counts["overdue"] else _("Every promise kept"),
            _tickets_url("due=overdue"),
            "bad" if counts["overdue"] else "good",
        ),
        Figure(
            _("Waiting on customer"),
            capped(counts["waiting"], MAX_COUNT),
            _("The clock is paused"),
            _tickets_url("status=waiting"),
        ),
    ]
    return [*figures, _first_reply(), _rating()]


def _counts(user) -> dict:
    """All counts in one query; ``user`` is but the row to hang them on."""
    live = Ticket.objects.live()
    late = overdue(Ticket.objects, at=timezone.now()).order_by("due_at")
    stuck = Ticket.objects.present().filter(stuck_since__isnull=False)
    since = timezone.now() - timedelta(days=FAILED_DAYS)
    lately_failed = RuleRun.objects.filter(state=RuleRun.State.FAILED, done_at__gte=since)
    tried = RuleRun.objects.filter(state=RuleRun.State.OWED, tries__gt=0)
    return (
        User.objects.filter(pk=user.pk)
        .values(
            live=_capped(live.order_by("status", "due_at")),
            unassigned=_capped(Ticket.objects.unassigned().order_by("created_at", "pk")),
            # One count for each state: only then the index gives the late ones first.
            overdue=_capped(late.filter(status=Status.NEW))
            + _capped(late.filter(status=Status.OPEN)),
            waiting=_capped(live.filter(status=Status.WAITING).order_by("due_at")),
            stuck=_capped(stuck.order_by("stuck_since")),
            failed_rules=_capped(lately_failed.order_by("pk")) + _capped(tried.order_by("pk")),
            silent=_capped(silent_mailboxes().order_by("name")),
            waiting_mails=sum(
                _capped(InboundMail.objects.filter(fate=fate).order_by("-pk")) for fate in WAITING
            ),
            unsettled=_capped(Concern.objects.filter(settled_at=None).order_by("created_at")),
        )
        .get()
    )


def _capped(rows):
    return CappedCount(rows.values("pk")[: MAX_COUNT + 1])


def _first_reply() -> Figure:
    """The median over the newest tickets that have been answered."""
    newest = Ticket.objects.order_by("-pk").values_list("created_at", "first_responded_at")
    waits = [answered - raised for raised, answered in newest[:NEWEST_MEASURED] if answered]
    return Figure(
        _("First reply, median"),
        span(median(waits)) if waits else "–",
        _("of the newest tickets"),
        _tickets_url(""),
    )


def _rating() -> Figure:
    """The mean of the newest ratings."""
    since = timezone.now() - timedelta(days=DAYS)
    newest = Feedback.objects.filter(created_at__gte=since).order_by("-created_at")
    found = newest[:NEWEST_MEASURED].aggregate(mean=Avg("rating"), count=Count("pk"))
    note = ngettext("from %(n)s rating", "from %(n)s ratings", found["count"])
    if found["count"] == NEWEST_MEASURED:
        note = _("from the newest %(n)s ratings")
    return Figure(
        _("Rating, %(n)s days") % {"n": DAYS},
        f"{found['mean']:.1f}" if found["count"] else "–",
        note % {"n": found["count"]},
        reverse("admin:tickets_feedback_changelist") + "?given=lately",
    )


def _tickets_url(query: str) -> str:
    return f"{reverse('admin:tickets_ticket_changelist')}?{query}"


def _people_url(name: str) -> str:
    return f"{reverse('admin:accounts_user_changelist')}?people={name}"


# --- Tables -----------------------------------------------------------------


def _unassigned() -> list[Ticket]:
    oldest = Ticket.objects.unassigned().order_by("created_at", "pk")
    return list(oldest.select_related("requester", "category")[:UNASSIGNED_SHOWN])


def _pending(role):
    pending = Application.objects.pending().filter(role=role)
    return pending.select_related("applicant")[:REQUESTS_SHOWN]


def _workloads(agents) -> list[dict]:
    """A bar for each of the busiest: widths and starts in percent of the longest."""
    busiest = sorted(agents, key=lambda agent: (-agent.open_count, str(agent)))[:AGENTS_SHOWN]
    longest = max((agent.open_count for agent in busiest), default=0) or 1
    rows = []
    for agent in busiest:
        later = max(agent.open_count - agent.due_today_count - agent.overdue_count, 0)
        parts = [("f-c1", later), ("f-c2", agent.due_today_count), ("f-c5", agent.overdue_count)]
        rows.append(
            {
                "agent": agent,
                "bars": _bars(parts, 100 / longest),
                "url": _tickets_url(f"status=live&agent={agent.pk}"),
            }
        )
    return rows


def _bars(parts, scale) -> list[dict]:
    bars, start = [], 0
    for css, count in parts:
        if count:
            bars.append({"css": css, "x": f"{start * scale:.1f}", "width": f"{count * scale:.1f}"})
        start += count
    return bars


# --- Raised and resolved ----------------------------------------------------


def _last_days() -> list[DaySummary]:
    """The last days, the oldest first; a day without a summary had nothing to count."""
    today = desk_day()
    first = today - timedelta(days=DAYS - 1)
    known = {row.day: row for row in DaySummary.objects.filter(day__range=(first, today))}
    if not known:
        return []
    days = [first + timedelta(days=n) for n in range(DAYS)]
    return [known.get(day) or DaySummary(day=day) for day in days]


class Chart:
    """Lines over a plane of 100 by 100. Numbers are written here, so no language's decimal
    comma gets into the drawing."""

    top, height = 14, 170  # where the plane lies in the picture, in pixels

    def __init__(self, days: list[DaySummary]):
        self.days = days
        self.ceiling = _round_up(max(max(day.raised, day.resolved) for day in days))
        self.raised = self._path([day.raised for day in days])
        self.resolved = self._path([day.resolved for day in days])

    @property
    def area(self) -> str:
        return f"{self.resolved} L100 100 L0 100 Z"

    @property
    def grid(self) -> list[dict]:
        """Five lines, each but the lowest with its number above."""
        lines = []
        for quarter in range(5):
            y = self.top + self.height * (4 - quarter) / 4
            count = self.ceiling * quarter // 4
            lines.append({"y": f"{y:.1f}", "text_y": f"{y - 4:.1f}", "count": count or ""})
        return lines

    @property
    def labels(self) -> list[dict]:
        """A date under the first day, the last one and each quarter between."""
        last = len(self.days) - 1
        places = {0: "", last // 4: "mid", last // 2: "mid", last * 3 // 4: "mid", last: "end"}
        return [
            {
                "x": f"{100 * place / last:.1f}",
                "text": _short_day(self.days[place].day),
                "anchor": anchor,
            }
            for place, anchor in places.items()
        ]

    @property
    def finding(self) -> str:
        """What a reader of the picture learns, in words."""
        peak = max(self.days, key=lambda day: day.raised)
        return _("Between %(least)s and %(most)s raised a day, most of them on %(day)s.") % {
            "least": min(day.raised for day in self.days),
            "most": peak.raised,
            "day": date_format(peak.day, "j F"),
        }

    def _path(self, counts) -> str:
        step = 100 / (len(counts) - 1)
        points = [
            f"{place * step:.2f} {100 - 100 * count / self.ceiling:.2f}"
            for place, count in enumerate(counts)
        ]
        return "M" + " L".join(points)


def _round_up(count: int) -> int:
    """The first of 4, 8, 20, 40, 80, 200 … that holds ``count``: its quarters are round."""
    steps = (step * 10**power for power in itertools.count() for step in (4, 8, 20))
    return next(step for step in steps if step >= count)


def _short_day(day: date) -> str:
    return date_format(day, "j M")
