"""The words of an HTML mail. Nothing of it is ever shown as HTML."""

import binascii
import re
from contextlib import suppress
from html.parser import HTMLParser
from itertools import groupby
from operator import itemgetter

LINES = {
    "p", "div", "tr", "table", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "pre",
    "blockquote", "section", "article", "header", "footer", "address", "dt", "dd", "center",
}  # fmt: skip
PARAGRAPHS = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "table"}
VOID = {"br", "img", "hr", "meta", "link", "input", "col", "wbr", "area", "base", "source"}
# What mail programs put around or above what they quote, and around signatures.
QUOTING = re.compile(r"gmail_attr|moz-cite-prefix|yahoo_quoted|OLK_SRC_BODY_SECTION")
ABOVE = re.compile(r"divRplyFwdMsg|appendonsend")
SIGNED = re.compile(r"gmail_signature(?!_prefix)|moz-signature")
INDENTED = re.compile(r"border(?:-width)?:\s*(?:none|0)")  # a blockquote of one's own words
MAX_MARKS = 5  # before one line
MAX_REPEATED = 4_000  # characters before a link that may say it already
# What shows nothing up to its end, and the end of each.
HIDING = re.compile(r"<!--(?:-?>)?|<(script|style|template|title)(?=[\s/>])[^<>]*>", re.I)
ENDS = {"": re.compile(r"--!?>")} | {
    name: re.compile(rf"</{name}(?=[\s/>])[^<>]*>", re.I)
    for name in ("script", "style", "template", "title")
}
DECLARED = re.compile(r"<!\[CDATA\[|<[!?][^<>]*>")
# A tag whole, or a "<" that begins none. Values in quotes may hold one: so many, and so long that
# nobody scans for ever what never ends.
TAG = re.compile(
    r"""(</?[a-z](?:[^<>=]*+(?:=\s*+(?:"[^"]{0,4000}+"|'[^']{0,4000}+')|=)){0,50}+[^<>=]*+>)|<""",
    re.I,
)
# Numbers beyond all letters: Python refuses to read them.
HUGE = re.compile(r"&#(?=[0-9]{9}|x[0-9a-f]{9})", re.I)
DATA = re.compile(
    r"data:([a-z]+/[a-z0-9.+-]{1,80})[^,\s\"'<>]{0,100};base64,([a-z0-9+/=\s]*)", re.I
)


def text_of(html: str) -> str:
    """The text of ``html``; what it quotes has a ``>`` before each line."""
    reader = _Reader()
    reader.feed(_made_safe(html))
    reader.close()
    return reader.result()


def _made_safe(html: str) -> str:
    """``html`` with nothing left that Python's parser fails at, or that takes it ever longer:
    tags and words."""
    html = DECLARED.sub("", _without_hidden(html))
    return HUGE.sub("&amp;#", TAG.sub(lambda found: found[1] or "&lt;", html))


def _without_hidden(html: str) -> str:
    """What has no end hides nothing: nobody who wrote the words below it meant that."""
    kept, done, endless = [], 0, set()
    while opening := HIDING.search(html, done):
        kept.append(html[done : opening.start()])
        done = opening.end()
        name = (opening[1] or "").lower()
        if name in endless or opening[0].endswith(("->", "/>")):
            continue
        if end := ENDS[name].search(html, done):
            done = end.end()
        else:
            endless.add(name)
    return "".join([*kept, html[done:]])


def without_pictures(html: str) -> tuple[str, list[tuple[str, bytes]]]:
    """``html`` without what is written into it as ``data:``, and that, each with its kind."""
    found = []

    def kept(match):
        with suppress(binascii.Error):
            found.append((match[1].lower(), binascii.a2b_base64(match[2])))
        return ""

    return DATA.sub(kept, html), found


class _Reader(HTMLParser):
    CDATA_CONTENT_ELEMENTS = RCDATA_CONTENT_ELEMENTS = ()  # no tag makes words of those below it

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.passages = [(0, [])]  # how deep each is quoted, and its pieces
        self.open = []  # open elements: the name, and whether it is a quote
        self.depth = 0
        self.link = ""

    @property
    def pieces(self):
        return self.passages[-1][1]

    def handle_starttag(self, tag, attrs):
        known = dict(attrs)
        marks = f"{known.get('class') or ''} {known.get('id') or ''}"
        is_quote = self._is_quote(tag, marks, known)
        if is_quote or ABOVE.search(marks):
            self._go_to(self.depth + 1)
        if tag == "br":
            self.pieces.append("\n")
        elif tag == "img" and known.get("alt"):
            self.pieces.append(f"[{known['alt']}]")
        elif tag == "td" or tag == "th":
            self.pieces.append(" ")
        elif tag in LINES:
            self.pieces.append("\n\n" if tag in PARAGRAPHS else "\n")
        if SIGNED.search(marks):
            self.pieces.append("\n--\n")
        if tag == "li":
            self.pieces.append("• ")
        if tag == "a":
            self.link = known.get("href") or ""
        if tag not in VOID:
            self.open.append((tag, is_quote))

    def _is_quote(self, tag, marks, known) -> bool:
        if tag != "blockquote":
            return bool(QUOTING.search(marks)) and tag not in VOID
        is_plain = not marks.strip() and known.get("type") != "cite"
        return not (is_plain and INDENTED.search(known.get("style") or ""))

    def _go_to(self, depth):
        self.depth = depth
        self.passages.append((min(depth, MAX_MARKS), []))

    def handle_endtag(self, tag):
        if tag == "a" and self.link.startswith(("http://", "https://", "mailto:")):
            said = "".join(piece[-MAX_REPEATED:] for piece in self.pieces[-3:])
            if self.link.removeprefix("mailto:") not in said:
                self.pieces.append(f" <{self.link}>")
            self.link = ""
        if tag in LINES:
            self.pieces.append("\n\n" if tag in PARAGRAPHS else "\n")
        if any(name == tag for name, _is_quote in self.open[-50:]):  # deeper nobody closes them
            name = None
            while name != tag:
                name, is_quote = self.open.pop()
                if is_quote:
                    self._go_to(self.depth - 1)

    def handle_data(self, data):
        is_pre = any(name == "pre" for name, _is_quote in self.open[-20:])
        self.pieces.append(data if is_pre else re.sub(r"\s+", " ", data))

    def result(self):
        passages = [
            (depth, "".join(piece for _depth, pieces in group for piece in pieces))
            for depth, group in groupby(self.passages, key=itemgetter(0))
        ]
        return "\n\n".join(
            marked(text, depth) for depth, words in passages if (text := _tidy(words))
        )


def marked(text: str, depth: int) -> str:
    return "\n".join(f"{'>' * depth} {line}" for line in text.split("\n")) if depth else text


def _tidy(text: str) -> str:
    """No blanks at the ends of lines, and one empty line at most."""
    lines = "\n".join(re.sub(r"[ \t\xa0]+", " ", line).strip() for line in text.split("\n"))
    lines = re.sub(r"\n{3,}", "\n\n", lines).strip()
    return re.sub(r"^--\n+(?=--$)", "", lines, flags=re.MULTILINE)
