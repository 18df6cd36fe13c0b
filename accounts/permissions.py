"""Which role may do which verb. One table; ``RoleBackend`` reads it for pages, templates and admin.

Whether someone may see *this* ticket is ``Ticket.objects.visible_to``; whether a move is legal
*now* is ``tickets.workflow``. The tests' form of this table is ``permissions.yaml``.
"""

from .models import Role

EVERYBODY = {
    "tickets.add_ticket",
    "tickets.rate_ticket",
    "tickets.raise_concern",
    "messaging.add_message",
    "tickets.add_participant",
}

CUSTOMER = EVERYBODY | {"accounts.add_application"}

AGENT = EVERYBODY | {
    "tickets.use_workspace",
    "tickets.assign_ticket",
    "tickets.move_ticket",
    "tickets.classify_ticket",
    "tickets.raise_for_others",
    "tickets.correct_requester",
    "tickets.log_call",
    "accounts.know_user",
    "tickets.record_suggestion",
    "tickets.answer_rating",
    "tickets.follow_ticket",
    "tickets.link_ticket",
    "tickets.grade_complaint",
    "tickets.view_problem",
    "tickets.add_problem",
    "tickets.change_problem",
    "tickets.mend_problem",
    "messaging.add_note",
}

CATALOGUE_VERBS = ("view", "add", "change", "delete")
SERVICE_LEVELS = ("calendar", "openinghours", "holiday", "slapolicy")
COMPLAINT_GRADE = ("complainttrack", "complaintcode")
MAIL_RULES = ("senderrule", "agentaddress")

# What the administrator console shows and lets change. There is no "delete" for anything that
# others rely on: tickets and people are put in the bin and restored by actions.
ADMIN = AGENT | {
    "accounts.view_user",
    "accounts.add_user",
    "accounts.change_user",
    "accounts.bin_user",
    "accounts.suspend_user",
    "accounts.remove_factor",
    "accounts.change_role",
    "accounts.hold_user",
    "accounts.export_user",
    "accounts.erase_user",
    "accounts.view_application",
    "accounts.decide_application",
    "accounts.view_invitation",
    "accounts.add_invitation",
    "accounts.revoke_invitation",
    "accounts.view_loginrecord",
    "accounts.view_accountevent",
    "accounts.view_consent",
    "accounts.view_address",
    "accounts.view_agentprofile",
    "accounts.add_agentprofile",
    "accounts.change_agentprofile",
    "accounts.view_dataexport",
    "tickets.view_ticket",
    "tickets.bin_ticket",
    "tickets.remove_ticket",
    "tickets.view_tombstone",
    "tickets.view_callrequest",
    "tickets.view_category",
    "tickets.add_category",
    "tickets.change_category",
    "tickets.delete_category",
    "tickets.view_categoryfield",
    "tickets.add_categoryfield",
    "tickets.change_categoryfield",
    "tickets.delete_categoryfield",
    *(f"tickets.{verb}_{what}" for verb in CATALOGUE_VERBS for what in SERVICE_LEVELS),
    *(f"tickets.{verb}_{what}" for verb in CATALOGUE_VERBS for what in COMPLAINT_GRADE),
    "tickets.view_complaintcase",
    *(f"tickets.{verb}_rule" for verb in CATALOGUE_VERBS),
    "tickets.view_rulerun",
    "tickets.view_participant",
    "tickets.view_follower",
    "tickets.view_ticketlink",
    "tickets.view_expertise",
    "tickets.add_expertise",
    "tickets.change_expertise",
    "tickets.delete_expertise",
    "tickets.view_ticketevent",
    "tickets.view_feedback",
    "tickets.view_suggestion",
    "tickets.view_concern",
    "tickets.settle_concern",
    "tickets.view_attachment",
    "messaging.view_message",
    "messaging.view_mailbox",
    "messaging.add_mailbox",
    "messaging.change_mailbox",
    "messaging.view_inboundmail",
    "messaging.settle_inboundmail",
    *(f"messaging.{verb}_{what}" for verb in CATALOGUE_VERBS for what in MAIL_RULES),
    "notifications.view_notification",
    "notifications.view_preference",
    "notifications.view_outgoingmail",
    "notifications.retry_outgoingmail",
    "notifications.view_addresstrouble",
    "notifications.lift_addresstrouble",
    "notifications.view_circuit",
    "notifications.try_circuit",
    "notifications.view_shortmessage",
    "notifications.retry_shortmessage",
    "notifications.view_webhook",
    "notifications.add_webhook",
    "notifications.change_webhook",
    "notifications.view_webhookdelivery",
    "notifications.replay_webhookdelivery",
    "admin.view_logentry",
}

BY_ROLE = {Role.CUSTOMER: CUSTOMER, Role.AGENT: AGENT, Role.ADMIN: ADMIN}


def permissions_of(user) -> frozenset[str]:
    """The verbs of ``user``'s role, none at all unless they are approved."""
    if not user.is_authenticated or not user.is_approved:
        return frozenset()
    return frozenset(BY_ROLE[user.role])
