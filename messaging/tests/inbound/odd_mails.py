"""Odd mails, made here: each says what is odd about it, and what must come out of it. Here it is
their headers and their parts; what is odd about words is in ``odd_words.py``.

Nothing of this was sent by anybody. Mail programs do worse.
"""

import base64
import binascii
from email.message import EmailMessage

from .odd_words import HEAD, PNG, Odd, folded, headed, html, in_charsets, misdeclared, quotes, text

PDF = b"%PDF-1.4\n%%EOF\n"


# --- Headers --------------------------------------------------------------------


def with_header(name: bytes, value: bytes | None) -> bytes:
    lines = [line for line in HEAD.splitlines() if not line.startswith(name + b":")]
    if value is not None:
        lines.append(name + b": " + value)
    return b"\n".join(lines) + b"\n\nIt stays cold.\n"


SENDERS = {
    b"zoe@example.org": "zoe@example.org",
    b"<zoe@example.org>": "zoe@example.org",
    b"Zoe <ZOE@Example.ORG>": "zoe@example.org",
    b'"Zoe, of Leeds" <zoe@example.org>': "zoe@example.org",
    b'"bob@example.org" <zoe@example.org>': "zoe@example.org",
    b"bob@example.org <zoe@example.org>": "zoe@example.org",
    b"=?utf-8?Q?bob=40example.org?= <zoe@example.org>": "zoe@example.org",
    b"=?utf-8?Q?=3Cbob=40example.org=3E?= <zoe@example.org>": "zoe@example.org",
    b'"<bob@example.org>" <zoe@example.org>': "zoe@example.org",
    b"(bob@example.org) zoe@example.org": "zoe@example.org",
    b"zoe@example.org (Zoe)": "zoe@example.org",
    b"Zoe <zoe@example.org": "zoe@example.org",
    b"Zoe zoe@example.org>": "zoe@example.org",
    b"< zoe@example.org >": "zoe@example.org",
    b"Zoe\n <zoe@example.org>": "zoe@example.org",
    b"<@mx.example.net,@relay.example.net:zoe@example.org>": "zoe@example.org",
    b"Team: zoe@example.org;": "zoe@example.org",
    b'"zoe"@example.org': "",
    b"x\\zoe@example.org": "",
    b"zoe@example.org@example.net": "",
    b"x" * 65 + b"zoe@example.org": "",
    b"": "",
    b"Zoe": "",
    b"<>": "",
    b"@": "",
    b"zoe@": "",
    b"undisclosed-recipients:;": "",
    b"(" * 1000 + b" zoe@example.org": "zoe@example.org",
    b'"' * 1000 + b" <zoe@example.org>": "zoe@example.org",
    "zoë@exämple.org".encode(): "",
    "Zoë <zoe@EXÄMPLE.org>".encode(): "zoe@xn--exmple-cua.org",
    "zoe@exämple.org".encode("cp1252"): "",
    "zoe@exa\u0308mple.org".encode(): "",
    "zoe@straße.example".encode(): "",  # not the one with ss
    "zoe@ｅxample.org".encode(): "",
    "zoe@“exämple.org”".encode(): "",
    f"zoe@{'ä' * 70}.org".encode(): "",
}


def headers():
    for value, sender in SENDERS.items():
        yield Odd(
            f"From: {value[:40].decode(errors='replace')}",
            with_header(b"From", value),
            "It stays cold.",
            sender,
        )
    yield Odd("no From", with_header(b"From", None), "It stays cold.", sender="")
    yield Odd("no Subject", with_header(b"Subject", None), "It stays cold.", subject="")
    yield Odd("empty Subject", with_header(b"Subject", b""), "It stays cold.", subject="")
    yield Odd("no Message-ID", with_header(b"Message-ID", None), "It stays cold.")
    yield Odd("broken Message-ID", with_header(b"Message-ID", b"odd"), "It stays cold.")
    yield Odd("no To", with_header(b"To", None), "It stays cold.")
    for value in (b"", b"yesterday", b"Sat, 99 Nov 9999 99:99:99 +9999", b"\xff\xfe"):
        yield Odd(f"Date: {value!r}", headed(b"Date: " + value + b"\n"), "It stays cold.")
    yield Odd(
        "a Subject over many lines",
        with_header(b"Subject", b"A\n very\n\tlong\n story"),
        "It stays cold.",
        subject="A very long story",
    )
    yield Odd(
        "a Subject with line ends in an encoded word",
        with_header(b"Subject", b"=?utf-8?Q?A=0D=0ABcc:_x=40y.z?="),
        "It stays cold.",
        subject="A Bcc: x@y.z",
    )
    yield Odd(
        "a Subject without end",
        with_header(b"Subject", b"x" * 100_000),
        "It stays cold.",
        subject="x" * 200,
    )
    yield Odd(
        "a Subject cut within an encoded word",
        with_header(b"Subject", b"=?utf-8?b?8J+rlg==?= " * 40_000),
        "It stays cold.",
        subject="🫖" * 190,
    )
    yield Odd(
        "half a character in a Subject",
        with_header(b"Subject", b"=?utf-7?q?Kettle_+2AA-?="),
        "It stays cold.",
    )
    yield Odd("only a body", b"\nIt stays cold.\n", "It stays cold.", sender="", subject="")
    yield Odd("an mbox line first", b"From zoe Sat Nov 21\n" + headed(b""), "It stays cold.")
    yield Odd("nothing", b"", "", sender="", subject="")
    yield Odd("no body", HEAD, "")
    yield Odd("LF alone", headed(b""), "It stays cold.")
    yield Odd("CR LF", headed(b"").replace(b"\n", b"\r\n"), "It stays cold.")
    yield Odd("a line without colon among the headers", HEAD + b"what\n\nBody\n", "what\n\nBody")


