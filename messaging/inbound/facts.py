"""What we know of a mail's sender, its ticket and where it was sent."""

import hashlib
from email.utils import parseaddr

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from accounts import customers
from accounts.models import User
from messaging.models import AgentAddress, Fate, InboundMail, SenderRule
from tickets.mail_addresses import named_in_address, named_in_message_id
from tickets.models import Category, Ticket

from .deciding import Facts
from .parsed import Parsed


def fingerprint(mail: InboundMail, parsed: Parsed) -> str:
    """The same for each copy of one mail, whichever way it took. Without a Message-ID only the
    same bytes are the same mail."""
    digest = hashlib.sha256()
    content = [parsed.text.encode(), *(file.content for file in parsed.files)]
    told = [(parsed.message_id or mail.sha256).encode(), parsed.sender.encode(), *content]
    for words in told:
        digest.update(hashlib.sha256(words).digest())
    return digest.hexdigest()


def gather(mail: InboundMail, parsed: Parsed) -> Facts:
    """Inside a transaction; locks the sender, as people come before tickets."""
    first = InboundMail.objects.filter(fingerprint=mail.fingerprint).exclude(fate=Fate.REPEATED)
    person = _owner_of(parsed.sender)
    ticket = _ticket_named(mail, parsed, person) if person else None
    return Facts(
        first=first.exclude(pk=mail.pk).first(),
        is_ours=_is_ours(parsed),
        rule=_rule_for(parsed.sender),
        person=person,
        ticket=ticket,
        part=ticket and ticket.part_by_mail(person),
        is_freed=mail.freed_by_id is not None,
    )


def usable_sender(mail: InboundMail, parsed: Parsed) -> str:
    """Who it says it is from; the server's word for it if it does not say."""
    for address in (parsed.sender, (mail.envelope_from or "").lower()):
        try:
            validate_email(address)
        except ValidationError:
            continue
        if len(address) <= User._meta.get_field("email").max_length:
            return address
    return ""


def addressed(mail: InboundMail, parsed: Parsed) -> tuple[Category | None, User | None]:
    """D0-11: the category and the agent whose own address it was sent to; the category of the
    mailbox, or else the first, if it was to none's."""
    sent_to = [address.lower() for address in [*mail.envelope_to, *parsed.recipients]]
    active = Category.objects.filter(is_active=True)
    own = AgentAddress.objects.filter(address__in=sent_to, agent__in=User.objects.agents())
    own = own.select_related("agent").order_by("pk").first()
    agent = own and own.agent
    category = active.filter(email__in=sent_to).exclude(email="").first()
    if category is None and agent:
        category = active.filter(experts__agent=agent).first()
    if category is None and mail.mailbox and mail.mailbox.category:
        category = mail.mailbox.category
    return category or active.filter(parent=None).first(), agent


def _owner_of(sender) -> User | None:
    person = customers.owner_of(sender) if sender else None
    return person and User.objects.select_for_update(no_key=True).get(pk=person.pk)


def _ticket_named(mail, parsed, person) -> Ticket | None:
    """Where it goes on, if it was merged. What was made for somebody else names nothing."""
    named = [named_in_address(address) for address in [*mail.envelope_to, *parsed.recipients]]
    named += [named_in_message_id(answered) for answered in parsed.answers]
    for ticket_id, person_id in filter(None, named):
        if person_id == person.pk:
            found = Ticket.objects.filter(pk=ticket_id).first()
            home = found and found.home
            if home and not home.deleted_at:
                return home
    return None


def _is_ours(parsed) -> bool:
    ours = {parseaddr(settings.DEFAULT_FROM_EMAIL)[1].lower(), settings.REPLY_ADDRESS.lower()}
    local, _at, domain = parsed.sender.rpartition("@")
    is_from_us = parsed.sender and f"{local.partition('+')[0]}@{domain}" in ours
    has_our_id = named_in_message_id(parsed.message_id) is not None
    return (
        has_our_id
        or bool(is_from_us)
        or (bool(parsed.sender) and Category.objects.filter(email=parsed.sender).exists())
    )


def _rule_for(sender) -> str:
    """The rule for the address goes before the one for its domain, and that before a wider one."""
    domain = sender.partition("@")[2].split(".")
    patterns = [sender, *(".".join(domain[start:]) for start in range(len(domain)))]
    found = dict(SenderRule.objects.filter(pattern__in=patterns).values_list("pattern", "verdict"))
    return next((found[pattern] for pattern in patterns if pattern in found), "")
