"""What somebody with every right would send to each page that changes something."""

import uuid
from datetime import timedelta

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts.models import Application
from accounts.tests.factories import PASSWORD
from notifications.models import (
    AddressTrouble,
    Circuit,
    OutgoingMail,
    ShortMessage,
    WebhookDelivery,
)
from notifications.preferences import CHOICES
from notifications.tests.telephones import BROWSER, SERVICE

TICKET_FORM = {
    "kind": "question",
    "subject": "Lamp arrived broken",
    "description": "The glass is in pieces.",
    "priority": "normal",
    "against": "",
    "contact_phone": "",
    "about": "",
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
    category = world.category.pk
    return TICKET_FORM | {"category": category, "asked": category, "subject": "Another lamp"}


def _told_by_phone(world, person):
    told = {"requester": world.anyone.email, "first_name": "", "channel": "phone"}
    days = {"incident_on": "", "purchased_on": ""}
    return _new_ticket(world, person) | told | days | {"key": str(uuid.UUID(int=7))}


def _address(world, person):
    optional = {"extra": "", "postal_code": "", "region": ""}
    return {"label": "Boat", "street": "The Quay", "city": "York", "country": "UK", **optional}


def _problem(world, person):
    note = "The seal comes off. Seen in March."
    owner = world.people["agent_unassigned"].pk
    return {"title": "Batch B-17 leaks", "team_note": note, "category": "", "owner": owner}


def _another_time():
    to = timezone.localtime() + timedelta(days=2)
    return {"to": f"{to:%Y-%m-%dT%H:%M}", "reason": "The part comes on Friday."}


def holiday_file(day="20261225"):
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Example//Days//EN",
        "BEGIN:VEVENT", "UID:1@example.org", "DTSTAMP:20260101T000000Z",
        f"DTSTART;VALUE=DATE:{day}", "RRULE:FREQ=YEARLY", "SUMMARY:Christmas Day", "END:VEVENT",
        "END:VCALENDAR", "",
    ]  # fmt: skip
    return SimpleUploadedFile("days.ics", "\r\n".join(lines).encode())


def _calendar(name):
    counts = {"TOTAL": 1, "INITIAL": 0, "MIN_NUM": 0, "MAX_NUM": 9}
    return {
        "name": name,
        "time_zone": "Europe/London",
        **{f"hours-{each}_FORMS": number for each, number in counts.items()},
        "hours-0-weekday": 6, "hours-0-opens_at": "09:00", "hours-0-closes_at": "17:00",
        **{f"holidays-{each}_FORMS": 0 for each in counts},
    }  # fmt: skip


def _service_level(world, priority):
    return {
        "category": "", "priority": priority, "calendar": world.calendar.pk,
        "answer_within": "8", "resolve_within": "40", "warn_before": "1",
    }  # fmt: skip


def _rule(name):
    return {
        "name": name, "position": "1", "trigger": "silent", "after": "48",
        "kinds": ["complaint"], "priorities": ["normal"], "statuses": ["open"], "channels": ["web"],
        "tags": "recall", "words": "fire", "is_assigned": "yes", "rated_at_most": "",
        "assign_to": "", "set_priority": "urgent", "set_category": "", "add_tags": "fire",
        "note": "Look at this.", "message": "", "move_to": "", "tell_agent": "on",
    }  # fmt: skip


def _procedure(world, name):
    return {
        "name": name, "days": "calendar", "calendar": world.calendar.pk, "acknowledge_within": "5",
        "respond_within": "40", "warn_before": "2", "referral": "Ask the Ombudsman.",
        "sender": "Acme Ltd",
    }  # fmt: skip


def _mailbox(name):
    return {
        "name": name, "host": "127.0.0.1", "port": 9, "security": "tls", "username": "care",
        "sign_in": "password", "new_secret": "three small words", "client_id": "",
        "new_client_secret": "", "tenant": "", "folder": "INBOX", "move_to": "", "category": "",
        "is_active": "on",
    }  # fmt: skip


def _settle_mail(verb):
    return lambda world, person: {
        "action": verb, "answered": "yes", "_selected_action": [world.held.pk]
    }  # fmt: skip


def _sender_rule(pattern):
    return lambda world, person: {"pattern": pattern, "verdict": "let_in", "note": ""}


def _agent_address(address):
    return lambda world, person: {
        "address": address, "agent": world.people["agent_unassigned"].pk
    }  # fmt: skip


def _webhook(name):
    """At an address of the public internet, so that no name has to be resolved."""
    return {
        "name": name, "url": "https://93.184.215.14/hook", "events": ["ticket.raised"],
        "with_words": "", "is_active": "on",
    }  # fmt: skip


def _complaint_code(name):
    return {"kind": "remedy", "code": "new", "name": name, "is_active": "on"}


