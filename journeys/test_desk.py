"""What a help desk lives through besides the talk: calls, absent agents, missed promises."""

import re
from datetime import date, timedelta
from io import BytesIO

import pytest
from playwright.sync_api import expect
from pypdf import PdfReader

pytestmark = pytest.mark.browser

ALICE, BOB, CAROL, ADA = (f"{name}@example.org" for name in ("alice", "bob", "carol", "ada"))
MIRA = "mira.olsen@example.org"  # nobody knows her yet

DESK = """
make_user("Alice", email="alice@example.org")
make_admin("Ada", email="ada@example.org")
for name in ("Bob", "Carol"):
    make_agent(name, email=f"{name.lower()}@example.org")
make_category("Faulty product", team_name="Returns team")
"""
TICKET = """
people = {user.first_name: user for user in User.objects.all()}
answer(make_ticket(
    requester=people["Alice"], assignee=people["Bob"], by=people["Ada"],
    category=Category.objects.first(), subject="Kettle stopped heating",
).reference)
"""
REGULATED = """
from tickets.tests.factories import make_code, make_track
people = {user.first_name: user for user in User.objects.all()}
insured = make_category("Insurance", team_name="Claims team")
make_track(insured, acknowledge=3, respond=20, referral="Write to the Ombudsman within six months.")
make_code("cause", "wording", "Unclear wording")
make_code("remedy", "refund", "Refund")
answer(make_ticket(
    requester=people["Alice"], assignee=people["Bob"], by=people["Ada"], category=insured,
    subject="Claim refused",
).reference)
"""
PROMISE_IN_A_MOMENT = """
from datetime import timedelta
from django.utils import timezone
ticket = Ticket.objects.get(reference="{reference}")
actions.move_promise(
    ticket, by=ticket.assignee, to=timezone.now() + timedelta(seconds=1), reason="It is on my desk."
)
"""


@pytest.fixture(scope="module")
def desk(registry):
    """Alice asks, Bob and Carol answer, Ada runs the place."""
    registry.ask(DESK)
    return registry


@pytest.fixture
def reference(desk):
    """A ticket of Alice's that Bob has."""
    return desk.ask(TICKET)


def test_a_call_becomes_a_ticket_of_somebody_new(desk, visitor):
    """D1-14, D2-5, D0-21: written down on the phone, claimed by signing up, told only once."""
    bob, mira = visitor().sign_in(BOB), visitor()
    page = bob.go("/workspace/").page
    page.get_by_role("link", name="New ticket").first.click()
    page.get_by_label("Customer’s email address").fill(MIRA)
    page.get_by_label("How it came").select_option(label="by phone")
    page.get_by_label("What is it about?").select_option(label="Faulty product")
    page.get_by_label("Subject").fill("Toaster burns on one side")
    page.get_by_label("Describe it").fill("The left slot gets hot, the right one stays cold.")
    page.get_by_label("I take this ticket").check()
    page.get_by_role("button", name="Raise the ticket").click()
    expect(page.get_by_text("Nobody has this address here").first).to_be_visible()
    page.get_by_label("Their first name, if they are new here").fill("Mira")
    page.get_by_role("button", name="Raise the ticket").click()

    expect(page.get_by_role("heading", name="Toaster burns on one side")).to_be_visible()
    expect(page.get_by_text("by phone", exact=True)).to_be_visible()
    reference = re.search(r"CCR-\d{4}-\d{5}", page.url)[0]
    receipt = desk.mail_to(MIRA, f"[{reference}] We have your ticket")
    assert "Create your account and follow it" in receipt.text

    mira.sign_up("Mira", "Olsen", MIRA, "I need help with something")
    mira.page.get_by_role("link", name="Toaster burns on one side").click()
    expect(mira.page.locator("#log")).to_contain_text("The left slot gets hot")
    mira.page.get_by_label("Write to Bob").fill("It is the model with the blue light.")
    mira.page.get_by_role("button", name="Send").click()
    expect(page.locator("#log")).to_contain_text("the model with the blue light")


