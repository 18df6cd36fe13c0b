"""Odd mails, made here: each says what is odd about it, and what must come out of it.

Nothing of this was sent by anybody. Mail programs do worse.
"""

import base64
import binascii
import quopri
from dataclasses import dataclass, field
from email.message import EmailMessage

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PDF = b"%PDF-1.4\n%%EOF\n"
HEAD = b"From: Zoe <zoe@example.org>\nTo: care@example.net\nSubject: Kettle\nMessage-ID: <odd@x>\n"


@dataclass(frozen=True)
class Odd:
    what: str
    raw: bytes
    text: str
    sender: str = "zoe@example.org"
    subject: str = "Kettle"
    files: dict[str, bytes] = field(default_factory=dict)
    new: str | None = None  # the part that is not folded, if that is not all

    def __str__(self):
        return self.what


def headed(more: bytes, body: bytes = b"It stays cold.\n") -> bytes:
    return HEAD + more + b"\n" + body


# --- Charsets -------------------------------------------------------------------

# Words in each charset that can be said in it, and what the mail calls the charset.
WORDS = {
    "Grüße, naïve café": ["iso-8859-1", "ISO-8859-15", "windows-1252", "utf-8", "UTF8", "cp1252"],
    "Žluťoučký kůň": ["iso-8859-2", "windows-1250"],
    "Привет, мир": ["koi8-r", "windows-1251", "iso-8859-5", "cp866", "koi8-u"],
    "Καλημέρα": ["iso-8859-7", "windows-1253"],
    "Türkçe ışık": ["iso-8859-9", "windows-1254"],
    "שלום עולם": ["windows-1255", "iso-8859-8", "iso-8859-8-i", "iso-8859-8-e"],
    "مرحبا": ["windows-1256", "iso-8859-6"],
    "Ačiū labai": ["windows-1257", "iso-8859-13"],
    "Cám ơn": ["utf-8"],
    "สวัสดี": ["tis-620", "windows-874"],
    "やかんが壊れた": ["iso-2022-jp", "shift_jis", "Shift-JIS", "x-sjis", "euc-jp", "cp932"],
    "水壶坏了": ["gb2312", "gbk", "x-gbk", "gb18030", "hz-gb-2312"],
    "水壺壞了": ["big5", "x-big5", "big5-hkscs"],
    "주전자가 고장": ["euc-kr", "ks_c_5601-1987", "iso-2022-kr", "cp949"],
    "Emoji ☕ 🫖": ["utf-8", "utf-16", "utf-7"],
    "æøå": ["macintosh", "x-mac-roman", "cp850"],
}
PYTHON_NAMES = {
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-8-e": "iso-8859-8",
    "windows-874": "cp874",
    "x-sjis": "cp932",
    "x-gbk": "gbk",
    "x-big5": "big5",
    "ks_c_5601-1987": "cp949",
    "hz-gb-2312": "hz",
    "x-mac-roman": "mac_roman",
    "macintosh": "mac_roman",
}


def encoded(words: str, charset: str) -> bytes:
    return words.encode(PYTHON_NAMES.get(charset, charset))


def in_charsets():
    for words, charsets in WORDS.items():
        for charset in charsets:
            content = encoded(words, charset)
            kind = f'Content-Type: text/plain; charset="{charset}"\n'.encode()
            b64 = b"Content-Transfer-Encoding: base64\n"
            yield Odd(f"body in {charset}", headed(kind + b64, base64.encodebytes(content)), words)
            word = b"=?%s?B?%s?=" % (charset.encode(), base64.b64encode(content))
            yield Odd(
                f"subject in {charset}",
                HEAD.replace(b"Subject: Kettle", b"Subject: " + word) + b"\nBody\n",
                "Body",
                subject=words,
            )


