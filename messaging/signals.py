from django.dispatch import Signal

# A public message was stored. Inside the transaction that stored it; internal notes are not
# announced. Arguments: ticket: Ticket, event: TicketEvent
message_posted = Signal()
