"""Mails whose words are odd: how they are encoded, what they quote, their HTML, their line ends."""

import base64
import quopri
from dataclasses import dataclass, field

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
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


def text(words: bytes, kind=b"plain") -> bytes:
    return b"Content-Type: text/" + kind + b"; charset=utf-8\n\n" + words


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
    for how in ("charset*=utf-8''utf-8", "charset*=x\x00y''utf-8", "charset*=idna''utf-8",
                "charset*0*=utf-8''utf; charset*=8", "charset=idna", "charset=undefined",
                'charset="x\x00y"'):  # fmt: skip
        kind = f"Content-Type: text/plain; {how}\n".encode()
        yield Odd(f"8-bit, {how}", headed(kind, greeting.encode()), greeting)
        kind += b"Content-Transfer-Encoding: base64\n"
        coded = base64.encodebytes(greeting.encode())
        yield Odd(f"base64, {how}", headed(kind, coded), greeting)
        yield Odd(f"base64 that is none, {how}", headed(kind, greeting.encode()), greeting)
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
    coded = b"Content-Transfer-Encoding: base64\n"
    below = "\n-- \nGeprüft\n".encode()
    for words in ("Grüße aus Köln", "Grüße aus Köln.", "Grüße aus Köln. " * 20):
        yield Odd(
            f"{len(words)} letters in base64 with a scanner's words below",
            headed(coded, base64.encodebytes(words.encode()) + below),
            words.strip(),
        )
    yield Odd(
        "many lines of base64 cut off in the middle",
        headed(coded, base64.encodebytes(b"It stays cold. " * 10)[:-4]),
        ("It stays cold. " * 10)[:-3],
    )
    yield Odd(
        "8-bit words declared as base64",
        headed(coded, "Hello Bob,\n\nGrüße aus Köln".encode()),
        "Hello Bob,\n\nGrüße aus Köln",
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
    "answers between the quotes": "> Try.\nI did.\n> And?\nStill cold.",
    "only a quote": "> Try another socket.",
    "only a forwarded mail": "---------- Forwarded message ---------\nFrom: Shop\n\nThank you.",
    "a list with dashes": "- cold\n- wet\n-- loud",
    "facts with colons": "Order: 17\nColour: red\nBought: May\nWhere: Leeds",
    "a sign of more": "5 > 4 and\n4 < 5",
}


SOCKET = "> Try another socket."
FRIDAY = "On Fri, 20 Nov 2026 at 10:00, Bob\n<bob@x.org> wrote:\n> Try."
# What is written, the text as it is kept, and how much of it is not folded.
BELOW = {
    "words below the quote": (f"{SOCKET}\n\nI did.", f"I did.\n\n{SOCKET}", "I did."),
    "words below its head too": (f"{FRIDAY}\n\nI did.", f"I did.\n\n{FRIDAY}", "I did."),
    "words below, and a signature": (
        f"{SOCKET}\nI did.\n-- \nZoe", f"I did.\n\n{SOCKET}\n-- \nZoe", "I did.",
    ),
    "words above and below": (f"Hi.\n{SOCKET}\nI did.",) * 2 + (f"Hi.\n{SOCKET}\nI did.",),
    "more of the quote below": (
        f"> And?\nI did.\n\n{SOCKET}", f"I did.\n\n> And?\n\n{SOCKET}", "I did.",
    ),
}  # fmt: skip


