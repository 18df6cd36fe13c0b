"""Tickets with the lines their actions would have written, made up in memory."""

from datetime import datetime, timedelta
from random import Random

from accounts.models import User
from tickets import history
from tickets.automation.timing import wakes_at
from tickets.models import Audience, Feedback, Priority, Ticket, TicketEvent
from tickets.promise import promises
from tickets.workflow import ENDED, Part, Status

from .people import Cast
from .words import (
    AGENT_LINES,
    COMMENTS,
    COMPLAINTS,
    CUSTOMER_LINES,
    HOLD_REASONS,
    NOTES,
    RESOLUTIONS,
    TRADES,
)

Kind = TicketEvent.Kind

OTHER_LINES = 8  # at most, besides messages: raised, assigned, opened, note, moves, rated
PRIORITIES = [Priority.LOW, *[Priority.NORMAL] * 5, Priority.HIGH, Priority.URGENT]
MESSAGES = [2, 3, 4, 4, 5, 5, 6, 6, 7, 8]  # five on average


class Story:
    """One ticket. ``write`` does what ``history.write`` does, without a database."""

    def __init__(self, ticket: Ticket, *, rng: Random, first_pk: int, step: timedelta):
        self.ticket = ticket
        self.lines: list[TicketEvent] = []
        self.feedback: list[Feedback] = []
        self.rng = rng
        self.first_pk = first_pk
        self.step = step
        self.now = ticket.created_at

    def write(self, kind, *, by: User, text="", data=None, audience=Audience.EVERYONE, **changes):
        ticket = self.ticket
        salt = f"{self.rng.getrandbits(128):032x}" if text else ""
        event = TicketEvent(
            pk=self.first_pk + ticket.event_count,
            ticket_id=ticket.pk,
            number=ticket.event_count + 1,
            kind=kind,
            actor_id=by.pk,
            at=self.now,
            audience=audience,
            data=data or {},
            text=text,
            salt=salt,
            words_hash=history.words_hash(salt, text),
        )
        event.digest = history.digest(ticket.head_digest, event)
        if kind in (Kind.STATUS, Kind.RAISED):
            changes["status_event_id"] = event.pk
        changes |= {
            "event_count": event.number,
            "head_digest": event.digest,
        }
        if audience == Audience.EVERYONE:
            changes["last_event_at"] = event.at
        for field, value in changes.items():
            setattr(ticket, field, value)
        self.lines.append(event)
        self.now += self.step

    def move(self, to: Status, *, by: User, text="", data=None, **changes):
        data = {"from": self.ticket.status, "to": to, **(data or {})}
        if to in ENDED:
            changes |= {"closed_at": self.now, "due_at": None}
        self.write(Kind.STATUS, by=by, text=text, data=data, status=to, **changes)

    def say(self, words: list[str], *, by: User):
        ticket = self.ticket
        asks = by.pk == ticket.requester_id
        changes = {
            "message_count": ticket.message_count + 1,
            "last_message_by": Part.REQUESTER if asks else Part.ASSIGNEE,
        }
        if not asks and ticket.first_responded_at is None:
            changes["first_responded_at"] = self.now
        self.write(
            Kind.MESSAGE,
            by=by,
            text=" ".join(self.rng.sample(words, self.rng.randint(1, 4))),
            **changes,
        )


