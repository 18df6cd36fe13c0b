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
NOTHING_YET = """
carol = make_user("Carol", email="carol@example.org")
make_agent("Dave", email="dave@example.org")
answer(make_ticket(requester=carol, category=make_category("Late delivery")).reference)
"""
GIVE = """
ticket = Ticket.objects.get(reference="{reference}")
dave, eve = User.objects.get(email="dave@example.org"), make_admin("Eve", email="eve@example.org")
actions.assign(ticket, to=dave, by=eve)
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


def test_the_open_list_grows_and_nobody_loses_their_place(registry, visitor):
    """What is read in another tab is marked in this one."""
    reference = registry.ask(NOTHING_YET)
    dave = visitor().sign_in("dave@example.org").go("/notifications/")
    page, rows = dave.page, dave.page.locator(".ccr-told__what")
    expect(page.get_by_text("Nothing has happened yet.")).to_be_visible()

    registry.ask(GIVE.format(reference=reference))

    expect(rows).to_have_text(["Unread: Eve gave you a ticket"])
    expect(page.get_by_text("Nothing has happened yet.")).to_be_hidden()
    given = page.get_by_role("button", name="Eve gave you a ticket")
    given.focus()

    registry.ask(WRITE.format(reference=reference, words="Where is it?"))

    expect(rows).to_have_text(["Unread: Carol wrote to you", "Unread: Eve gave you a ticket"])
    expect(given).to_be_focused()
    expect(page.get_by_role("status")).to_have_text(["Notifications, 2 unread"])

    other = dave.context.new_page()
    other.goto(f"{registry.address}/notifications/")
    other.get_by_role("button", name="Mark all as read").click()

    expect(rows).to_have_text(["Carol wrote to you", "Eve gave you a ticket"])
    expect(page.get_by_role("button", name="Mark all as read")).to_be_hidden()
    expect(given).to_be_focused()