# --- Parts ----------------------------------------------------------------------


def parts(*items: bytes, kind=b"mixed", boundary=b"b1") -> bytes:
    """``items`` are whole parts, with their headers."""
    body = b"".join(b"--" + boundary + b"\n" + item + b"\n" for item in items)
    header = b"Content-Type: multipart/" + kind + b'; boundary="' + boundary + b'"\n'
    return header + b"\n" + body + b"--" + boundary + b"--\n"


def file(
    name: bytes, content: bytes, kind=b"application/octet-stream", where=b"attachment"
) -> bytes:
    return (
        b"Content-Type: " + kind + b"\nContent-Transfer-Encoding: base64\n"
        b"Content-Disposition: " + where + (b"; filename=" + name if name else b"") + b"\n\n"
    ) + base64.encodebytes(content)


def nested(depth: int) -> bytes:
    inner = text(b"Deep down.")
    for level in range(depth):
        inner = parts(inner, boundary=b"level%d" % level)
    return HEAD + inner


def forwarded() -> bytes:
    inner = EmailMessage()
    inner["From"], inner["Subject"] = "shop@example.com", "Your order"
    inner.set_content("Thank you.")
    mail = EmailMessage()
    mail["From"], mail["To"] = "Zoe <zoe@example.org>", "care@example.net"
    mail["Subject"], mail["Message-ID"] = "Kettle", "<odd@x>"
    mail.set_content("See below.")
    mail.add_attachment(inner)
    return mail.as_bytes()


# The head of a part whose words are the mail's own, whatever its name.
BODIES = (
    b'text/html; charset=utf-8; name="body.html"',
    b'text/html\nContent-Disposition: inline; filename="mail.htm"',
    b'text/plain; name="message"',
    b'text/plain; name="message.txt"\nContent-Disposition: inline',
    b"text/enriched",
    b"text/markdown; name=README.md",
    b"text/x-odd",
    b"text/x-amp-html",
    b"application/xhtml+xml",
)
# Of one that is a file beside words, and what it is called. Alone its words are read, as quoted.
FILES_OF_WORDS = {
    b'text/html\nContent-Disposition: attachment; filename="mail.html"': "mail.html",
    b'text/plain\nContent-Disposition: attachment; filename="kettle.txt"': "kettle.txt",
    b"text/plain\nContent-Disposition: attachment": "words.txt",
    b"text/markdown\nContent-Disposition: attachment": "words.txt",
    b"text/plain; name=kettle.log": "kettle.log",
    b"text/plain; name=kettle.csv\nContent-Disposition: inline": "kettle.csv",
}
# Of one that is a file always.
FILES_OF_DATA = {
    b"text/csv": "table.csv",
    b"text/csv; name=kettle.csv\nContent-Disposition: inline": "kettle.csv",
    b"text/x-vcard; name=zoe.vcf": "zoe.vcf",
    b"text/vcard": "card.vcf",
}
COLD = b"It stays cold."


def typed(kind: bytes, content: bytes = COLD) -> bytes:
    return b"Content-Type: " + kind + b"\n\n" + content


