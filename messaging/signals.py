from django.dispatch import Signal

# A public message was stored. Inside the transaction that stored it; internal notes are not
# announced. Arguments: ticket: Ticket, event: TicketEvent
message_posted = Signal()

# A mail came that would be taken in if it could be read: ``mail.detail`` says why not. Once for
# each, inside the transaction that wrote it down. Arguments: mail: InboundMail
mail_unreadable = Signal()

# A mail that bears the address of somebody who works here is held, and ``mail.person`` may think
# that it went on. Once for each, inside the transaction that wrote it down. Arguments: mail:
# InboundMail
mail_held = Signal()

# A server says that a mail of ours did not arrive, or not yet. Arguments: mail: InboundMail,
# bounce: inbound.parsed.Bounce (message_id, recipients, status, is_final)
mail_bounced = Signal()

# Pages are open somewhere, and their process asks what their people were told since. Receivers
# answer with the keys of that by person: dict[int, set]. Arguments: people: set of keys, since
news_asked = Signal()

# No mail could be fetched from a mailbox for too long. Arguments: mailbox: Mailbox
mailbox_silent = Signal()
