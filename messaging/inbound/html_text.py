"""The words of an HTML mail. Nothing of it is ever shown as HTML."""

import re
from html.parser import HTMLParser

MAX_HTML = 2_000_000  # characters that are read
SILENT = {"script", "style", "head", "title", "template"}
LINES = {
    "p", "div", "tr", "table", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "pre",
    "blockquote", "section", "article", "header", "footer", "address", "dt", "dd", "center",
}  # fmt: skip
PARAGRAPHS = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "table"}
VOID = {"br", "img", "hr", "meta", "link", "input", "col", "wbr", "area", "base", "source"}
# What mail programs put around what they quote, and above it.
AROUND = re.compile(r"gmail_quote|yahoo_quoted|protonmail_quote|moz-signature|gmail_signature")
ABOVE = re.compile(r"divRplyFwdMsg|appendonsend|moz-cite-prefix|OLK_SRC_BODY_SECTION")


def text_of(html: str) -> tuple[str, int]:
    """The text of ``html``, and how many characters of it are new."""
    reader = _Reader()
    reader.feed(html[:MAX_HTML])
    reader.close()
    return reader.result()


class _Reader(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.pieces = []
        self.open = []  # names of open elements
        self.silent = 0
        self.quoted_at = None  # the number of the piece at which quoting begins
        self.quote_depth = None  # of the element around the quoted text; None: to the end
        self.link = ""

    def handle_starttag(self, tag, attrs):
        known = dict(attrs)
        if tag in SILENT:
            self.silent += 1
        elif tag == "br":
            self.pieces.append("\n")
        elif tag == "img" and known.get("alt"):
            self.pieces.append(f"[{known['alt']}]")
        elif tag == "td" or tag == "th":
            self.pieces.append(" ")
        elif tag in LINES:
            self.pieces.append("\n\n" if tag in PARAGRAPHS else "\n")
        if tag == "li":
            self.pieces.append("• ")
        if tag == "a":
            self.link = known.get("href") or ""
        if tag not in VOID:
            self.open.append(tag)
        self._look_for_quote(tag, known)

    def _look_for_quote(self, tag, known):
        if self.quoted_at is not None:
            return
        marks = f"{known.get('class') or ''} {known.get('id') or ''}"
        if ABOVE.search(marks):
            self.quoted_at, self.quote_depth = len(self.pieces), None
        elif AROUND.search(marks) or (tag == "blockquote" and known.get("type") == "cite"):
            self.quoted_at, self.quote_depth = len(self.pieces), len(self.open)

    def handle_endtag(self, tag):
        if tag in SILENT:
            self.silent = max(self.silent - 1, 0)
        if tag == "a" and self.link.startswith(("http://", "https://", "mailto:")):
            if self.link.removeprefix("mailto:") not in "".join(self.pieces[-3:]):
                self.pieces.append(f" <{self.link}>")
            self.link = ""
        if tag in LINES:
            self.pieces.append("\n\n" if tag in PARAGRAPHS else "\n")
        if tag in self.open[-50:]:  # deeper than that nobody closes what they opened
            while self.open.pop() != tag:
                pass

    def handle_data(self, data):
        if self.silent:
            return
        words = data if "pre" in self.open[-20:] else re.sub(r"\s+", " ", data)
        is_outside = self.quote_depth is not None and len(self.open) < self.quote_depth
        if words.strip() and is_outside:
            self.quoted_at = self.quote_depth = None  # somebody wrote below what they quote
        self.pieces.append(words)

    def result(self):
        text, new = _tidy("".join(self.pieces)), None
        if self.quoted_at is not None:
            before = _tidy("".join(self.pieces[: self.quoted_at]))
            new = len(before) if before and text.startswith(before) else None
        return text, len(text) if new is None else new


def _tidy(text: str) -> str:
    """No blanks at the ends of lines, and one empty line at most."""
    lines = "\n".join(re.sub(r"[ \t\xa0]+", " ", line).strip() for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines).strip()
