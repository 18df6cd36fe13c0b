"""What was said, and the mail it came by."""

from .mail import AgentAddress, Fate, InboundMail, Mailbox, Reason, SenderRule
from .messages import Message, MessageManager, MessageQuerySet

__all__ = [
    "AgentAddress",
    "Fate",
    "InboundMail",
    "Mailbox",
    "Message",
    "MessageManager",
    "MessageQuerySet",
    "Reason",
    "SenderRule",
]
