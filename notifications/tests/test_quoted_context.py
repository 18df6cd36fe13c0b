"""What a mail about a message quotes below it, and that it is folded when it comes back."""

import pytest
from django.utils.html import escape

from messaging.actions import post_message, post_note
from messaging.inbound.html_text import text_of
from messaging.inbound.quotes import sort_out
from messaging.tests.inbound.mails import answer_to, take_in
from notifications.mail import outbox
from notifications.mail.quoting import MAX_QUOTE

pytestmark = pytest.mark.django_db

ANSWER = "Thank you, that works.\nBest wishes"


@pytest.fixture
def mailed(ticket, mailoutbox):
    """What the last thing that happened is mailed as."""

    def mailed(happen):
        outbox.drain()
        mailoutbox.clear()
        happen()
        outbox.drain()
        return mailoutbox[-1]

    return mailed


def test_the_two_messages_before_are_quoted_the_newest_first(mailed, ticket, alice, bob):
    post_message(ticket, by=bob, body="Which model is it?")
    post_message(ticket, by=alice, body="The red one.\nOr the blue?")

    body = mailed(lambda: post_message(ticket, by=bob, body="Thank you.")).body

    hers, his = body.index("> The red one.\n> Or the blue?\n"), body.index("> Which model is it?")
    assert body.index("> Thank you.\n") < hers < his
    assert "Alice Archer wrote:\n> The red one." in body
    assert "Bob Baker wrote:\n> Which model is it?" in body
    assert "water stays cold" not in body


def test_the_first_answer_quotes_what_the_ticket_begins_with(mailed, ticket, bob):
    mail = mailed(lambda: post_message(ticket, by=bob, body="Which model is it?"))

    assert "Alice Archer wrote:\n> The light comes on but the water stays cold.\n" in mail.body
    assert "The light comes on but the water stays cold." in mail.alternatives[0].content


def test_what_the_registry_says_by_itself_has_the_name_it_has_on_the_page(mailed, ticket, bob):
    """D2-4: in the headline, and where it is quoted."""
    said = mailed(lambda: post_message(ticket, by=None, body="We are back Monday.", rule="test"))

    answer = mailed(lambda: post_message(ticket, by=bob, body="Here we are."))

    assert "\nThe registry wrote to you\n" in said.body
    assert "The registry wrote:\n> We are back Monday.\n" in answer.body


@pytest.mark.plan("SEC-A5", "SEC-D20")
def test_a_note_is_never_quoted(mailed, ticket, alice, bob):
    """Neither to the customer nor to the agent, whose answer goes to the customer."""
    post_message(ticket, by=bob, body="Which model is it?")
    post_note(ticket, by=bob, body="CANARY-5519")

    to_agent = mailed(lambda: post_message(ticket, by=alice, body="The red one."))
    post_note(ticket, by=bob, body="CANARY-5519")
    to_customer = mailed(lambda: post_message(ticket, by=bob, body="Thank you."))

    whole = "".join(mail.body + mail.alternatives[0].content for mail in (to_agent, to_customer))
    assert to_agent.to == ["bob@example.org"]
    assert "> Which model is it?" in to_agent.body
    assert "CANARY-5519" not in whole


@pytest.mark.plan("SEC-A5")
def test_a_mail_about_a_note_quotes_nothing(mailed, ticket, bob, ada):
    """It is told to a colleague."""
    ticket.followers.create(person=ada)

    mail = mailed(lambda: post_note(ticket, by=bob, body="She wrote before."))

    assert mail.to == ["ada@example.org"]
    assert "> She wrote before." in mail.body
    assert "water stays cold" not in mail.body


def test_what_is_quoted_is_bounded_and_escaped(mailed, ticket, alice, bob):
    post_message(ticket, by=alice, body="<b>word</b> " * 500)

    mail = mailed(lambda: post_message(ticket, by=bob, body="Thank you."))

    assert 0 < mail.body.count("<b>word</b>") * len("<b>word</b> ") <= MAX_QUOTE
    assert "<b>word" not in mail.alternatives[0].content
    assert "&lt;b&gt;word&lt;/b&gt;" in mail.alternatives[0].content


# --- It comes back -----------------------------------------------------------------


def as_plain_text(mail):
    quoted = "\n".join(f"> {line}".rstrip() for line in mail.body.split("\n"))
    return f"{ANSWER}\n\nOn Thu, Nov 5, 2026 at 10:36 Care <care@example.org> wrote:\n\n{quoted}\n"


def as_outlook(mail):
    head = "From: Care <care@example.org>\nSent: Thursday, November 5, 2026 10:36\n"
    head += f"To: Alice Archer <alice@example.org>\nSubject: RE: {mail.subject}\n"
    return f"{ANSWER}\n\n{head}\n{mail.body}"


def unsent(mail):
    """Two answers to and fro: ours, quoted by them, quoted by us."""
    return as_plain_text(mail).replace("\n> ", "\n> > ")


@pytest.mark.parametrize("answer", [as_plain_text, as_outlook, unsent])
def test_an_answer_is_told_from_what_it_quotes(mailed, ticket, alice, bob, answer):
    """However their mail program quotes ours, which quotes others."""
    post_message(ticket, by=alice, body="The red one.")
    mail = mailed(lambda: post_message(ticket, by=bob, body="Thank you:\n\n> is this right?"))
    text, new, own, _wrapped = sort_out(answer(mail))

    assert (text[:new], own) == (ANSWER, ANSWER)


@pytest.mark.parametrize(
    "around",
    [
        '<div class="gmail_quote"><div>On 5 Nov Care wrote:</div><blockquote>{}</blockquote></div>',
        '<div id="divRplyFwdMsg">From: Care</div>{}',
        '<div class="moz-cite-prefix">On 5 Nov Care wrote:</div><blockquote>{}</blockquote>',
    ],
)
def test_an_answer_in_html_is_too(mailed, ticket, alice, bob, around):
    post_message(ticket, by=alice, body="The red one.")
    html = mailed(lambda: post_message(ticket, by=bob, body="Thank you.")).alternatives[0].content
    ours = html[html.index("<div role=") : html.index("</body>")]
    words = escape(ANSWER).replace("\n", "<br>")

    page = f"<html><body><p>{words}</p>{around.format(ours)}</body></html>"
    text, new, own, _wrapped = sort_out(text_of(page))

    assert (text[:new], own) == (ANSWER, ANSWER)
    assert "The red one." in text[new:]


FORWARDED = "See what the shop wrote.\n\n---- Forwarded message ----\n> We repair nothing.\n"
SIGNED = "Still cold.\n\n-- \nAlice Archer, Kettle Street 1\n"


@pytest.mark.parametrize(("body", "has_more"), [(FORWARDED, True), (SIGNED, False)])
def test_who_forwards_something_is_read_on_the_page(mailed, ticket, alice, body, has_more):
    """Staff read the customer's own words in the mail, and that these are not all."""
    mail = mailed(lambda: take_in(answer_to(ticket, alice, body=body)))

    assert body.split("\n")[0] in mail.body
    assert "We repair nothing." not in mail.body
    for text in (mail.body, mail.alternatives[0].content):
        assert ("Read the rest on the ticket’s page." in text) == has_more


def test_a_quote_of_ours_is_no_rest(mailed, ticket, alice, bob):
    ours = mailed(lambda: post_message(ticket, by=bob, body="Which model is it?")).body
    quoted = "".join(f"> {line}\n" for line in ours.split("\n"))

    mail = mailed(lambda: take_in(answer_to(ticket, alice, body=f"The red one.\n\n{quoted}")))

    assert "The red one." in mail.body
    assert "Read the rest" not in mail.body
