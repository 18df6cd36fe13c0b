"""Who signs up, what each of them has to settle before leaving, and the mails they get."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from playwright.sync_api import expect

TICKET = """
person = User.objects.get(email="{email}")
ruth = User.objects.get(email="ruth@example.org")
kettles = Category.objects.get(name="Faulty product")
people = {{"requester": person}} if person.role == Role.CUSTOMER else {{"assignee": person}}
answer(make_ticket(**people, category=kettles, by=ruth).reference)
"""


@dataclass(frozen=True)
class Newcomer:
    """``choice``: what they choose at the sign-up. ``welcome``: what their home says at first.
    ``stay``: what they learn before they may leave."""

    role: str
    first_name: str
    choice: str
    home: str
    welcome: str
    stay: Callable

    @property
    def email(self):
        return f"{self.first_name.lower()}@example.org"

    @property
    def name(self):
        return f"{self.first_name} Novak"


def a_ticket_would_be_withdrawn(someone, who, ruth):
    reference = someone.registry.ask(TICKET.format(email=who.email))
    page = someone.go("/account/privacy/delete/").page
    expect(page.get_by_role("main")).to_contain_text("These tickets are open.")
    expect(page.get_by_role("main")).to_contain_text(f"{reference}: Kettle stopped heating")


def a_ticket_has_to_go_to_a_colleague(someone, who, ruth):
    """D4-7: Ruth gives it to Sarah."""
    reference = someone.registry.ask(TICKET.format(email=who.email))
    main = someone.go("/account/privacy/delete/").page.get_by_role("main")
    expect(main).to_contain_text("Tickets are assigned to this account.")

    page = ruth.go("/admin/tickets/ticket/").page
    page.get_by_role("link", name=reference).click()
    page.get_by_role("link", name="Assign", exact=True).click()
    page.get_by_label("Agent").select_option(label="Sarah Jones (0 open)")
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Yes, assign to Sarah Jones").click()
    expect(page.get_by_text(f"{reference} is assigned to Sarah Jones.")).to_be_visible()


def somebody_has_to_run_the_place(someone, who, ruth):
    """Ruth may not leave as the last of her kind; who came later may."""
    main = ruth.go("/account/privacy/delete/").page.get_by_role("main")
    expect(main).to_contain_text("This is the last account that may do everything.")


NEWCOMERS = [
    Newcomer(
        "customer",
        "Mona",
        "I need help with something",
        "/tickets/",
        "You are yet to raise a ticket",
        a_ticket_would_be_withdrawn,
    ),
    Newcomer(
        "agent",
        "Tomas",
        "I answer customers",
        "/workspace/",
        "Nothing is waiting for you.",
        a_ticket_has_to_go_to_a_colleague,
    ),
    Newcomer(
        "administrator",
        "Ingrid",
        "I run the service",
        "/admin/",
        "There are no pending requests",
        somebody_has_to_run_the_place,
    ),
]


def mails_to(who):
    day = timezone.localdate() + timedelta(days=settings.ERASURE_DAYS)
    mails = {
        "is your confirmation code": 1,
        "A second factor was set up": 2,
        "A recovery code was used": 1,
        "New sign-in: Safari on iPhone": 1,
        "New sign-in: Safari on iPad": 1,
        "Your password was changed": 2,
        "is your code for a new password": 1,
        "Your data is ready to download": 1,
        f"Your account will be deleted after {day:%-d %B %Y}": 2,
        "Your account will not be deleted": 1,
    }
    if who.role == "customer":
        return mails | {"Your account is ready": 1, "We have your ticket": 1}
    mails |= {"We have your request": 1, f"Your account as {who.role} is ready": 1}
    return mails | ({"Ruth gave you a ticket": 1} if who.role == "agent" else {})
