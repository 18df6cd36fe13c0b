"""The words and the frame of mails: the operator's own from ``DATA_DIR``, else the product's.

What is worded in one language only stands in its folder, like ``notifications/email/de``. A broken
template of the operator's stops no mail: the product's is used in its place, and the log says so.
"""

import logging
import re
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path

import css_inline
from django.conf import settings
from django.db import DatabaseError
from django.template import Context, Engine, Template, TemplateSyntaxError
from django.template.loader import select_template
from django.utils.translation import get_language

FOLDER = "notifications/email"
PRODUCT = settings.BASE_DIR / "templates"
FRAME = "base_message.html"
# Mail programs load no stylesheets; what depends on the screen stays in a block.
INLINER = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)

logger = logging.getLogger(__name__)
_heard: ContextVar[list | None] = ContextVar("heard", default=None)


def words_of(name: str, facts: dict) -> str:
    """A text template with nothing escaped. ``strip`` also makes it plain words again, not
    "safe" ones, so that the HTML frame escapes them."""
    return _written(name, lambda found: found.render(Context(facts, autoescape=False)).strip())


def html_of(facts: dict) -> str:
    """The frame around ``facts``, with its styles in its elements."""
    return _written(FRAME, lambda found: _framed(found, facts))


def language_for(person) -> str:
    """Theirs, if the operator words mails in it; else the registry's own. A mail that only says
    its dates in another language would be no easier to read."""
    is_worded = person and person.language and language_folders(person.language)
    return person.language if is_worded else settings.LANGUAGE_CODE


def language_folders(language: str) -> list[Path]:
    places = (Path(folder) / FOLDER / language for folder in Engine.get_default().dirs)
    return [place for place in places if place.is_dir()]


def names_for(name: str) -> list[str]:
    """Where the template may stand, the best first."""
    return [f"{FOLDER}/{get_language()}/{name}", f"{FOLDER}/{name}"]


@lru_cache(maxsize=1)
def products_own() -> Engine:
    """An engine that knows no template of the operator's."""
    default = Engine.get_default()
    return Engine(
        dirs=[PRODUCT], libraries=default.libraries, builtins=default.builtins, app_dirs=True
    )


def _written(name, write) -> str:
    try:
        return write(select_template(names_for(name)).template)
    except DatabaseError:
        raise
    except Exception as trouble:  # noqa: BLE001 -- an operator may write anything
        if (heard := _heard.get()) is not None:
            heard.append(trouble)
        else:
            words = "The mail template %s is broken, so the product’s own is used: %s"
            logger.error(words, name, in_a_line(trouble))
        return write(products_own().get_template(f"{FOLDER}/{name}"))


def in_a_line(trouble: Exception) -> str:
    """Django adds a list of all tag libraries there are."""
    words = str(trouble).partition("\n")[0].removesuffix(" Must be one of:")
    is_plain = isinstance(trouble, TemplateSyntaxError | UnicodeError | OSError)
    return words if is_plain else f"{type(trouble).__name__}: {words}"


def _framed(frame: Template, facts: dict) -> str:
    if is_products(frame):
        return _with_styles(frame.source).render(Context(facts))
    return INLINER.inline(frame.render(Context(facts)))


def is_products(found: Template) -> bool:
    return Path(found.origin.name).is_relative_to(PRODUCT)


@contextmanager
def listening(unknown: str = ""):
    """Gives a list of what goes wrong with templates meanwhile. Each trouble says in which line,
    and ``unknown``, with %s for it, stands where a template asks for what there is not."""
    engine, heard = Engine.get_default(), []
    before = engine.debug, engine.string_if_invalid
    token = _heard.set(heard)
    try:
        _set_up(engine, True, unknown)
        yield heard
    finally:
        _set_up(engine, *before)
        _heard.reset(token)


def _set_up(engine, debug, unknown):
    engine.debug, engine.string_if_invalid = debug, unknown
    for loader in engine.template_loaders:
        loader.reset()  # what is compiled already knows no lines


_TAG = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}")
_TEXT = re.compile(r">[^<]*<")
_PLACE = re.compile(r"@@\d+@@")
_HELD_PLACE = re.compile(r"(?:<!--|&lt;!--)?@@(\d+)@@(?:-->|--&gt;)?")


@lru_cache(maxsize=4)
def _with_styles(source: str) -> Template:
    """``source`` with its styles put into its elements, which takes far longer than to fill it in.

    The template's tags keep their places as comments meanwhile: between the rows of a table there
    may be no text. So no tag may stand before a table's first row, or close what it did not open.
    """
    tags = _TAG.findall(source)
    numbers = iter(range(len(tags)))
    marked = _TAG.sub(lambda tag: f"@@{next(numbers)}@@", source)
    held = _TEXT.sub(lambda text: _PLACE.sub(r"<!--\g<0>-->", text[0]), marked)
    styled = _HELD_PLACE.sub(lambda place: tags[int(place[1])], INLINER.inline(held))
    return Engine.get_default().from_string(styled)
