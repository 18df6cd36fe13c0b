"""The bell on an open page: it rings for what happens elsewhere, and what is looked at is read."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

TICKET = """
alice = make_user("Alice", email="alice@example.org")
bob = make_agent("Bob", email="bob@example.org")
ada = make_admin("Ada", email="ada@example.org")
category = make_category("Faulty product")
answer(make_ticket(requester=alice, assignee=bob, by=ada, category=category).reference)
"""
WRITE = """
ticket = Ticket.objects.get(reference="{reference}")
messaging.post_message(ticket, by=ticket.requester, body="{words}")
answer(None)
"""


def bell_of(page):
    return page.locator("[data-bell]:visible")


def test_the_bell_counts_live_and_the_page_of_the_ticket_reads(registry, visitor):
    """From another process, without a reload; the title and screen readers have the number too."""
    reference = registry.ask(TICKET)
    page = visitor().sign_in("bob@example.org").go("/workspace/").page
    expect(bell_of(page)).to_have_accessible_name("Notifications, 1 unread")

    registry.ask(WRITE.format(reference=reference, words="Any news?"))

    expect(bell_of(page)).to_have_accessible_name("Notifications, 2 unread")
    expect(page).to_have_title(re.compile(r"^\(2\) "))
    expect(page.locator("[data-bell-news]")).to_have_text("Notifications, 2 unread")

    page.goto(f"{registry.address}/workspace/tickets/{reference}/")
    expect(bell_of(page)).to_have_accessible_name("Notifications")
    expect(page).to_have_title(re.compile(f"^{reference}"))

    with page.expect_response(re.compile("/notifications/seen/")):
        registry.ask(WRITE.format(reference=reference, words="And today?"))

    expect(page.locator("#log")).to_contain_text("And today?")
    expect(bell_of(page)).to_have_accessible_name("Notifications")
    page.goto(f"{registry.address}/notifications/")
    expect(page.locator(".ccr-told__what").first).to_have_text("Alice wrote to you")
    expect(page.locator(".is-unread")).to_have_count(0)
