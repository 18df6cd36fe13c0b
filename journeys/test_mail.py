"""A customer who never leaves their mailbox, and an agent who never leaves the workspace.

Mail comes in through a real IMAP server that announces it, and goes out to a real SMTP server.
"""

import re
import time
from email.message import EmailMessage
from email.utils import make_msgid, parseaddr
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from playwright.sync_api import expect

from messaging.tests.inbound.servers import PASSWORD, Dovecot
from notifications.tests.smtp import Sink

from .installation import PATIENCE, Installation, own_database

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Dovecot.is_here(), reason="dovecot-imapd is not installed"),
]

ALICE, BOB = "alice@example.org", "bob@example.org"
CARE = "care@example.net"
SUBJECT = "Kettle stopped heating"
DESK = """
from messaging.models import Mailbox
make_user("Alice", last_name="Archer", email="alice@example.org")
bob = make_agent("Bob", email="bob@example.org")
category = make_category(
    "Faulty product", team_name="Returns team", email="returns@example.net",
    acknowledgement="We repair within two weeks.",
)
category.experts.create(agent=bob)
Mailbox.objects.create(
    name="Care", host="127.0.0.1", port={port}, security="none", username="care", secret="{secret}"
)
"""
LEDGER = """
from messaging.models import InboundMail
answer([[mail.fate, mail.ticket.reference] for mail in InboundMail.objects.order_by("pk")])
"""
# As Gmail writes an answer: the new words, and all of the mail before below a line of its own.
GMAIL = """\
<div dir="ltr">{words}</div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr"
class="gmail_attr">On Sat, Nov 21, 2026 at 11:02 AM Care &lt;<a
href="mailto:care@example.net">care@example.net</a>&gt; wrote:<br></div><blockquote
class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);\
padding-left:1ex">{quoted}</blockquote></div>
"""


@pytest.fixture
def mailbox():
    with TemporaryDirectory() as folder, Dovecot(Path(folder)) as server:
        yield server


@pytest.fixture
def registry(tmp_path_factory, static_files, empty_database, mailbox):
    """Reads ``mailbox``, and names its address for answers."""
    folder = tmp_path_factory.mktemp("registry")
    with Sink() as sink, own_database(folder, empty_database) as database_url:
        installation = Installation(folder, sink, database_url)
        installation.environment["REPLY_ADDRESS"] = CARE
        try:
            installation.start()
            installation.ask(DESK.format(port=mailbox.port, secret=PASSWORD))
            installation.start_mail()
            yield installation
        finally:
            installation.stop()


def test_a_customer_lives_wholly_in_their_mailbox(registry, mailbox, visitor):
    """D0-11, D0-13, D0-22: raised, answered, answered back, resolved and rated."""
    mailbox.put(from_alice("It stays cold since Friday.", Subject=SUBJECT, To=CARE).as_bytes())
    receipt = mail_with(registry, "We repair within two weeks.")
    reference = check_receipt(receipt)

    bob = visitor().sign_in(BOB)
    bob_takes_it(bob, reference)
    first = bob_answers(registry, bob, "Hello Alice, which batch is it?", after=receipt)

    alice_answers_by_mail(mailbox, bob, first, "It says B2319 on the bottom.")
    second = bob_answers(registry, bob, "Thank you, that is all I need.", after=first)

    resolved = bob_resolves_it(registry, bob, "A new kettle comes on Monday.", after=second)
    alice_rates_without_signing_in(visitor, bob, resolved)

    assert registry.ask(LEDGER) == [["ticketed", reference], ["appended", reference]]
    assert mailbox.unseen() == 0
    ids = [mail["Message-ID"] for mail in registry.mails_to(ALICE)]
    assert len(set(ids)) == len(ids)


# --- What each does -----------------------------------------------------------------


def from_alice(words, **headers):
    mail = EmailMessage()
    mail["From"] = f"Alice Archer <{ALICE}>"
    mail["Message-ID"] = make_msgid(domain="mail.example.org")
    mail["Date"] = "Sat, 21 Nov 2026 10:00:00 +0000"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(words)
    return mail


