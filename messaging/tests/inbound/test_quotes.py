"""Which words of a mail are its sender's own: nobody else's are said in their name."""

import time

import pytest
from django.core import mail as django_mail

from messaging.actions import post_message, post_note
from messaging.inbound import deciding, ledger
from messaging.inbound.parsed import Parsed
from messaging.inbound.parsing import parse
from messaging.models import Fate, Reason
from notifications.mail import outbox
from tickets.mail_addresses import new_message_id, reply_address
from tickets.models import TicketEvent

from .mails import make_mail, take_in

OURS = "Acme Desk\n\nCategory: Kettles. Priority: High.\n\nOpen the ticket"
HEAD = "On Sat, 21 Nov 2026 at 18:07, Acme Desk <care@example.net> wrote:"
FOLDED = "On Sat, 21 Nov 2026 at 18:07, Acme Desk\n<care@example.net> wrote:"
MARKED = "> Priority: High.\n>\n> Open the ticket"


@pytest.fixture(autouse=True)
def mailbox_of_ours(settings, kettles):
    settings.REPLY_ADDRESS = "care@example.net"


def own_words(body, subtype="plain"):
    mail = make_mail(body=None)
    mail.set_content(body, subtype=subtype)
    return parse(mail.as_bytes()).own


@pytest.mark.plan("SEC-A5")
@pytest.mark.parametrize(
    ("body", "own"),
    [
        (f"{HEAD}\n{MARKED}\n\nDear Zoe", "Dear Zoe"),
        (f"{FOLDED}\n\n{MARKED}\n\nDear Zoe", "Dear Zoe"),
        (f"Dear Zoe\n\n{FOLDED}\n{MARKED}\n\nYours", "Dear Zoe\n\nYours"),
        (f"{HEAD}\n{MARKED}", ""),
        ("> Is it?\nyes\n> Is it hot?\nno\n-- \nBob", "yes\n\nno"),
        (f"Of course:\n{MARKED}", "Of course:"),
        ("Dear Zoe\n-- \nBob\n\n> Is it?\nyes", "Dear Zoe\n\nyes"),
    ],
)
def test_quotes_are_nobodys_own_words(body, own):
    assert own_words(body) == own


HEADS = [
    "Acme Desk wrote on 21.11.2026 18:07:",
    "El sáb, 21 nov 2026 a las 18:07, Acme Desk (<care@example.net>) escribió:",
    "Am 21.11.2026 um 18:07 schrieb Acme Desk:",
    "Acme Desk schrieb am 21.11.2026 18:07:",
    "Le sam. 21 nov. 2026 à 18:07, Acme Desk <care@example.net> a écrit :",
    "Il giorno sab 21 nov 2026 alle ore 18:07 Acme Desk <care@example.net> ha scritto:",
    "Op za 21 nov 2026 om 18:07 schreef Acme Desk <care@example.net>:",
    "Em sáb., 21 de nov. de 2026 às 18:07, Acme Desk <care@example.net> escreveu:",
    "W dniu 21.11.2026 o 18:07, Acme Desk pisze, napisał(a):",
    "sob., 21 lis 2026 o 18:07 Acme Desk <care@example.net> napisał(a):",
]


@pytest.mark.plan("SEC-A5")
@pytest.mark.parametrize("head", HEADS)
def test_a_quote_without_marks_ends_nowhere(head):
    assert own_words(f"Dear Zoe\n\n{head}\n\n{OURS}") == "Dear Zoe"
    assert own_words(f"{head}\n\n{OURS}") == ""


@pytest.mark.plan("SEC-A5")
@pytest.mark.parametrize(
    ("markup", "own"),
    [
        (f"<div><br></div><div class=gmail_quote>{{}}<blockquote>{OURS}</blockquote></div>", ""),
        (f"<p>{{}}</p><blockquote type=cite>{OURS}</blockquote><p>Dear Zoe</p>", "Dear Zoe"),
        (f"<div class=gmail_attr>?</div><blockquote>{OURS}</blockquote>no<br>", "no"),
        (f"<p>A</p><blockquote>{OURS}</blockquote><p>B</p>", "A\n\nB"),
        (f"<p>A</p><div id=divRplyFwdMsg>From: us</div><p>{OURS}</p>", "A"),
    ],
)
def test_quotes_in_html_are_nobodys_own_words(markup, own):
    head = HEAD.replace("<", "&lt;").replace(">", "&gt;")

    assert own_words(markup.format(head), "html") == own


# --- What staff answer by mail --------------------------------------------------------


@pytest.fixture
def ours(ticket, alice, bob):
    """The words of the mail that tells Bob of Alice's message."""
    post_message(ticket, by=alice, body="It drips.")
    outbox.drain()
    (told,) = [each.body for each in django_mail.outbox if "It drips." in each.body]
    return told


def answer(ticket, bob, body):
    mail = make_mail(f"Bob <{bob.email}>", body=body, In_Reply_To=new_message_id(ticket, bob))
    return take_in(mail)


def marked(words):
    return "\n".join(f"> {line}" for line in words.splitlines())