def misdeclared():
    greeting = "Grüße"
    for charset in ("x-unknown", "unknown-8bit", "default", "us-ascii", "", "no-such-charset"):
        kind = f'Content-Type: text/plain; charset="{charset}"\n'.encode()
        for really in ("utf-8", "cp1252"):
            yield Odd(
                f"{really} declared as {charset or 'nothing'}",
                headed(kind + b"Content-Transfer-Encoding: 8bit\n", greeting.encode(really)),
                greeting,
            )
    for name in ("base64", "rot13", "zip", "idna\x00", "../../etc/passwd", "utf-8; x=y"):
        kind = f'Content-Type: text/plain; charset="{name}"\n'.encode("latin-1")
        yield Odd(f"a charset called {name!r}", headed(kind), "It stays cold.")
    yield Odd("undeclared 8-bit body", headed(b"", greeting.encode()), greeting)
    yield Odd(
        "undeclared 8-bit subject",
        HEAD.replace(b"Kettle", greeting.encode()) + b"\nBody\n",
        "Body",
        subject=greeting,
    )
    yield Odd(
        "utf-8 that is none",
        headed(b"Content-Type: text/plain; charset=utf-8\n", b"caf\xe9 closed\n"),
        "caf\ufffd closed",
    )
    first, second = base64.b64encode("Grü".encode()[:3]), base64.b64encode("Grü".encode()[3:])
    yield Odd(
        "a letter split over two encoded words",
        HEAD.replace(b"Kettle", b"=?utf-8?B?%s?= =?utf-8?B?%s?=" % (first, second)) + b"\nBody\n",
        "Body",
        subject="Grü",
    )
    yield Odd(
        "an encoded word that is none",
        HEAD.replace(b"Kettle", b"=?utf-8?B?!!!?= left") + b"\nBody\n",
        "Body",
        subject="left",
    )
    yield Odd(
        "quoted-printable in the subject",
        HEAD.replace(b"Kettle", b"=?iso-8859-1?Q?Caf=E9_zu?=") + b"\nBody\n",
        "Body",
        subject="Café zu",
    )
    yield Odd(
        "an encoded word within quotes",
        HEAD.replace(b"Zoe <", b'"=?utf-8?Q?Zo=C3=AB?=" <') + b"\nBody\n",
        "Body",
    )
    yield Odd(
        "NUL and other controls",
        headed(b"", b"It\x00 stays\x07 cold\x1b."),
        "It stays cold.",
    )
    yield Odd(
        "a base64 body cut off in the middle",
        headed(
            b"Content-Transfer-Encoding: base64\n", base64.b64encode(b"It stays cold.....")[:-3]
        ),
        "It stays cold..",
    )
    yield Odd(
        "quoted-printable with broken escapes",
        headed(b"Content-Transfer-Encoding: quoted-printable\n", b"It =ZZ stays=20cold.=\n\n"),
        "It =ZZ stays cold.",
    )
    yield Odd(
        "quoted-printable",
        headed(
            b"Content-Type: text/plain; charset=utf-8\n"
            b"Content-Transfer-Encoding: quoted-printable\n",
            quopri.encodestring(greeting.encode()),
        ),
        greeting,
    )


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
    b"zoe@example.org, bob@example.org": "zoe@example.org",
    b"": "",
    b"Zoe": "",
    b"<>": "",
    b"@": "",
    b"zoe@": "",
    b"undisclosed-recipients:;": "",
    b"(" * 1000 + b" zoe@example.org": "zoe@example.org",
    b'"' * 1000 + b" <zoe@example.org>": "zoe@example.org",
    "zoë@exämple.org".encode(): "",
}