def named():
    plain = text(b"See below.")
    for kind in BODIES:
        yield Odd(f"words as {kind!r}", HEAD + typed(kind), "It stays cold.")
        yield Odd(
            f"words beside {kind!r}",
            HEAD + parts(plain, typed(kind)),
            "See below.\n\nIt stays cold.",
        )
    for kind, name in (FILES_OF_WORDS | FILES_OF_DATA).items():
        words = "> It stays cold." if kind in FILES_OF_WORDS else ""
        yield Odd(f"only {kind!r}", HEAD + typed(kind), words, files={name: COLD})
        yield Odd(
            f"a file beside words, {kind!r}",
            HEAD + parts(plain, typed(kind)),
            "See below.",
            files={name: COLD},
        )
    scanned = b"%PDF-1.4\0\xff"
    for name in (b"scan.pdf", b"scan"):
        yield Odd(
            f"a file called a text, {name.decode()}",
            HEAD + file(name, scanned, b"text/plain", b"inline"),
            "",
            files={name.decode(): scanned},
        )
    yield Odd(
        "UTF-16 with a name",
        HEAD + file(b"a.txt", "Grüße".encode("utf-16"), b"text/plain; charset=utf-16", b"inline"),
        "Grüße",
    )
    forms = [b"text/plain; name=text", b'text/html; name="html.html"']
    yield Odd(
        "two forms with names",
        HEAD + parts(*map(typed, forms), kind=b"alternative"),
        "It stays cold.",
    )
    for last in (b"text/x-amp-html", b"text/enriched"):
        yield Odd(
            f"HTML and {last.decode()}",
            HEAD + parts(typed(b"text/html"), typed(last, b"<b>Cold"), kind=b"alternative"),
            "It stays cold.",
        )


FILE_NAMES = {
    b'"bill.pdf"': "bill.pdf",
    b"bill.pdf": "bill.pdf",
    b'"=?utf-8?Q?Gr=C3=BC=C3=9Fe.pdf?="': "Grüße.pdf",
    b'"=?iso-8859-1?B?R3L832UucGRm?="': "Grüße.pdf",
    '"Grüße.pdf"'.encode(): "Grüße.pdf",
    '"Grüße.pdf"'.encode("cp1252"): "Grüße.pdf",
    b'"../../etc/passwd"': "../../etc/passwd",
    b'"C:\\\\temp\\\\bill.pdf"': "C:\\temp\\bill.pdf",
    b'"' + b"x" * 300 + b'.pdf"': "x" * 200,
}


ATTACHED = b"Content-Type: message/rfc822\n\nFrom: shop@example.com\nSubject: Your order\n" + parts(
    text(b"Thank you.\n\nBob"), file(b"bill.pdf", PDF), boundary=b"b2"
)
INVITATION = b"\r\n".join([
    b"BEGIN:VCALENDAR", b"BEGIN:VTIMEZONE", b"DTSTART:16010101T000000", b"END:VTIMEZONE",
    b"BEGIN:VEVENT", b'DTSTART;TZID="Europe/Berlin":20261123T093000', b"DTEND:20261123T090000Z",
    b"SUMMARY;LANGUAGE=en:Repair\\, at last",
    b"DESCRIPTION:Bring the\r\n  kettle\\n(and: its lid).",
    b"LOCATION:Leeds", b"BEGIN:VALARM", b"DESCRIPTION:Reminder", b"END:VALARM", b"END:VEVENT",
])  # fmt: skip