class Storyteller:
    """Makes up one ticket after another. The same ``rng`` tells the same stories."""

    def __init__(self, cast: Cast, *, rng: Random, until: datetime):
        self.cast = cast
        self.rng = rng
        self.until = until  # nothing happens later

    def tell(
        self,
        *,
        pk: int,
        first_line_pk: int,
        reference: str,
        created_at: datetime,
        requester: User,
        agent: User,
        ending: Status,
        messages: int | None = None,
    ) -> Story:
        """The story of a ticket that stands at ``ending`` now, with ``messages`` messages."""
        rng = self.rng
        trade = rng.randrange(len(TRADES))
        _, _, things, faults = TRADES[trade]
        thing = rng.choice(things)
        ticket = Ticket(
            pk=pk,
            reference=reference,
            requester=requester,
            category=self.cast.categories[trade],
            subject=f"{thing} {rng.choice(faults)}",
            priority=rng.choice(PRIORITIES),
            against=thing,
            incident_on=created_at.date() - timedelta(days=rng.randint(0, 20)),
            created_at=created_at,
            pooled_at=created_at,
            due_at=self._answer_due(),
            clocked_until=self.until,  # nobody is told of what was told
        )
        if messages is None:
            messages = rng.choice(MESSAGES)
        lifetime = self.until - created_at
        if ending in (*ENDED, Status.RESOLVED):
            lifetime = min(lifetime, timedelta(days=rng.uniform(1, 14)))
        step = lifetime / (messages + OTHER_LINES)
        story = Story(ticket, rng=rng, first_pk=first_line_pk, step=step)
        self._begin(story)
        if ending != Status.NEW:
            self._handle(story, agent, messages)
            self._end(story, agent, ending)
        ticket.wakes_at = wakes_at(ticket)
        return story

    def _answer_due(self) -> datetime:
        """Some promises were missed, most are not due yet."""
        return self.until + timedelta(hours=self.rng.uniform(-12, 72))

    def _begin(self, story: Story):
        ticket = story.ticket
        story.write(
            Kind.RAISED,
            by=ticket.requester,
            data={
                "category": ticket.category_id,
                "priority": ticket.priority,
                "channel": "web",
                "kind": ticket.kind,
            },
            text=" ".join(self.rng.sample(COMPLAINTS, 3)),
            last_message_by=Part.REQUESTER,
            message_count=1,
        )

    def _handle(self, story: Story, agent: User, messages: int):
        admin = self.cast.admin
        story.write(Kind.ASSIGNED, by=admin, data={"from": None, "to": agent.pk}, assignee=agent)
        story.move(Status.OPEN, by=admin, data={"why": Part.ASSIGNMENT})
        for n in range(messages):
            if n % 2:
                story.say(CUSTOMER_LINES, by=story.ticket.requester)
            else:
                story.say(AGENT_LINES, by=agent)
        if self.rng.random() < 0.2:
            story.write(Kind.NOTE, by=agent, text=self.rng.choice(NOTES), audience=Audience.STAFF)

    def _end(self, story: Story, agent: User, ending: Status):
        requester = story.ticket.requester
        if ending == Status.WAITING:
            story.move(ending, by=agent, due_at=promises.requester_due(story.now))
        elif ending == Status.HOLD:
            day = (self.until + timedelta(days=self.rng.randint(1, 10))).date()
            story.move(
                ending,
                by=agent,
                text=self.rng.choice(HOLD_REASONS),
                data={"until": day.isoformat()},
                due_at=promises.hold_due(day),
            )
        elif ending == Status.WITHDRAWN:
            story.move(ending, by=requester)
        elif ending in (Status.RESOLVED, Status.CLOSED):
            self._resolve(story, agent)
            if ending == Status.CLOSED:
                story.move(ending, by=requester)
                self._rate(story, agent)

    def _resolve(self, story: Story, agent: User):
        resolution, words = self.rng.choice(RESOLUTIONS)
        story.move(
            Status.RESOLVED,
            by=agent,
            text=words,
            data={"resolution": resolution},
            resolution_kind=resolution,
            resolved_at=story.now,
            due_at=promises.closing_due(story.now),
        )

    def _rate(self, story: Story, agent: User):
        if self.rng.random() < 0.6:
            return
        rating, comment = self.rng.choice([1, 2, 3, 4, 4, 5, 5, 5]), self.rng.choice(COMMENTS)
        story.feedback.append(
            Feedback(
                ticket_id=story.ticket.pk,
                rating=rating,
                comment=comment,
                agent=agent,
                created_at=story.now,
            )
        )
        story.write(Kind.RATED, by=story.ticket.requester, text=comment, data={"rating": rating})