@pytest.mark.plan("SEC-A5")
@pytest.mark.plan("SEC-D4")
@pytest.mark.parametrize(
    "shape",
    ["{head}\n{marked}\n\nDear Zoe", "{marked}\nDear Zoe", "Dear Zoe\n\n{head}\n\n{ours}"],
)
def test_staff_say_only_what_is_surely_theirs(ticket, bob, ours, shape):
    mail = answer(ticket, bob, shape.format(head=HEAD, marked=marked(ours), ours=ours))

    assert (mail.fate, mail.event.text) == (Fate.APPENDED, "Dear Zoe")


UNCLEAR = [
    "{head}\n{marked}",
    "Pe 21.11.2026 Acme kertoi:\n\n{ours}",
    "Pe 21.11.2026 Acme kertoi\n\n{rest}",
    "{ours}\nDear Zoe",
    "{rest}\nDear Zoe",
]


@pytest.mark.plan("SEC-A5")
@pytest.mark.plan("SEC-D4")
@pytest.mark.parametrize("shape", UNCLEAR)
def test_what_may_be_our_words_is_held_whoever_lets_it_through(ticket, ada, bob, ours, shape):
    lines = TicketEvent.objects.count()

    rest = ours.partition("\n")[2]  # without the line above which to answer
    words = shape.format(head=HEAD, marked=marked(ours), ours=ours, rest=rest)
    mail = answer(ticket, bob, words)
    (freed,) = ledger.retry(type(mail).objects.filter(pk=mail.pk), by=ada)

    assert [(each.fate, each.reason) for each in (mail, freed)] == [(Fate.HELD, Reason.UNCLEAR)] * 2
    assert TicketEvent.objects.count() == lines


@pytest.mark.plan("SEC-A5")
@pytest.mark.parametrize("told", ["workspace", "wrapped", "stop", "broken", "address"])
def test_links_of_staff_are_never_published(ticket, bob, settings, told):
    link = f"{settings.SITE_URL}{ticket.workspace_url}"
    words = {
        "workspace": link,
        "wrapped": "https://safe.example/?url=" + link.replace(":", "%3A").replace("/", "%2F"),
        "stop": f"{settings.SITE_URL.upper()}/stop-mails/abc:def/",
        "broken": f"> {settings.SITE_URL}/stop-\nmails/abc:def/",
        "address": f"To: {reply_address(ticket, bob)}",
    }[told]

    mail = answer(ticket, bob, f"Dear Zoe\n{words}")

    assert (mail.fate, mail.reason) == (Fate.HELD, Reason.UNCLEAR)


@pytest.mark.plan("SEC-A5")
@pytest.mark.parametrize("is_html", [False, True])
def test_our_mails_to_staff_say_where_an_answer_ends(ticket, alice, bob, is_html):
    """Then nothing of them is published where a program quotes without marks."""
    post_message(ticket, by=alice, body="It drips.")
    post_message(ticket, by=bob, body="Since when?")
    outbox.drain()
    last = {each.to[0]: each for each in django_mail.outbox}
    told, (html, _type) = last[bob.email], last[bob.email].alternatives[0]
    line = "----- Answer above this line -----"

    assert (told.body.count(line), html.count(line), line in last[alice.email].body) == (
        1,
        1,
        False,
    )
    body = f"<p>Dear Zoe</p>{html}" if is_html else f"Dear Zoe\n\n{told.body}"
    assert own_words(body, "html" if is_html else "plain") == "Dear Zoe"


@pytest.mark.plan("SEC-D19")
@pytest.mark.parametrize(
    ("head", "own"),
    [
        ("Από: Desk\nΣτάλθηκε: Σάββατο 18:07\nΠρος: {bob}\nΘέμα: Re: Kettle", "Dear Zoe"),
        ("____________________\nמאת: Desk\nנשלח: 18:07\nאל: {bob}\nנושא: Kettle", "Dear Zoe"),
        (
            "Saatja: Desk\n\tSaadetud: 2026\nAdressaat: {bob}\nTeema: Re:\nKettle",
            "Dear Zoe",
        ),
        ("Order: 4711\nSize: 12\nColour: red", "Dear Zoe\n\nOrder: 4711\nSize: 12\nColour: red"),
    ],
)
def test_headers_of_any_language_above_our_mail_are_not_published(ticket, bob, ours, head, own):
    mail = answer(ticket, bob, f"Dear Zoe\n\n{head.format(bob=bob.email)}\n\n{ours}")

    assert (mail.fate, mail.event.text) == (Fate.APPENDED, own)


LONG = "The kettle has been leaking at its base since the third of November, whatever I try to do."


def wrapped(words):
    """As some programs quote: what they wrap loses its mark."""
    return "\n".join(f"> {line[:60]}\n{line[60:]}".rstrip() for line in words.splitlines())


