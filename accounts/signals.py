from django.dispatch import Signal

# Someone confirmed their address for the first time. Inside the transaction that let them in.
# Arguments: user: User
user_confirmed = Signal()

# Somebody asked to become an agent or administrator. Arguments: application: Application
application_received = Signal()

# An administrator accepted or declined. Inside the transaction of the decision.
# Arguments: application: Application
application_decided = Signal()

# The accounts library composed a mail (a code, "you already have an account", "password
# changed"). Arguments: user: User | None, kind: str (the template's name), email: str,
# subject: str, text: str, html: str, expires_at: datetime | None (after it, not worth sending)
account_mail_composed = Signal()
