"""The ticket, its numbered history and what belongs to both."""

from .calls import CallRequest
from .categories import Category, Expertise, Priority, Routing
from .clock import ClockHand
from .complaints import (
    ComplaintCase,
    ComplaintCode,
    ComplaintTrack,
    DayCount,
    EscalationLevel,
    Stage,
)
from .events import Audience, Channel, TicketEvent, TicketEventQuerySet
from .feedback import Concern, DaySummary, Feedback, Suggestion
from .fields import CategoryField, FieldValue
from .files import Attachment, TicketDraft, attachment_path
from .links import LinkKind, TicketLink
from .participants import Follower, Participant
from .problems import Problem
from .rules import TIMED, Rule, RuleRun, Trigger
from .service_levels import Calendar, Holiday, OpeningHours, SlaPolicy
from .ticket import ReferenceCounter, Tag, Ticket, TicketKind
from .tombstones import Tombstone

__all__ = [
    "TIMED",
    "Attachment",
    "Audience",
    "Calendar",
    "CallRequest",
    "Category",
    "CategoryField",
    "Channel",
    "ClockHand",
    "ComplaintCase",
    "ComplaintCode",
    "ComplaintTrack",
    "Concern",
    "DayCount",
    "DaySummary",
    "EscalationLevel",
    "Expertise",
    "Feedback",
    "FieldValue",
    "Follower",
    "Holiday",
    "LinkKind",
    "OpeningHours",
    "Participant",
    "Priority",
    "Problem",
    "ReferenceCounter",
    "Routing",
    "Rule",
    "RuleRun",
    "SlaPolicy",
    "Stage",
    "Suggestion",
    "Tag",
    "Ticket",
    "TicketDraft",
    "TicketEvent",
    "TicketEventQuerySet",
    "TicketKind",
    "TicketLink",
    "Tombstone",
    "Trigger",
    "attachment_path",
]
