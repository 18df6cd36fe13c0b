"""Which mail templates the operator has written, and what is wrong with them."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.template import Engine, Origin, Template, TemplateDoesNotExist, TemplateSyntaxError
from django.template.loader_tags import IncludeNode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.checkups import Finding, Level, checkup

from .samples import NAMES, sample_of
from .templates import FOLDER, PRODUCT, in_a_line, listening

_UNKNOWN = re.compile(r"⟦(.+?)⟧")
_RUN = gettext_lazy("Run: manage.py mail_templates check")
MOST_NAMED = 3


class MayNotCall(Exception):
    """A template asks for what changes something, or for what needs to be told more."""


class _Unknown(str):
    """Becomes what stands where a template asks for what there is not. Django takes it as it is,
    without the name, where a template may not call what it asks for: then its line is told."""

    def __str__(self):
        raise MayNotCall(_("It asks for something templates may not call"))


UNKNOWN = _Unknown("⟦%s⟧")


@dataclass(frozen=True)
class Wrong:
    """``place`` is a file, with its line where that is known."""

    place: str
    reason: str


def folders() -> list[Path]:
    """Where the operator's own may stand."""
    dirs = [Path(folder) for folder in Engine.get_default().dirs]
    return [folder / FOLDER for folder in dirs if folder != PRODUCT]


def overrides() -> list[Path]:
    """Also folders that are named like one: each stands in the way of the product's own."""
    there = [path for folder in folders() for path in sorted(folder.rglob("*"))]
    return [path for path in there if path.is_file() or path.suffix in (".txt", ".html")]


def languages() -> list[str]:
    """Those there is a folder for, after the registry's own."""
    known = {code for code, _name in settings.LANGUAGES}
    there = {path.name for folder in folders() for path in folder.glob("*") if path.is_dir()}
    return [settings.LANGUAGE_CODE, *sorted(there & known - {settings.LANGUAGE_CODE})]


def all_wrong() -> Iterator[Wrong]:
    """Every mail in every language, written for people there are not; each trouble once."""
    yield from _misplaced()
    unreadable = list(_unreadable())
    yield from unreadable
    seen = set(unreadable)
    for language in languages():
        for name in NAMES:
            for wrong in _wrong_in(name, language):
                if wrong not in seen:
                    seen.add(wrong)
                    yield wrong


def _misplaced() -> Iterator[Wrong]:
    """What is never looked for, as its name or its folder is another."""
    known = {path.name for path in (PRODUCT / FOLDER).iterdir()}
    places = {folder / place for folder in folders() for place in ("", *languages())}
    for path in overrides():
        if path.name not in known:
            yield Wrong(str(path), _("No mail has a template of this name"))
        elif path.parent not in places:
            yield Wrong(str(path), _("No language has a folder of this name"))


def _unreadable() -> Iterator[Wrong]:
    with listening():
        for path in overrides():
            if wrong := _compiled(path):
                yield wrong


def _compiled(path) -> Wrong | None:
    name = FOLDER + str(path).rpartition(FOLDER)[2]  # from here a relative {% include %} leads on
    origin = Origin(str(path), template_name=name)
    try:
        found = Template(path.read_text(encoding="utf-8"), origin, name, Engine.get_default())
    except TemplateSyntaxError as trouble:
        line = trouble.token.lineno if getattr(trouble, "token", None) else 1
        return Wrong(f"{path}:{line}", in_a_line(trouble))
    except UnicodeError as trouble:
        return Wrong(str(path), in_a_line(trouble))
    except OSError as trouble:
        return Wrong(str(path), trouble.strerror)
    for node in found.nodelist.get_nodes_by_type(IncludeNode):
        is_known = not (node.template.is_var or node.template.filters)
        if is_known and not _is_there(wanted := str(node.template.var)):
            return Wrong(f"{path}:{node.token.lineno}", _there_is_no(wanted))
    return None


def _is_there(name) -> bool:
    """Asks the folders: loaders remember what was not there."""
    loaders = Engine.get_default().template_loaders
    origins = (origin for loader in loaders for origin in loader.get_template_sources(name))
    return any(Path(origin.name).is_file() for origin in origins)


def _there_is_no(name) -> str:
    return _("There is no template %(name)s") % {"name": name}


def _wrong_in(name, language) -> Iterator[Wrong]:
    with listening(UNKNOWN) as troubles:
        mail = sample_of(name, language)
        html = mail.alternatives[0].content
    for trouble in troubles:
        if wrong := _placed(trouble):
            yield wrong
    for unknown in sorted({*_UNKNOWN.findall(f"{mail.subject}\n{mail.body}\n{html}")}):
        place = _place_of(unknown) or f"{name} ({language})"
        yield Wrong(place, _("Nothing is called %(name)s here") % {"name": unknown})


def _placed(trouble) -> Wrong | None:
    """None for what ``_unreadable`` has told."""
    if isinstance(trouble, TemplateSyntaxError | UnicodeError | OSError):
        return None
    where = getattr(trouble, "template_debug", None) or {"name": FOLDER, "line": "?"}
    words = in_a_line(trouble)
    if isinstance(trouble, TemplateDoesNotExist):
        words = _there_is_no(trouble)
    elif isinstance(trouble, MayNotCall):
        words = str(trouble)
    return Wrong(f"{where['name']}:{where['line']}", words)


def _place_of(unknown) -> str:
    for path in overrides():
        with suppress(OSError):
            for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1):
                if unknown in line:
                    return f"{path}:{number}"
    return ""


@checkup("mail_templates", gettext_lazy("Mail templates"))
def ask_templates() -> Finding:
    """Whether they can be read and stand where they are looked for; the command also writes a mail
    with each."""
    written = overrides()
    if wrong := [each for each in map(_compiled, written) if each]:
        words = _("Mend it. Until then the product’s own is used.")
        return Finding(Level.BAD, _named(wrong), f"{words} {_RUN}")
    if lost := list(_misplaced()):
        return Finding(Level.WARN, _named(lost), str(_RUN))
    if not written:
        return Finding(Level.OK, _("All are the product’s own"))
    words = ngettext("%(n)s is your own", "%(n)s are your own", len(written))
    return Finding(Level.OK, words % {"n": len(written)})


def _named(wrong: list[Wrong]) -> str:
    return "; ".join(f"{each.place}: {each.reason}" for each in wrong[:MOST_NAMED])
