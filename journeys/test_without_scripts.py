"""The main job by plain forms, in a browser that runs no scripts."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

FILES = Path(__file__).parent / "files"
CAST = """
make_user("Alice", last_name="Archer", email="alice@example.org")
make_agent("Bob", last_name="Baker", email="bob@example.org")
make_admin("Ada", last_name="Adler", email="ada@example.org")
make_category("Faulty product", team_name="Returns team")
"""


def test_the_main_job_by_plain_forms(registry, visitor):
    """D4-2 to D4-7 again: nothing of it needs a script."""
    registry.ask(CAST)
    alice, bob, ada = (
        visitor(java_script_enabled=False).sign_in(f"{name}@example.org")
        for name in ("alice", "bob", "ada")
    )

    reference = alice_raises(alice)
    ada_assigns(ada, reference)
    bob_answers_and_waits(bob, reference)
    alice_answers(alice, reference)
    bob_notes_and_moves(bob)
    alice_reads_and_rates(alice, reference)
    alice_opens_again_and_closes(alice, reference)
    assert "1 tickets is complete and unaltered" in registry.manage("verify_history")


def alice_raises(alice) -> str:
    """A file survives the errors, one is taken away again."""
    page = alice.go("/tickets/new/").page
    page.get_by_label("Subject").fill("Kettle stopped heating")
    page.set_input_files("#id_attachments", [FILES / "broken-kettle.png", FILES / "receipt.pdf"])
    page.get_by_role("button", name="Review your ticket").click()
    errors = page.locator("#errors")
    expect(errors).to_contain_text("Query cannot be empty!")
    expect(page.get_by_label("Subject")).to_have_value("Kettle stopped heating")
    expect(page.locator("#draft-files .ccr-file__name")).to_have_count(2)

    page.get_by_role("button", name="Remove receipt.pdf").click()
    expect(page.locator("#draft-files .ccr-file__name")).to_have_text(["broken-kettle.png"])
    expect(page.get_by_label("Subject")).to_have_value("Kettle stopped heating")
    page.get_by_label("What is it about?").select_option(label="Faulty product")
    page.get_by_label("Describe it").fill("The water stays cold.")
    page.get_by_role("button", name="Review your ticket").click()
    expect(page.get_by_text("Nothing has been sent yet.")).to_be_visible()
    expect(page.get_by_text("broken-kettle.png")).to_be_visible()
    page.get_by_role("button", name="Send ticket").click()
    expect(page.get_by_role("heading", name="We have your ticket")).to_be_visible()
    return page.locator(".ccr-no").inner_text()


def ada_assigns(ada, reference):
    page = ada.go("/admin/").page
    row = page.locator("#unassigned tr", has_text=reference)
    row.get_by_role("combobox").select_option(label="Bob Baker (0 open)")
    row.get_by_role("button", name="Assign").click()
    page.get_by_role("button", name="Yes, assign to Bob Baker").click()
    expect(page.get_by_text("There is nothing left to assign")).to_be_visible()


def bob_answers_and_waits(bob, reference):
    page = bob.go(f"/workspace/tickets/{reference}/").page
    expect(page.get_by_role("link", name="Check for new messages")).to_be_visible()
    page.locator("#id_body").fill("Which batch is it?")
    page.get_by_label("Then set status to").select_option(label="and wait for customer")
    page.set_input_files("#id_files", FILES / "receipt.pdf")
    page.get_by_role("button", name="Send reply").click()
    expect(page.locator("#log")).to_contain_text("Which batch is it?")
    expect(page.locator("#log .ccr-file__name")).to_have_text(["broken-kettle.png", "receipt.pdf"])
    expect(page.locator("#ticket-facts")).to_contain_text("Waiting on customer")


def alice_answers(alice, reference):
    page = alice.go(f"/tickets/{reference}/").page
    expect(page.locator("#ticket-stub")).to_contain_text("Your reply needed")
    page.locator("#composer").get_by_role("button", name="Send").click()
    expect(page.get_by_text("Type something!")).to_be_visible()
    page.locator("#id_body").fill("It says B2319.")
    page.locator("#composer").get_by_role("button", name="Send").click()
    expect(page.locator("#log")).to_contain_text("It says B2319.")
    expect(page.locator("#ticket-stub")).to_contain_text("In progress")


def bob_notes_and_moves(bob):
    """A note, a move whose words were missing, the move."""
    page = bob.page
    page.get_by_role("link", name="Check for new messages").click()
    expect(page.locator("#log")).to_contain_text("It says B2319.")
    page.get_by_text("Internal note", exact=True).last.click()
    page.locator("#id_body").fill("Pulled from sale.")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator(".ccr-copy--note")).to_contain_text("Pulled from sale.")

    page.get_by_text("Change the status").click()
    page.get_by_label("Move to").select_option(label="Resolved")
    page.get_by_role("button", name="Move the ticket").click()
    expect(page.locator("#move_resolution_error")).to_have_text("Choose how it was resolved")
    page.locator("#move_resolution").select_option(label="Replaced")
    page.get_by_label("Words for the customer").fill("A new one comes on Monday.")
    page.get_by_role("button", name="Move the ticket").click()
    expect(page.locator("#ticket-facts")).to_contain_text("Replaced")


def alice_reads_and_rates(alice, reference):
    page = alice.go(f"/tickets/{reference}/").page
    expect(page.locator("#ticket-stub")).to_contain_text("A new one comes on Monday.")
    expect(page.locator("#log")).not_to_contain_text("Pulled from sale.")
    rate = page.get_by_role("button", name="Send feedback and close ticket")
    rate.click()
    expect(page.get_by_text("Choose a rating from 1 to 5")).to_be_visible()
    page.get_by_role("radio", name="Good", exact=False).first.check()
    rate.click()
    expect(page).to_have_url(re.compile(r"/tickets/$"))
    alice.go(f"/tickets/{reference}/")
    expect(page.get_by_text("You closed this ticket. Chats are disabled")).to_be_visible()


def alice_opens_again_and_closes(alice, reference):
    page = alice.page
    page.get_by_role("button", name="It isn’t fixed: open it again").click()
    expect(page.locator("#ticket-stub")).to_contain_text("In progress")
    page.get_by_role("link", name="It’s solved: close this ticket").click()
    page.get_by_role("button", name="Yes, close it").click()
    expect(page.get_by_text(f"{reference} is closed. Thank you for telling us.")).to_be_visible()
