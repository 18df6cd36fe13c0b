"""Reading a page as a person does: which words stand where."""

import re
from functools import lru_cache
from html.parser import HTMLParser

VOID = {"area", "br", "hr", "img", "input", "link", "meta", "source", "use"}
LINES = {"br", "dd", "div", "dt", "form", "h1", "h2", "h3", "li", "p", "section", "small", "td"}


class _Parser(HTMLParser):
    """Writes down what it meets."""

    def __init__(self):
        super().__init__()
        self.met = []  # (what a reader does with it, its arguments)

    def handle_starttag(self, tag, attributes):
        self.met.append((_Reader.start, (tag, dict(attributes))))

    def handle_endtag(self, tag):
        self.met.append((_Reader.end, (tag,)))

    def handle_data(self, words):
        self.met.append((_Reader.hear, (words,)))


class _Reader:
    def __init__(self, place):
        self.place = place  # "h1", ".a-class" or "#an-id"
        self.depth = 0
        self.open = []  # (depth at which it closes, its words so far)
        self.read = []
        self.fields = {}
        self.textarea = None

    def start(self, tag, has):
        if tag in LINES:
            self.hear(" ")
        if tag == "input" and has.get("type") not in ("radio", "checkbox", "file"):
            self.fields[has.get("name")] = has.get("value", "")
        if "checked" in has:
            self.fields[has["name"]] = has["value"]
        if tag == "textarea":
            self.textarea = has.get("name")
            self.fields[self.textarea] = ""
        if tag in VOID:
            return
        classes = {f".{name}" for name in (has.get("class") or "").split()}
        if self.place in {tag, f"#{has.get('id')}", *classes}:
            self.open.append((self.depth, []))
        self.depth += 1

    def end(self, tag):
        if tag in VOID:
            return
        if tag in LINES:
            self.hear(" ")
        self.depth -= 1
        if tag == "textarea":
            self.textarea = None
        if self.open and self.open[-1][0] == self.depth:
            self.read.append(squeeze("".join(self.open.pop()[1])))

    def hear(self, words):
        if self.textarea:
            first = not self.fields[self.textarea]
            # HTML drops a line break right after the tag.
            self.fields[self.textarea] += words.removeprefix("\n") if first else words
        for _depth, said in self.open:
            said.append(words)


@lru_cache(maxsize=2)
def _parse(content):
    """Of the pages at hand: one is asked for many places."""
    parser = _Parser()
    parser.feed(content.decode())
    return parser.met


def _read(response, place):
    reader = _Reader(place)
    for react, arguments in _parse(response.content):
        react(reader, *arguments)
    return reader


def squeeze(words):
    return " ".join(words.split())


def texts(response, place):
    """The words of each ``place`` (tag, .class or #id) of the page, white space squeezed."""
    return _read(response, place).read


def text(response, place):
    """The words of the only ``place`` of the page."""
    (found,) = texts(response, place)
    return found


def typed(response, name):
    """What stands in the field ``name`` of a form."""
    return _read(response, "").fields[name]


def lines(response):
    """The numbers of the history lines that are shown."""
    return [int(number) for number in re.findall(r'data-line="(\d+)"', response.content.decode())]


def told(response):
    """The banners a person reads after an action."""
    return texts(response, ".ccr-banner--card")


def problems(response):
    """What stands next to fields, and in the summary above the form."""
    beside = [words.removeprefix("Error: ") for words in texts(response, ".ccr-error")]
    return beside, texts(response, ".ccr-errors")
