"""Who has to do with a ticket: its requester, callers, participants, followers."""