def quotes():
    for what, (words, kept, new) in BELOW.items():
        yield Odd(f"plain, {what}", headed(b"", words.encode()), kept, new=new)
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
    raw = HEAD + text(below.encode(), b"html")
    yield Odd("HTML, words below the quote", raw, f"{NEW}\n\n> Try.", new=NEW)
    below = "<p>On Friday Bob wrote:</p>" + below
    kept = f"{NEW}\n\nOn Friday Bob wrote:\n\n> Try."
    yield Odd("HTML, words below its head too", HEAD + text(below.encode(), b"html"), kept, new=NEW)
    around = f"<p>Hi.</p><blockquote>Try.</blockquote><p>{NEW}</p>"
    yield Odd(
        "HTML, words around the quote",
        HEAD + text(around.encode(), b"html"),
        f"Hi.\n\n> Try.\n\n{NEW}",
    )
    indented = '<blockquote style="margin: 0 0 0 40px; border: none">It leaks.</blockquote>'
    yield Odd("HTML, indented words", HEAD + text(indented.encode(), b"html"), "It leaks.")
    signed = f'<p>{NEW}</p><span>-- </span><br><div class="gmail_signature">Zoe</div>'
    yield Odd("HTML, a signature", HEAD + text(signed.encode(), b"html"), "", new=NEW)


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
    "a head without end": ("<html><head><meta charset=utf-8><title>No</title><body><p>Hi", "Hi"),
    "a page in the head of another": ("<html><head><html><head></head><body><p>Hi</body>", "Hi"),
    "a title in a head that is empty": ("<head><title/></head><body>Hi</body>", "Hi"),
    "a style without end": ("<head><style>p{}</head><body><p>Hi</p>", "p{}\n\nHi"),
    "a title without end": ("<title>No<body><p>Hi</p>", "No\n\nHi"),
    "a template": ("<template><p>No</p></template>Hi", "Hi"),
    "a template without end": ("<p>Hi<template>there", "Hithere"),
    "a script that writes a comment": ("<script><!-- a<b </script>Hi<!-- no -->", "Hi"),
    "a script that ends at once": ("<script src=x />Hi<script>no</script>", "Hi"),
    "a comment without end": ("Hi<!-- there", "Hi there"),
    "a comment that ends at once": ("Hi<!--> there", "Hi there"),
    "a comment that shows what is below it": ("<!--[if !mso]><!-->Hi<!--<![endif]-->", "Hi"),
    "a condition without comment": ("<![if !mso]>Hi<![endif]> there", "Hi there"),
    "a section that nobody knows": ("<![odd]>Hi<![ x]> there<!x", "Hi there<!x"),
    "character data": ("<p>Hi <![CDATA[ there ]]>", "Hi there ]]>"),
    "signs that are no tags": ("<p>a <b and 3<4 cold.</p>", "a <b and 3<4 cold."),
    "tags in a value": ('<a title="a<b>c" href="https://x.example/">Hi</a>',
                        "Hi <https://x.example/>"),
    "a value without end": ('<p>Hi <a href="https://x.example/', 'Hi <a href="https://x.example/'),
    "a number beyond all letters": (f"Hi &#{'9' * 5000};", f"Hi &#{'9' * 5000};"),
}  # fmt: skip


def written_in(picture: bytes) -> bytes:
    source = b"data:image/png;base64," + base64.b64encode(picture)
    return b'<p>Look:</p><img alt="it" src="' + source + b'"><p>It stays cold.</p>'


def html():
    for what, picture in {"a small picture": PNG, "a huge picture": PNG * 40_000}.items():
        yield Odd(
            f"HTML, {what} in the text",
            HEAD + text(written_in(picture), b"html"),
            "Look:\n\n[it]\n\nIt stays cold.",
            files={"picture.png": picture},
        )
    page = "<html><head><meta charset='{}'></head>Grüße, мир</html>"
    for charset in ("utf-8", "koi8-r"):
        content = page.format(charset).replace("Grüße", "Hi").encode(charset)
        raw = headed(b"Content-Type: text/html\n", content)
        yield Odd(f"HTML that itself says {charset}", raw, "Hi, мир")
    endless = b"<p>" + b"It stays cold. " * 200_000
    yield Odd(
        "HTML without end",
        HEAD + text(endless, b"html"),
        "",
        files={"page.html": endless},
    )
    for what, (markup, words) in HTML.items():
        yield Odd(f"HTML, {what}", HEAD + text(markup.encode(), b"html"), words)


# --- Folded text ------------------------------------------------------------------

FLOWED = {
    "": ("It stays \ncold.\n\n  Indeed.", "It stays cold.\n\n Indeed."),
    "; delsp=yes": ("It sta \nys cold.", "It stays cold."),
    "; delsp=no": ("> Is it \n> cold?\n>> No \nYes.", "> Is it cold?\n>> No \nYes."),
}


def folded():
    for more, (body, words) in FLOWED.items():
        kind = f"Content-Type: text/plain; format=flowed{more}\n".encode()
        new = "Yes." if words.endswith("Yes.") else None
        kept = words if new is None else "Yes.\n\n> Is it cold?\n>> No"
        yield Odd(f"flowed text{more}", headed(kind, body.encode()), kept, new=new)
