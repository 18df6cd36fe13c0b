from django.dispatch import Signal

# All are sent inside the transaction that wrote the line, so a receiver's rows live and die
# with their cause.

# A new line stands in a ticket's history. Arguments: ticket: Ticket, event: TicketEvent
line_written = Signal()

# A ticket was raised. Arguments: ticket: Ticket, event: TicketEvent
ticket_raised = Signal()

# A ticket got an agent. Arguments: ticket: Ticket, event: TicketEvent (data: from, to)
ticket_assigned = Signal()

# A ticket moved along the workflow. Arguments: ticket: Ticket, event: TicketEvent
# (data: from, to, and why if another step brought it: "assignment", "reply" or "message";
# text: reason or resolution)
ticket_status_changed = Signal()

# The answer is promised for another time. Arguments: ticket: Ticket, event: TicketEvent
# (data: from, to, because: "priority", "category" or "hand"; text: the reason given)
promise_moved = Signal()

# Time did something to a ticket that moved it nowhere. Arguments: ticket: Ticket,
# event: TicketEvent (kind: warned, breached, alarmed or reminded; data: rule, a name of
# tickets.automation.timing.MOMENTS)
ticket_clocked = Signal()

# A ticket is somebody else's now. Arguments: ticket: Ticket, event: TicketEvent (data: from, to)
requester_corrected = Signal()

# The requester wants to be called. Arguments: ticket: Ticket, event: TicketEvent (text: when)
call_asked = Signal()

# A call was written down. Arguments: ticket: Ticket, event: TicketEvent (text: what was said)
call_logged = Signal()

# A customer takes part in a ticket from now on. Arguments: ticket: Ticket, event: TicketEvent
# (data: person)
participant_added = Signal()

# A conversation goes on elsewhere: merged, or split off. Arguments: ticket: Ticket (where it goes
# on), event: TicketEvent (merged, unmerged or split)
tickets_rejoined = Signal()

# The last live part of a parent ended. Arguments: ticket: Ticket (the parent), event: TicketEvent
children_done = Signal()

# The cause behind a ticket is mended. Arguments: ticket: Ticket, event: TicketEvent (text: what
# its customer is told)
problem_mended = Signal()

# A regulated complaint moved to its next stage or level. Arguments: ticket: Ticket,
# event: TicketEvent (staged or escalated; text: what the customer is told)
complaint_moved = Signal()

# A rule wants people to know of a ticket. Arguments: run: RuleRun, people: list[User]
rule_tells = Signal()

# A ticket is removed for good: what points at it or its lines must go. Arguments: ticket: Ticket
ticket_removing = Signal()

# A ticket was rated. Arguments: ticket: Ticket, feedback: Feedback
ticket_rated = Signal()

# The agent answered a rating. Arguments: ticket: Ticket, event: TicketEvent (text: the answer)
rating_answered = Signal()

# An administrator answered a concern. Arguments: concern: Concern
concern_settled = Signal()