NO_HOURS = {f"hours-{name}_FORMS": 0 for name in ("TOTAL", "INITIAL", "MIN_NUM", "MAX_NUM")}
INLINES = {
    f"{rows}-{name}_FORMS": 0
    for rows in ("experts", "fields")
    for name in ("TOTAL", "INITIAL", "MIN_NUM", "MAX_NUM")
}

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
    "notifications:subscribe_browser": lambda world, person: BROWSER,
    "notifications:renew_browser": lambda world, person: BROWSER | {
        "before": f"{SERVICE}/{person}",
    },
    "notifications:unsubscribe_browser": lambda world, person: {},
    "notifications:change_number": lambda world, person: {"number": "+447400654321"},
    "notifications:remove_number": lambda world, person: {},
    "notifications:preferences": lambda world, person: {
        **{f"{choice.name}_mail": "never" for choice in CHOICES},
        "quiet_from": "", "quiet_until": "", "digest_at": "09:00",
    },
    "notifications:read_all": lambda world, person: {},
    "notifications:follow": lambda world, person: {},
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
    "tickets:hand_over": lambda world, person: {
        "agent": world.people["agent_unassigned"].pk,
        "note": "She was promised a new one.",
    },
    "tickets:classify": lambda world, person: {
        "kind": "request", "priority": "urgent", "category": world.spare_category.pk,
        "tags": "recall, kettles",
    },
    "tickets:details": lambda world, person: {f"field_{world.question.pk}": "B-17"},
    "tickets:deadline": lambda world, person: _another_time(),
    "tickets:link_problem": lambda world, person: {"problem": str(world.problem.pk)},
    "tickets:unlink_problem": lambda world, person: {},
    "tickets:open_problem": _problem,
    "tickets:edit_problem": _problem,
    "tickets:mend_problem": lambda world, person: {"text": "Kettles sold from today on are fine."},
    "tickets:reopen_problem": lambda world, person: {},
    "messaging:reply": _message,
    "messaging:write": _message,
    ("messaging:write", "note"): lambda world, person: _message(world, person) | {"kind": "note"},
    "messaging:close": lambda world, person: {},
    "messaging:withdraw": lambda world, person: {},
    "messaging:reopen": lambda world, person: {},
    "messaging:rate": lambda world, person: {
        "rating": "5", "comment": "Quick.", "improvement": "Send a photo of it.",
    },
    "tickets:rate_by_link": lambda world, person: {
        "rating": "5", "comment": "Quick.", "improvement": "Send a photo of it.",
    },
    "notifications:stop": lambda world, person: {"List-Unsubscribe": "One-Click"},
    "tickets:answer_rating": lambda world, person: {"text": "Thank you."},
    "tickets:concerns": lambda world, person: {"text": "The letters are small."},
    "tickets:link": lambda world, person: {
        "kind": "related", "number": world.ticket(person, "resolved").reference,
    },
    "tickets:unlink": lambda world, person: {},
    "tickets:merge": lambda world, person: {"number": world.ticket(person, "to call").reference},
    "tickets:unmerge": lambda world, person: {},
    "tickets:split": lambda world, person: {
        "numbers": ["1"], "subject": "The cable", "category": world.category.pk,
        "key": str(uuid.UUID(int=9)),
    },
    "tickets:unsplit": lambda world, person: {},
    "tickets:suggest": lambda world, person: {"text": "Open on Sundays."},
    "admin:tickets_concern_settle": lambda world, person: {"answer": "They are larger now."},
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
    "admin:tickets_ticket_add": _told_by_phone,
    "tickets:new_for_customer": _told_by_phone,
    "tickets:correct_requester": lambda world, person: {
        "requester": world.anyone.email, "first_name": "",
    },
    "tickets:ask_for_call": lambda world, person: {"phone": "+441134960000", "wish": "Soon"},
    "tickets:drop_call": lambda world, person: {},
    "tickets:share": lambda world, person: {"email": world.anyone.email},
    "tickets:add_participant": lambda world, person: {"email": world.anyone.email},
    "tickets:remove_participant": lambda world, person: {},
    "tickets:leave": lambda world, person: {},
    "tickets:follow": lambda world, person: {},
    "tickets:unfollow": lambda world, person: {},
    "tickets:complaint_step": lambda world, person: {
        "stage": "investigating", "text": "We ask the maker.", "key": str(uuid.uuid4()),
    },
    "tickets:complaint_response": lambda world, person: world.codes | {
        "text": "You were right.", "key": str(uuid.uuid4()),
    },
    "tickets:complaint_codes": lambda world, person: world.codes,
    "tickets:complaint_level": lambda world, person: {"level": "2", "text": "She asked for it."},
    "tickets:log_call": lambda world, person: {"text": "All is well.", "key": str(uuid.uuid4())},
    "admin:tickets_ticket_remove": lambda world, person: {},
    "admin:tickets_category_add": lambda world, person: {
        "name": "New", "team_name": "New team", "position": 1, "parent": "",
        "is_active": "on", "default_priority": "high", "routing": "manual",
        "email": "", "acknowledgement": "", "away_words": "", "track": "", **INLINES,
    },
    "admin:tickets_category_change": lambda world, person: {
        "name": "Renamed", "team_name": "New team", "position": 1, "parent": "",
        "is_active": "on", "default_priority": "high", "routing": "manual",
        "email": "", "acknowledgement": "", "away_words": "", "track": "", **INLINES,
    },
    "admin:tickets_category_delete": lambda world, person: {"post": "yes"},
    "admin:tickets_ticket_assign": lambda world, person: {
        "agent": world.people["agent_unassigned"].pk, "seen": world.people["agent_assigned"].pk,
    },
    "admin:tickets_ticket_move": _move("waiting"),
    "admin:tickets_ticket_classify": lambda world, person: {
        "kind": "request", "priority": "urgent", "category": world.spare_category.pk,
        "tags": "recall, kettles",
    },
    "admin:tickets_ticket_details": lambda world, person: {f"field_{world.question.pk}": "B-17"},
    "admin:tickets_ticket_deadline": lambda world, person: _another_time(),
    "admin:tickets_calendar_add": lambda world, person: _calendar("New"),
    "admin:tickets_calendar_change": lambda world, person: _calendar("Renamed"),
    "admin:tickets_calendar_delete": lambda world, person: {"post": "yes"},
    "admin:tickets_calendar_holidays": lambda world, person: {"file": holiday_file()},
    "admin:tickets_slapolicy_add": lambda world, person: _service_level(world, "low"),
    "admin:tickets_slapolicy_change": lambda world, person: _service_level(world, "high"),
    "admin:tickets_complainttrack_add": lambda world, person: _procedure(world, "New"),
    "admin:tickets_complainttrack_change": lambda world, person: _procedure(world, "Renamed"),
    "admin:tickets_complainttrack_delete": lambda world, person: {"post": "yes"},
    "admin:tickets_complaintcode_add": lambda world, person: _complaint_code("New"),
    "admin:tickets_complaintcode_change": lambda world, person: _complaint_code("Renamed"),
    "admin:tickets_complaintcode_delete": lambda world, person: {"post": "yes"},
    "admin:tickets_slapolicy_delete": lambda world, person: {"post": "yes"},
    "admin:tickets_rule_add": lambda world, person: _rule("New"),
    "admin:tickets_rule_change": lambda world, person: _rule("Renamed"),
    "admin:tickets_rule_delete": lambda world, person: {"post": "yes"},
    "admin:tickets_rule_try": lambda world, person: {},
    "admin:tickets_rule_off": lambda world, person: {},
    "admin:tickets_ticket_bin": lambda world, person: {},
    ("admin:tickets_ticket_changelist", "assign"): lambda world, person: {
        "action": "assign_selected", "answered": "yes",
        "agent": world.people["agent_unassigned"].pk,
        "_selected_action": [world.ticket("owner", "unassigned").pk],
    },
    "admin:messaging_mailbox_add": lambda world, person: _mailbox("New"),
    "admin:messaging_mailbox_change": lambda world, person: _mailbox("Renamed"),
    "admin:messaging_mailbox_test": lambda world, person: {},
    "admin:messaging_senderrule_add": _sender_rule("new.example"),
    "admin:messaging_senderrule_change": _sender_rule("other.example"),
    "admin:messaging_senderrule_delete": lambda world, person: {"post": "yes"},
    "admin:messaging_agentaddress_add": _agent_address("new@care.example.net"),
    "admin:messaging_agentaddress_change": _agent_address("other@care.example.net"),
    "admin:messaging_agentaddress_delete": lambda world, person: {"post": "yes"},
    ("admin:messaging_inboundmail_changelist", "retry"): _settle_mail("retry"),
    ("admin:messaging_inboundmail_changelist", "free"): _settle_mail("free"),
    ("admin:messaging_inboundmail_changelist", "drop"): _settle_mail("drop"),
    "admin:notifications_webhook_add": lambda world, person: _webhook("New"),
    "admin:notifications_webhook_change": lambda world, person: _webhook("Renamed"),
    "admin:notifications_webhook_test": lambda world, person: {},
    "admin:notifications_webhook_secret": lambda world, person: {},
    ("admin:notifications_shortmessage_changelist", "send again"): lambda world, person: {
        "action": "send_again",
        "_selected_action": ShortMessage.objects.values_list("pk", flat=True),
    },
    ("admin:notifications_webhookdelivery_changelist", "send again"): lambda world, person: {
        "action": "replay",
        "_selected_action": WebhookDelivery.objects.values_list("pk", flat=True),
    },
    ("admin:notifications_addresstrouble_changelist", "mail again"): lambda world, person: {
        "action": "mail_again",
        "_selected_action": AddressTrouble.objects.values_list("pk", flat=True),
    },
    ("admin:notifications_circuit_changelist", "try now"): lambda world, person: {
        "action": "try_now",
        "_selected_action": Circuit.objects.values_list("pk", flat=True),
    },
    "admin:notifications_outgoingmail_again": lambda world, person: {"answered": "yes"},
    ("admin:notifications_outgoingmail_changelist", "send again"): lambda world, person: {
        "action": "send_again",
        "_selected_action": [each.pk for each in OutgoingMail.objects.filter(ticket=None)[:2]],
    },
}  # fmt: skip