def test_who_is_absent_has_a_substitute(desk, visitor, reference):
    """D0-20, D4-7: what Bob has goes to Carol as soon as he is out, and Alice reads so."""
    alice, bob, carol = (visitor().sign_in(who) for who in (ALICE, BOB, CAROL))
    alice.go(f"/tickets/{reference}/")
    expect(alice.page.get_by_text("Bob is working on it.").first).to_be_visible()
    page = bob.go("/account/work/").page
    page.get_by_role("radio", name="Out of office").check()
    page.get_by_label("Last day out of office").fill(f"{date.today() + timedelta(days=3)}")
    page.get_by_label("Who stands in (optional)").select_option(label="Carol")
    page.get_by_role("button", name="Save").click()

    expect(alice.page.get_by_text("Carol is working on it.").first).to_be_visible()
    page = carol.go("/workspace/").page
    page.get_by_role("link", name="Kettle stopped heating").first.click()
    expect(page.locator("#log")).to_contain_text(
        "Bob is out of office. The registry assigned this to Carol, who stands in."
    )
    desk.mail_to(CAROL, f"[{reference}]")
    bob.go(f"/workspace/tickets/{reference}/")
    expect(bob.page.get_by_role("heading", name="Page not found")).to_be_visible()
    page = bob.go("/account/work/").page
    page.get_by_role("radio", name="Online").check()
    page.get_by_label("Last day out of office").fill("")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved")).to_be_visible()


def test_a_missed_promise_reaches_the_administrators(desk, visitor, reference):
    """D1-15, D0-12: who has it and who runs the place are told, and somebody else is sent."""
    desk.ask(PROMISE_IN_A_MOMENT.format(reference=reference))
    assert desk.mail_to(ALICE, f"[{reference}] The answer is promised for another time")
    ada = visitor().sign_in(ADA)

    desk.manage("run_clock")

    told = desk.mail_to(ADA, f"[{reference}] A promise was missed")
    assert "The time in which we promised the customer an answer is over" in told.text
    page = ada.go("/admin/").page
    expect(page.locator("section", has=page.locator("#due-title"))).to_contain_text("over")
    page.get_by_role("link", name="Kettle stopped heating").first.click()
    page.get_by_role("link", name="Assign", exact=True).click()
    offer = page.locator("option", has_text="Carol").inner_text()
    page.get_by_label("Agent").select_option(label=offer)
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Yes, assign to Carol").click()
    expect(page.get_by_text(f"{reference} is assigned to Carol.")).to_be_visible()
    desk.mail_to(CAROL, f"[{reference}] Ada gave you a ticket")


def test_a_regulated_complaint_ends_with_a_letter(desk, visitor):
    """D4-5, D4-7, D3-2: step by step by the days of the law, with an answer on paper."""
    reference = desk.ask(REGULATED)
    alice, bob = visitor().sign_in(ALICE), visitor().sign_in(BOB)
    steps = alice.go(f"/tickets/{reference}/").page.locator("#complaint")
    expect(steps).to_contain_text("Final response")
    page = bob.go(f"/workspace/tickets/{reference}/").page
    expect(page.locator("#complaint")).to_contain_text("Received")

    page.get_by_text("Next step of the complaint").click()
    page.get_by_label("Next step", exact=True).select_option(label="Acknowledged")
    page.get_by_role("button", name="Take the step").click()
    expect(page.locator("#complaint")).to_contain_text("Acknowledged")
    expect(alice.page.locator("#log")).to_contain_text("You get our final response by")
    page.locator("summary", has_text="Final response").click()
    page.get_by_label("Cause").select_option(label="wording Unclear wording")
    page.get_by_role("button", name="Give the final response").click()
    expect(page.get_by_text("Tell the customer what was decided, and why").first).to_be_visible()
    page.get_by_label("Remedy").select_option(label="refund Refund")
    page.get_by_label("Final response", exact=True).fill("You were right: #42 $is covered.")
    page.get_by_role("button", name="Give the final response").click()

    expect(page.locator("#complaint")).to_contain_text("Final response")
    expect(alice.page.locator("#log")).to_contain_text("You were right: #42 $is covered.")
    alice.go(f"/tickets/{reference}/")
    expect(alice.page.locator("#complaint")).to_contain_text("Write to the Ombudsman")
    letter = alice.page.locator("#log a.ccr-file").last
    answer = alice.context.request.get(letter.get_attribute("href"))
    words = " ".join(PdfReader(BytesIO(answer.body())).pages[0].extract_text().split())
    for told in (reference, "You were right: #42 $is covered.", "Write to the Ombudsman", "Bob"):
        assert told in words
    desk.mail_to(ALICE, f"[{reference}] Our final response to your complaint")
