from django.dispatch import Signal

# Someone confirmed their address for the first time. Inside the transaction that let them in.
# Arguments: user: User
user_confirmed = Signal()

# Somebody asked to become an agent or administrator. Arguments: application: Application
application_received = Signal()

# An administrator accepted or declined. Inside the transaction of the decision.
# Arguments: application: Application
application_decided = Signal()

# Somebody signed in with a browser they never used before. Inside the transaction that wrote it
# down. Arguments: record: LoginRecord
signed_in_from_new_device = Signal()

# The accounts library composed a mail (a code, "you already have an account", "password
# changed"). Arguments: user: User | None, kind: str (the template's name), email: str,
# subject: str, text: str, html: str, expires_at: datetime | None (after it, not worth sending)
account_mail_composed = Signal()

# How much open work does somebody have? Receivers answer with a number. Arguments: user: User
open_work_asked = Signal()

# An agent stops being one: suspended, given another role or deleted, which is so already. Inside
# the transaction that did it. Arguments: user: User, by: User (who did it), handover: who gets
# their open work, a User or a people.Handover
agent_leaving = Signal()

# An agent said how they work from now on: online, away, out of office, hours, how much at once.
# Inside the transaction that wrote it down. Arguments: user: User
availability_changed = Signal()

# An administrator did this to somebody. Inside the transaction that did it.
# Arguments: user: User, event: AccountEvent
user_suspended = Signal()
user_reactivated = Signal()
role_changed = Signal()

# Somebody has another email address from now on. Inside the transaction of the change, before
# the old address is told. Arguments: user: User, old: str
email_changed = Signal()

# Everything about a person is gathered for them. Receivers answer with an archive.Part.
# Arguments: user: User
exporting = Signal()

# An archive is ready, for whoever asked for it. Arguments: export: DataExport
export_ready = Signal()

# Somebody's account will be deleted at ``user.erase_at``, or will not after all. Inside the
# transaction that decided it. Arguments: user: User, event: AccountEvent
erasure_asked = Signal()
erasure_stopped = Signal()

# A person is erased for good. Inside the transaction that does it; receivers erase what they
# know. Arguments: user: User, by: User | None (nobody: a rule), addresses: set[str] (all mail
# addresses known of them)
erasing = Signal()

# What somebody asked for and would be ended by their leaving. Receivers answer with a list of
# words to show them. Arguments: user: User
open_requests_asked = Signal()

# Whether time has passed steadily for a while, or the clock has jumped. Receivers answer with
# True or False. No arguments
steadiness_asked = Signal()