def headers():
    for value, sender in SENDERS.items():
        yield Odd(
            f"From: {value[:40].decode()}", with_header(b"From", value), "It stays cold.", sender
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


def text(words: bytes, kind=b"plain") -> bytes:
    return b"Content-Type: text/" + kind + b"; charset=utf-8\n\n" + words


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


FILE_NAMES = {
    b'"bill.pdf"': "bill.pdf",
    b"bill.pdf": "bill.pdf",
    b'"=?utf-8?Q?Gr=C3=BC=C3=9Fe.pdf?="': "Grüße.pdf",
    b'"=?iso-8859-1?B?R3L832UucGRm?="': "Grüße.pdf",
    b'"../../etc/passwd"': "../../etc/passwd",
    b'"C:\\\\temp\\\\bill.pdf"': "C:\\temp\\bill.pdf",
    b'"' + b"x" * 300 + b'.pdf"': "x" * 200,
}


def structures():
    picture = {"kettle.png": PNG}
    plain, html = text(b"It stays cold."), text(b"<p>It stays <b>cold</b>.</p>", b"html")
    mixed = parts(plain, file(b"kettle.png", PNG, b"image/png"))
    yield Odd("a picture beside the text", HEAD + mixed, "It stays cold.", files=picture)
    yield Odd("both forms", HEAD + parts(plain, html, kind=b"alternative"), "It stays cold.")
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


# --- Quotes ---------------------------------------------------------------------


NEW = "It is still cold."
QUOTED = {
    "a quote": "\n\n> Try another socket.\n> Bob",
    "a quote with its head": "\n\nOn Fri, 20 Nov 2026 at 10:00, Bob <bob@x.org> wrote:\n\n> Try.",
    "a head over two lines": "\n\nOn Fri, 20 Nov 2026 at 10:00, Bob\n<bob@x.org> wrote:\n> Try.",
    "a German head": "\n\nAm 20.11.2026 um 10:00 schrieb Bob <b@x.org>:\n> Probieren.",
    "a French head": "\n\nLe ven. 20 nov. 2026 à 10:00, Bob <b@x.org> a écrit :\n> Essayez.",
    "a Japanese head": "\n\n2026年11月20日 10:00 Bob <b@x.org>：\n> Hi.",
    "Outlook's block": "\n\nFrom: Bob <b@x.org>\nSent: Friday\nTo: Zoe\nSubject: Kettle\n\nTry.",
    "Outlook's block in German": "\n\nVon: Bob\nGesendet: Freitag\nAn: Zoe\nBetreff: K\n\nHallo.",
    "Outlook's block below a rule": "\n\n" + "_" * 32 + "\nFrom: Bob\nSent: Fri\nTo: Zoe\n\nTry.",
    "an original message": "\n\n-----Original Message-----\nFrom: Bob\n\nTry.",
    "a forwarded message": "\n\n---------- Forwarded message ---------\nFrom: Bob\n\nTry.",
    "a signature": "\n\n-- \nZoe Zed\n+44 113 496 0000",
    "a quote and a signature": "\n\n> Try.\n\n-- \nZoe",
    "a signature and a quote": "\n\n-- \nZoe\n\nOn 1 Nov Bob wrote:\n> Try.",
}
WHOLE = {
    "words below the quote": "> Try another socket.\n\nI did.",
    "answers between the quotes": "> Try.\nI did.\n> And?\nStill cold.",
    "only a quote": "> Try another socket.",
    "only a forwarded mail": "---------- Forwarded message ---------\nFrom: Shop\n\nThank you.",
    "a list with dashes": "- cold\n- wet\n-- loud",
    "facts with colons": "Order: 17\nColour: red\nBought: May\nWhere: Leeds",
    "a sign of more": "5 > 4 and\n4 < 5",
}


def quotes():
    for what, rest in QUOTED.items():
        yield Odd(f"plain, {what}", headed(b"Content-Type: text/plain; charset=utf-8\n",
                  (NEW + rest).encode()), NEW + rest, new=NEW)  # fmt: skip
    for what, words in WHOLE.items():
        yield Odd(f"plain, {what}", headed(b"", words.encode()), words)
    quoted = "<div>On Friday Bob wrote:</div><blockquote>Try.</blockquote>"
    cited = '<blockquote type="cite"><div>Try.</div></blockquote>'
    wrapped = {
        "Gmail": f'<div class="gmail_quote">{quoted}</div>',
        "Outlook": '<div id="divRplyFwdMsg"><b>From:</b> Bob</div><div>Try.</div>',
        "Thunderbird": f'<div class="moz-cite-prefix">Am Freitag:</div>{cited}',
        "Apple Mail": cited,
    }
    for program, markup in wrapped.items():
        raw = HEAD + text(f"<div>{NEW}</div>{markup}".encode(), b"html")
        yield Odd(f"HTML, a quote by {program}", raw, "", new=NEW)
    below = f'<blockquote type="cite">Try.</blockquote><p>{NEW}</p>'
    yield Odd("HTML, words below the quote", HEAD + text(below.encode(), b"html"), f"Try.\n\n{NEW}")


HTML = {
    "scripts and styles": ("<style>p{}</style><script>alert(1)</script><p>Hi</p>", "Hi"),
    "a title": ("<html><head><title>No</title></head><body>Hi</body></html>", "Hi"),
    "entities": ("Caf&eacute; &amp; tea &#9749; &lt;b&gt;", "Café & tea ☕ <b>"),
    "breaks": ("One<br>Two<br/>Three", "One\nTwo\nThree"),
    "paragraphs": ("<p>One</p><p>Two</p>", "One\n\nTwo"),
    "a list": ("<ul><li>One</li><li>Two</li></ul>", "• One\n\n• Two"),
    "a link": ('<a href="https://x.example/">here</a>', "here <https://x.example/>"),
    "a link that says itself": ('<a href="https://x.example/">https://x.example/</a>',
                                "https://x.example/"),
    "a script as link": ('<a href="javascript:alert(1)">here</a>', "here"),
    "unclosed tags": ("<p>One<div>Two<b>Three", "One\nTwoThree"),
    "closing tags alone": ("</p></div>Hi</b>", "Hi"),
    "a comment": ("Hi<!-- no --> there", "Hi there"),
    "blanks": ("  One \n\n  two\t three ", "One two three"),
    "Outlook's conditions": ("<!--[if mso]><p>No</p><![endif]--><p>Hi</p>", "Hi"),
    "preformatted text": ("<pre>a\n  b</pre>", "a\nb"),
}  # fmt: skip


def html():
    for what, (markup, words) in HTML.items():
        yield Odd(f"HTML, {what}", HEAD + text(markup.encode(), b"html"), words)


ODD_MAILS = [
    *in_charsets(), *misdeclared(), *headers(), *structures(), *quotes(), *html(),
]  # fmt: skip
