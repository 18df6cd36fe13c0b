"""What we know of a mail's sender, its ticket and where it was sent."""

import hashlib

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Q, QuerySet

from accounts import customers
from accounts.models import Role, User
from messaging.models import AgentAddress, Fate, InboundMail, SenderRule
from tickets.mail_addresses import named_in_address, named_in_message_id
from tickets.models import Audience, Category, Ticket, TicketEvent
from tickets.own_addresses import is_own, without_plus
from tickets.workflow import HANDLERS

from .deciding import Facts, squeezed
from .parsed import Parsed

MOST_LINES = 20  # that an answer may quote


def fingerprint(mail: InboundMail, parsed: Parsed, *, is_whole: bool) -> str:
    """The same for each copy of one mail, whichever way it took. Where only its head is read, or
    ``headers.message_id_of`` finds and makes none, only the same bytes are the same mail."""
    digest = hashlib.sha256()
    if is_whole:
        content = [parsed.text.encode(), *(file.content for file in parsed.files)]
    else:
        content = [mail.sha256.encode()]
    told = [(parsed.message_id or mail.sha256).encode(), parsed.sender.encode(), *content]
    for words in told:
        digest.update(hashlib.sha256(words).digest())
    return digest.hexdigest()


def gather(mail: InboundMail, parsed: Parsed) -> Facts:
    """Inside a transaction; locks the sender, as people come before tickets."""
    person = _owner_of(parsed.sender)
    ticket = _ticket_named(mail, parsed, person) if person else None
    part = ticket and ticket.part_by_mail(person)
    return Facts(
        first=_copies_of(mail).first(),
        is_ours=_is_ours(parsed, person),
        rule=_rule_for(parsed.sender),
        person=person,
        ticket=ticket,
        part=part,
        said=_said_on(ticket, person) if part in HANDLERS else "",
        is_freed=mail.freed_by_id is not None,
    )


def _copies_of(mail) -> QuerySet[InboundMail]:
    """The one that counts, if it is another. SQLite takes the index ``mail_counted_once`` only for
    who asks for all that it asks for."""
    counted = InboundMail.objects.exclude(fingerprint="").exclude(fate=Fate.REPEATED)
    return counted.filter(fingerprint=mail.fingerprint).exclude(pk=mail.pk)


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
    exactly = [address.lower() for address in [*mail.envelope_to, *parsed.recipients]]
    sent_to = {*exactly, *map(without_plus, exactly)}
    active = Category.objects.filter(is_active=True)
    own = AgentAddress.objects.filter(address__in=sent_to, agent__in=User.objects.agents())
    own = own.select_related("agent").order_by("pk").first()
    agent = own and own.agent
    category = active.filter(email__in=sent_to).exclude(email="").first()
    if category is None and agent:
        category = active.filter(experts__agent=agent).first()
    if category is None and mail.mailbox:
        category = active.filter(pk=mail.mailbox.category_id).first()
    return category or active.filter(parent=None).first(), agent


def _is_ours(parsed, person) -> bool:
    """An agent's own address too, unless their account has it: then it is the person who writes."""
    if named_in_message_id(parsed.message_id) or is_own(parsed.sender):
        return True
    return person is None and AgentAddress.objects.filter(address=parsed.sender).exists()


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


def _said_on(ticket, person) -> str:
    """By customers, as far back as our mails quote it, and further; and to staff only, by whomever.
    What colleagues told customers is left out: they sign with what ``person`` may sign with too."""
    of_others = Q(actor__role=Role.CUSTOMER) & ~Q(actor=person)
    lines = TicketEvent.objects.filter(of_others | Q(audience=Audience.STAFF), ticket=ticket)
    newest = lines.exclude(text="").order_by("-number")[:MOST_LINES]
    return "\n".join(squeezed(line.text) for line in newest.only("text"))


def _rule_for(sender) -> str:
    """The rule for the address goes before the one for its domain, and that before a wider one."""
    domain = sender.partition("@")[2].split(".")
    patterns = [sender, *(".".join(domain[start:]) for start in range(len(domain)))]
    found = dict(SenderRule.objects.filter(pattern__in=patterns).values_list("pattern", "verdict"))
    return next((found[pattern] for pattern in patterns if pattern in found), "")


def staff_below(pattern: str) -> QuerySet[User]:
    """Who works here and writes from the address ``pattern``, or from that domain: whom a rule for
    it would be about."""
    if "@" in pattern:
        matches = [("exact", pattern)]
    else:
        matches = [("endswith", f"@{pattern}"), ("endswith", f".{pattern}")]
    is_theirs = Q()
    for lookup, value in matches:
        proved = {f"emailaddress__email__{lookup}": value, "emailaddress__verified": True}
        is_theirs |= Q(**{f"email__{lookup}": value}) | Q(**proved)
    staff = User.objects.active().exclude(role=Role.CUSTOMER)
    return staff.filter(is_theirs).distinct().order_by("first_name", "last_name", "pk")
