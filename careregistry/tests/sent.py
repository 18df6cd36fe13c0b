"""What somebody with every right would send to each page that changes something."""

import uuid

from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import Application
from accounts.tests.factories import PASSWORD
from notifications.models import OutgoingMail

TICKET_FORM = {
    "subject": "Lamp arrived broken",
    "description": "The glass is in pieces.",
    "priority": "normal",
    "against": "",
    "contact_phone": "",
}


def text_file(name="bill.txt"):
    return SimpleUploadedFile(name, b"Paid in full.", content_type="text/plain")


def _draft_key(world, person):
    draft = world.people.get(person) and world.people[person].ticket_drafts.first()
    return {"key": str(draft.key if draft else uuid.uuid4())}


def _message(world, person):
    return {"body": "A word", "key": str(uuid.uuid4()), "kind": "reply"}


def _move(to):
    return lambda world, person: {"status": to, "text": "", "resolution": "", "until": ""}


def _new_account(role):
    names = {"first_name": "New", "last_name": "Colleague", "email": "new@example.org"}
    passwords = {"password1": PASSWORD, "password2": PASSWORD}
    return lambda world, person: {"role": role, **names, **passwords}


def _new_ticket(world, person):
    return TICKET_FORM | {"category": world.category.pk, "subject": "Another lamp"}


INLINES = {f"experts-{name}_FORMS": 0 for name in ("TOTAL", "INITIAL", "MIN_NUM", "MAX_NUM")}

FORMS = {
    "theme": lambda world, person: {"theme": "dark"},
    "account_login": lambda world, person: {"login": world.anyone.email, "password": PASSWORD},
    "account_signup": lambda world, person: {
        "role": "customer", "first_name": "John", "last_name": "Doe", "email": "j@example.org",
        "password1": PASSWORD, "password2": PASSWORD,
    },
    "account_change_password": lambda world, person: {
        "oldpassword": PASSWORD, "password1": "four quite small words",
        "password2": "four quite small words",
    },
    "account_reset_password": lambda world, person: {"email": world.anyone.email},
    "tickets:new": _new_ticket,
    "tickets:save_draft": _new_ticket,
    "tickets:draft_files": lambda world, person: {"attachments": [text_file()]},
    "tickets:review": _draft_key,
    ("tickets:review", "draft of another"): lambda world, person: _draft_key(world, "owner"),
    "tickets:take": lambda world, person: {},
    "tickets:hand_over": lambda world, person: {"agent": world.people["agent_unassigned"].pk},
    "tickets:classify": lambda world, person: {
        "priority": "urgent", "category": world.spare_category.pk,
    },
    "messaging:reply": _message,
    "messaging:write": _message,
    ("messaging:write", "note"): lambda world, person: _message(world, person) | {"kind": "note"},
    "messaging:close": lambda world, person: {},
    "messaging:withdraw": lambda world, person: {},
    "messaging:reopen": lambda world, person: {},
    "messaging:rate": lambda world, person: {"rating": "5", "comment": "Quick."},
    "messaging:move": _move("waiting"),
    ("messaging:move", "closing"): _move("closed"),
    ("messaging:move", "reopening"): _move("open"),
    ("messaging:move", "withdrawing"): _move("withdrawn"),
    "admin:accounts_user_add": _new_account("agent"),
    ("admin:accounts_user_add", "administrator"): _new_account("admin"),
    "admin:accounts_user_change": lambda world, person: {
        "first_name": "Renamed", "last_name": "Entirely",
    },
    "admin:accounts_user_bin": lambda world, person: {},
    "admin:accounts_application_accept": lambda world, person: {},
    "admin:accounts_application_decline": lambda world, person: {"reason": "We know nobody so."},
    ("admin:accounts_application_changelist", "approve"): lambda world, person: {
        "action": "accept_selected", "answered": "yes",
        "_selected_action": Application.objects.pending().values_list("pk", flat=True),
    },
    "admin:tickets_category_add": lambda world, person: {
        "name": "New", "team_name": "New team", "position": 1, "parent": "",
        "is_active": "on", **INLINES,
    },
    "admin:tickets_category_change": lambda world, person: {
        "name": "Renamed", "team_name": "New team", "position": 1, "parent": "",
        "is_active": "on", **INLINES,
    },
    "admin:tickets_category_delete": lambda world, person: {"post": "yes"},
    "admin:tickets_ticket_assign": lambda world, person: {
        "agent": world.people["agent_unassigned"].pk, "seen": world.people["agent_assigned"].pk,
    },
    "admin:tickets_ticket_move": _move("waiting"),
    "admin:tickets_ticket_classify": lambda world, person: {
        "priority": "urgent", "category": world.spare_category.pk,
    },
    "admin:tickets_ticket_bin": lambda world, person: {},
    ("admin:tickets_ticket_changelist", "assign"): lambda world, person: {
        "action": "assign_selected", "answered": "yes",
        "agent": world.people["agent_unassigned"].pk,
        "_selected_action": [world.ticket("owner", "unassigned").pk],
    },
    ("admin:notifications_outgoingmail_changelist", "send again"): lambda world, person: {
        "action": "send_again",
        "_selected_action": OutgoingMail.objects.values_list("pk", flat=True)[:2],
    },
}  # fmt: skip