def mail_with(registry, words):
    """The mail to Alice that says ``words``, waited for."""
    until = time.monotonic() + PATIENCE
    while not (found := [mail for mail in registry.mails_to(ALICE) if words in plain(mail)]):
        assert time.monotonic() < until, registry.headlines_to(ALICE)
        time.sleep(0.1)
    assert len(found) == 1
    return found[0]


def plain(mail) -> str:
    """Its text in one line, without the marks of quotes."""
    return " ".join(mail.text.replace(">", " ").split())


def check_receipt(receipt) -> str:
    """SEC-D8, SEC-D10: nothing of what the mail said, as anybody may have written it."""
    reference = re.search(r"CCR-\d{4}-\d{5}", receipt["Subject"])[0]
    assert "Kettle" not in receipt["Subject"]
    assert "since Friday" not in receipt.raw.decode()
    assert receipt["Auto-Submitted"].startswith("auto-")
    assert [part.get_content_type() for part in receipt.message.iter_parts()] == [
        "text/plain",
        "text/html",
    ]
    return reference


def bob_takes_it(bob, reference):
    page = bob.go(f"/workspace/tickets/{reference}/").page
    expect(page.locator("#log")).to_contain_text("It stays cold since Friday.")
    expect(page.locator("#log")).to_contain_text("by email")
    page.get_by_role("button", name="Take this ticket").click()
    expect(page.get_by_text("Reply to Alice")).to_be_visible()


def bob_answers(registry, bob, words, *, after):
    """The mail that Alice gets. It stands in the thread of the one ``after`` which it came, and
    what she answers reaches the ticket."""
    bob.page.locator("#id_body").fill(words)
    bob.page.get_by_role("button", name="Send reply").click()
    expect(bob.page.locator("#log article", has_text=words)).to_be_visible()  # it waits no more
    mail = mail_with(registry, words)

    root = after["References"].split()[0]
    assert mail["References"].split()[0] == root
    assert mail["In-Reply-To"] in mail["References"]
    assert re.fullmatch(r"care\+\S+@example\.net", parseaddr(mail["Reply-To"])[1])
    assert SUBJECT in mail["Subject"]
    return mail


def alice_answers_by_mail(mailbox, bob, answered, words):
    """Her mail program quotes what it answers; Bob's open page shows it without a reload."""
    quoted = answered.text
    mail = from_alice(
        f"{words}\n\nOn Sat, Nov 21, 2026 at 11:02 AM Care <{CARE}> wrote:\n\n"
        + "".join(f"> {line}\n" for line in quoted.splitlines()),
        Subject=f"Re: {answered['Subject']}",
        To=answered["Reply-To"],
        In_Reply_To=answered["Message-ID"],
        References=f"{answered['References']} {answered['Message-ID']}",
    )
    mail.add_alternative(GMAIL.format(words=words, quoted=quoted), subtype="html")
    arrived_at = bob.watch_for(words)
    started = time.time()
    mailbox.put(mail.as_bytes())
    took = arrived_at() - started
    print(f"from the mailbox to the page in {took:.2f} s")  # noqa: T201 -- a figure of the journey

    line = bob.page.locator("#log li", has_text=words)
    expect(line.locator(".ccr-copy__text")).to_contain_text(words)
    fold = line.locator("details.ccr-fold")
    expect(fold.get_by_text("Show the rest")).to_be_visible()
    expect(fold).not_to_have_attribute("open", re.compile(".*"))
    fold.locator("summary").click()
    expect(fold).to_contain_text("which batch is it?")


def bob_resolves_it(registry, bob, words, *, after):
    page = bob.page
    page.locator("#id_then").select_option(label="and resolve")
    page.locator("#id_resolution").select_option(label="Replaced")
    mail = bob_answers(registry, bob, words, after=after)
    expect(page.locator("#ticket-facts")).to_contain_text("Replaced")
    return mail


def alice_rates_without_signing_in(visitor, bob, resolved):
    """D0-13: by the link in the mail, in a browser that knows nobody."""
    link = next(
        found for found in re.findall(r"http://localhost:\d+/\S+", resolved.text) if "rate" in found
    )
    page = visitor().go(link).page
    page.get_by_role("radio", name="Very good").check()
    page.get_by_label("Anything we should know?").fill("Bob was quick.")
    page.get_by_role("button", name="Send feedback and close ticket").click()

    expect(bob.page.locator("#log")).to_contain_text("rated it 5 of 5")