def structures():
    excuse = text(b"Your program does not show HTML mails.")
    picture = {"kettle.png": PNG}
    plain, html = text(b"It stays cold."), text(b"<p>It stays <b>cold</b>.</p>", b"html")
    mixed = parts(plain, file(b"kettle.png", PNG, b"image/png"))
    yield Odd("a picture beside the text", HEAD + mixed, "It stays cold.", files=picture)
    yield Odd("both forms", HEAD + parts(plain, html, kind=b"alternative"), "It stays cold.")
    yield Odd("an excuse", HEAD + parts(excuse, html, kind=b"alternative"), "It stays cold.")
    yield Odd("only HTML", HEAD + html, "It stays cold.")
    yield Odd("empty HTML", HEAD + text(b"<html><body></body></html>", b"html"), "")
    yield Odd(
        "an empty plain form beside the HTML",
        HEAD + parts(text(b"  \n"), html, kind=b"alternative"),
        "It stays cold.",
    )
    related = parts(
        text(b'<p>Look: <img src="cid:k" alt="kettle"></p>', b"html"),
        file(b"kettle.png", PNG, b"image/png", b"inline"),
        kind=b"related",
        boundary=b"b2",
    )
    yield Odd("an inline picture", HEAD + related, "Look: [kettle]", files=picture)
    yield Odd(
        "alternative around related",
        HEAD + parts(plain, related, kind=b"alternative"),
        "It stays cold.",
        files=picture,
    )
    nameless = file(b"", PNG, b"image/png", b"inline")
    yield Odd("a picture without name", HEAD + parts(plain, nameless), "It stays cold.",
              files={"picture.png": PNG})  # fmt: skip
    yield Odd(
        "only a file",
        HEAD + file(b"bill.pdf", PDF, b"application/pdf"),
        "",
        files={"bill.pdf": PDF},
    )
    yield Odd(
        "a text file beside the text",
        HEAD + parts(plain, file(b"log.txt", b"cold", b"text/plain")),
        "It stays cold.",
        files={"log.txt": b"cold"},
    )
    yield Odd("two texts", HEAD + parts(plain, text(b"Still.")), "It stays cold.\n\nStill.")
    yield Odd("ten levels", nested(10), "Deep down.")
    yield Odd("an empty multipart", HEAD + parts(), "")
    yield Odd(
        "no boundary named",
        HEAD + b"Content-Type: multipart/mixed\n\nIt stays cold.\n",
        "It stays cold.",
    )
    yield Odd(
        "the last boundary is missing",
        (HEAD + parts(plain)).replace(b"--b1--\n", b""),
        "It stays cold.",
    )
    yield Odd(
        "words before the first part",
        HEAD + parts(plain).replace(b"\n\n--b1", b"\n\nYour program is old.\n--b1"),
        "It stays cold.",
    )
    yield Odd("an unknown kind of multipart", HEAD + parts(plain, kind=b"x-odd"), "It stays cold.")
    yield Odd("a kind that is none", headed(b"Content-Type: text\n"), "It stays cold.")
    yield Odd("a signed mail", HEAD + parts(
        plain, file(b"smime.p7s", b"\x30\x82", b"application/pkcs7-signature"), kind=b"signed"
    ), "It stays cold.", files={"smime.p7s": b"\x30\x82"})  # fmt: skip
    yield Odd(
        "an encrypted mail",
        HEAD + file(b"smime.p7m", b"\x30\x80", b"application/pkcs7-mime"),
        "",
        files={"smime.p7m": b"\x30\x80"},
    )
    signed = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nIt stays cold."
    yield Odd("PGP in the text", headed(b"", signed.encode()), signed)
    yield Odd(
        "an invitation",
        HEAD + parts(plain, b"Content-Type: text/calendar\n\nBEGIN:VCALENDAR", kind=b"alternative"),
        "It stays cold.",
        files={"invitation.ics": b"BEGIN:VCALENDAR"},
    )
    for what, head in (("attached", b""), ("attached to words", text(b"See below."))):
        yield Odd(
            f"a mail {what}",
            HEAD + parts(*filter(None, [head]), ATTACHED),
            "See below." if head else "> Thank you.\n> \n> Bob",
            files={"Your order.eml": ATTACHED.partition(b"\n\n")[2]},
        )
    yield Odd(
        "only a mail in a mail",
        HEAD + b"Content-Type: message/rfc822\n\nSubject: One\n" + ATTACHED,
        "> > Thank you.\n> > \n> > Bob",
        files={"One.eml": b"Subject: One\n" + ATTACHED},
    )
    yield Odd(
        "only an invitation",
        HEAD + b"Content-Type: text/calendar; charset=utf-8\n\n" + INVITATION,
        "> Repair, at last\n> 2026-11-23 09:30 Europe/Berlin – 2026-11-23 09:00 UTC\n> Leeds\n> \n"
        "> Bring the kettle\n> (and: its lid).",
        files={"invitation.ics": INVITATION},
    )
    coded = b"begin 644 note.txt\n" + binascii.b2a_uu(b"Cold") + b"`\nend\n"
    yield Odd(
        "a uuencoded file",
        headed(b"", b"See the file.\n\n" + coded),
        "See the file.",
        files={"note.txt": b"Cold"},
    )
    for name, kept in FILE_NAMES.items():
        yield Odd(
            f"a file called {name[:30]!r}",
            HEAD + parts(plain, file(name, PDF, b"application/pdf")),
            "It stays cold.",
            files={kept: PDF},
        )
    yield Odd(
        "a file name by RFC 2231",
        HEAD
        + parts(
            plain,
            file(b"", PDF).replace(b"attachment", b"attachment; filename*=utf-8''Gr%C3%BC.pdf"),
        ),
        "It stays cold.",
        files={"Grü.pdf": PDF},
    )
    yield Odd(
        "a damaged winmail.dat",
        HEAD + parts(plain, file(b"winmail.dat", b"\x78\x9f\x3e\x22??", b"application/ms-tnef")),
        "It stays cold.",
        files={"winmail.dat": b"\x78\x9f\x3e\x22??"},
    )


ODD_MAILS = [
    *in_charsets(), *misdeclared(), *headers(), *structures(), *named(), *quotes(), *html(),
    *folded(),
]  # fmt: skip
