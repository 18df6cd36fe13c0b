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
    if draft is None:
        return {"key": str(uuid.uuid4()), "version": ""}
    return {"key": str(draft.key), "version": draft.version()}


def _message(world, person):
    return {"body": "A word", "key": str(uuid.uuid4()), "kind": "reply"}


def _move(to):
    return lambda world, person: {"status": to, "text": "", "resolution": "", "until": ""}


def _new_account(role):
    names = {"first_name": "New", "last_name": "Colleague", "email": "new@example.org"}
    passwords = {"password1": PASSWORD, "password2": PASSWORD}
    return lambda world, person: {"role": role, **names, **passwords}


def _invitation(role):
    names = {"first_name": "New", "last_name": "Colleague", "email": "new@example.org"}
    return lambda world, person: {"role": role, **names}


def _new_ticket(world, person):
    return TICKET_FORM | {"category": world.category.pk, "subject": "Another lamp"}


def _address(world, person):
    optional = {"extra": "", "postal_code": "", "region": ""}
    return {"label": "Boat", "street": "The Quay", "city": "York", "country": "UK", **optional}


NO_HOURS = {f"hours-{name}_FORMS": 0 for name in ("TOTAL", "INITIAL", "MIN_NUM", "MAX_NUM")}
INLINES = {f"experts-{name}_FORMS": 0 for name in ("TOTAL", "INITIAL", "MIN_NUM", "MAX_NUM")}

FORMS = {
    "theme": lambda world, person: {"theme": "dark"},
    "account_login": lambda world, person: {"login": world.anyone.email, "password": PASSWORD},
    "account_request_login_code": lambda world, person: {"email": world.anyone.email},
    "account_signup": lambda world, person: {
        "role": "customer", "first_name": "John", "last_name": "Doe", "email": "j@example.org",
        "password1": PASSWORD, "password2": PASSWORD, "agree": "on",
    },
    "account_change_password": lambda world, person: {
        "oldpassword": PASSWORD, "password1": "four quite small words",
        "password2": "four quite small words",
    },
    "account_reset_password": lambda world, person: {"email": world.anyone.email},
    "account_edit_profile": lambda world, person: {
        "first_name": "New", "last_name": "Name", "phone": "", "language": "ta", "time_zone": "",
    },
    "account_change_email": lambda world, person: {
        "email": "elsewhere@example.org", "password": PASSWORD,
    },
    "account_add_address": _address,
    "account_edit_address": _address,
    "account_default_address": lambda world, person: {},
    "account_remove_address": lambda world, person: {},
    "account_work": lambda world, person: {
        "availability": "away", "capacity": "7", "out_until": "", "substitute": "", "signature": "",
    },
    "account_availability": lambda world, person: {"availability": "away"},
    "notifications:preferences": lambda world, person: {},
    "admin:accounts_agentprofile_add": lambda world, person: {
        "agent": world.people["agent_unassigned"].pk, "availability": "away", "capacity": "7",
        "out_until": "", "substitute": "", "signature": "", **NO_HOURS,
    },
    "admin:accounts_agentprofile_change": lambda world, person: {
        "availability": "away", "capacity": "7",
        "out_until": "", "substitute": "", "signature": "", **NO_HOURS,
    },
    "account_logout": lambda world, person: {},
    "account_end_session": lambda world, person: {},
    "account_end_other_sessions": lambda world, person: {},
    "account_not_me": lambda world, person: {},
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
    "account_privacy": lambda world, person: {"password": PASSWORD},
    "account_delete": lambda world, person: {"password": PASSWORD},
    "admin:accounts_user_export": lambda world, person: {},
    "admin:accounts_user_hold": lambda world, person: {"reason": "Case 17"},
    "admin:accounts_user_erase": lambda world, person: {"when": "later"},
    "admin:accounts_user_factor": lambda world, person: {"reason": "Came to the desk."},
    "admin:accounts_user_bin": lambda world, person: {},
    "admin:accounts_user_role": lambda world, person: {"role": "agent"},
    "admin:accounts_user_suspend": lambda world, person: {"reason": "Too many jokes."},
    "admin:accounts_invitation_add": _invitation("agent"),
    ("admin:accounts_invitation_add", "administrator"): _invitation("admin"),
    "admin:accounts_invitation_import": lambda world, person: {
        "file": SimpleUploadedFile("new.csv", b"email,first_name\nnew@example.org,New\n"),
    },
    "admin:accounts_invitation_resend": lambda world, person: {},
    "admin:accounts_invitation_revoke": lambda world, person: {},
    "admin:accounts_application_accept": lambda world, person: {},
    "admin:accounts_application_decline": lambda world, person: {"reason": "We know nobody so."},
    "account_waiting": lambda world, person: {"why": "I like kettles."},
    "account_apply": lambda world, person: {"why": "I like kettles."},
    "account_apply_again": lambda world, person: {"why": "I like kettles."},
    "tickets:offer_expertise": lambda world, person: {f"category_{world.category.pk}": "3"},
    ("admin:accounts_application_changelist", "decline"): lambda world, person: {
        "action": "decline_selected", "answered": "yes", "reason": "We know nobody so.",
        "_selected_action": Application.objects.pending().values_list("pk", flat=True),
    },
    ("admin:accounts_application_changelist", "approve"): lambda world, person: {
        "action": "accept_selected", "answered": "yes",
        "_selected_action": Application.objects.pending().values_list("pk", flat=True),
    },
    "admin:tickets_ticket_add": lambda world, person: _new_ticket(world, person) | {
        "requester": world.people["owner"].email, "channel": "phone",
        "incident_on": "", "purchased_on": "",
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
