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

# A ticket was rated. Arguments: ticket: Ticket, feedback: Feedback
ticket_rated = Signal()
