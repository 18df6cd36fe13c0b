"""The ticket, its numbered history and what belongs to both."""

from .calls import CallRequest
from .categories import Category, Expertise, Priority, Routing
from .clock import ClockHand
from .events import Audience, Channel, TicketEvent, TicketEventQuerySet
from .feedback import Concern, DaySummary, Feedback, Suggestion
from .fields import CategoryField, FieldValue
from .files import Attachment, TicketDraft, attachment_path
from .service_levels import Calendar, Holiday, OpeningHours, SlaPolicy
from .ticket import ReferenceCounter, Tag, Ticket, TicketKind
from .tombstones import Tombstone

__all__ = [
    "Attachment",
    "Audience",
    "Calendar",
    "CallRequest",
    "Category",
    "CategoryField",
    "Channel",
    "ClockHand",
    "Concern",
    "DaySummary",
    "Expertise",
    "Feedback",
    "FieldValue",
    "Holiday",
    "OpeningHours",
    "Priority",
    "ReferenceCounter",
    "Routing",
    "SlaPolicy",
    "Suggestion",
    "Tag",
    "Ticket",
    "TicketDraft",
    "TicketEvent",
    "TicketEventQuerySet",
    "TicketKind",
    "Tombstone",
    "attachment_path",
]
