"""The ticket, its numbered history and what belongs to both."""

from .categories import Category, Expertise
from .events import Audience, Channel, TicketEvent, TicketEventQuerySet
from .feedback import DaySummary, Feedback
from .files import Attachment, TicketDraft, attachment_path
from .ticket import Priority, ReferenceCounter, Ticket

__all__ = [
    "Attachment",
    "Audience",
    "Category",
    "Channel",
    "DaySummary",
    "Expertise",
    "Feedback",
    "Priority",
    "ReferenceCounter",
    "Ticket",
    "TicketDraft",
    "TicketEvent",
    "TicketEventQuerySet",
    "attachment_path",
]