@pytest.mark.plan("SEC-A5")
@pytest.mark.parametrize("said", [LONG, LONG[:64]])
def test_wrapped_quotes_are_not_staffs_own_words(ticket, alice, bob, said):
    post_message(ticket, by=alice, body=said)

    quoting = answer(ticket, bob, f"Dear Zoe\n\n{wrapped(said)}\n> Alice")
    answering = answer(ticket, bob, f"> {said}\nI see.\n>\nDear Zoe")

    assert (quoting.fate, quoting.reason) == (Fate.HELD, Reason.UNCLEAR)
    assert (answering.fate, answering.event.text) == (Fate.APPENDED, "I see.\n\nDear Zoe")


@pytest.mark.plan("SEC-A5")
def test_what_others_said_is_not_staffs_own_though_nothing_marks_it(ticket, alice, bob):
    """But what they said themselves is, as they may greet and sign with it every time."""
    mine = "Kind regards, Bob Baker of the returns team"
    post_message(ticket, by=alice, body=LONG)
    post_message(ticket, by=bob, body=mine)

    repeated, signed = answer(ticket, bob, f"No.\n{LONG}"), answer(ticket, bob, f"Yes.\n{mine}")

    assert (repeated.fate, repeated.reason) == (Fate.HELD, Reason.UNCLEAR)
    assert signed.fate == Fate.APPENDED


@pytest.mark.plan("SEC-A5")
@pytest.mark.parametrize("by", ["ada", "bob"])
@pytest.mark.parametrize("mark", ["", "| ", "    ", "» | "])
def test_notes_are_not_published_whatever_marks_them(ticket, request, bob, by, mark):
    note = "Careful, this customer has asked three times for the same money."
    post_note(ticket, by=request.getfixturevalue(by), body=f"{note} Ask Ruth.")

    mail = answer(ticket, bob, f"Dear Zoe\n\nAda, earlier:\n{mark}{note}")

    assert (mail.fate, mail.reason) == (Fate.HELD, Reason.UNCLEAR)


@pytest.mark.plan("SEC-A5")
@pytest.mark.parametrize(
    ("body", "fate"),
    [
        ("cold " * 20, Fate.APPENDED),
        ("cold " * 21, Fate.HELD),
        (f"> {'cold ' * 18}\nI see.", Fate.APPENDED),
        (f"> {'cold ' * 20}\nI see.", Fate.HELD),
    ],
)
def test_more_than_is_compared_is_not_taken_for_staffs_own(ticket, bob, monkeypatch, body, fate):
    monkeypatch.setattr(deciding, "MAX_COMPARED", 100)

    assert answer(ticket, bob, body).fate == fate


@pytest.mark.plan("SEC-A5")
@pytest.mark.plan("P11")
@pytest.mark.parametrize("line", ["{n}cold kettle {n}", "cold kettle" * 5, f"a{'-' * 20_000}a"])
def test_to_compare_what_staff_say_takes_no_long_time(line):
    """The sender, the ticket and in SQLite all others wait for it."""
    said = "coldkettle" * 100_000
    words = "\n".join(line.format(n=n) for n in range(deciding.MAX_COMPARED // 20))
    words = words[: deciding.MAX_COMPARED]
    began = time.process_time()

    deciding.is_clear(Parsed(text=words, own=words), said)

    assert time.process_time() - began < 5


@pytest.mark.plan("SEC-A5")
@pytest.mark.parametrize(
    "head",
    [
        "Begin forwarded message:\n\nFrom: Legal <law@example.net>\nSubject: internal",
        "Début du message réexpédié :\n\nDe : Legal <law@example.net>\nObjet : x\nDate : hier",
        "From: Legal <law@example.net>\nSubject: internal",
    ],
)
def test_what_staff_forward_is_not_published(head):
    assert own_words(f"Dear Zoe\n\n{head}\n\nAn opinion of ours.") == "Dear Zoe"


@pytest.mark.parametrize("words", ["From: Berlin\nTo: Paris", "Dear Zoe:\n\nHello."])
def test_what_only_looks_like_headers_is_ones_own(words):
    assert own_words(words) == words


# --- What is too long -----------------------------------------------------------------


@pytest.mark.parametrize("body", ["{quote}\n\nI did.\n", "Hi.\n{quote}\nI did.\n"])
def test_of_a_mail_that_is_too_long_the_quote_goes_first(settings, body):
    settings.MAX_TEXT_LENGTH = 200
    body = body.format(quote="> Try another socket.\n" * 20)

    ticket = take_in(make_mail(body=body)).ticket

    words, _gap, last = ticket.description.rpartition("\n\n")
    (file,) = ticket.events.get(number=1).attachments.all()
    assert words.split() == body.replace("> Try another socket.", "").split()
    assert last == "This mail is longer. All its words are in whole-mail.txt."
    with file.file.open("rb") as kept:
        assert sorted(kept.read().decode().split()) == sorted(body.split())


@pytest.mark.plan("SEC-A5")
def test_the_file_of_a_long_answer_of_staff_quotes_nothing(settings, ticket, bob):
    settings.MAX_TEXT_LENGTH = 200
    words = "cold " * 100

    line = answer(ticket, bob, f"{words}\n\n{HEAD}\n{MARKED}").event

    with line.attachments.get().file.open("rb") as kept:
        assert kept.read().decode() == words.strip()
