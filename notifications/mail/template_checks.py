"""Which mail templates the operator has written, and what is wrong with them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.template import Engine, TemplateDoesNotExist, TemplateSyntaxError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.checkups import Finding, Level, checkup

from .samples import NAMES, sample_of
from .templates import FOLDER, PRODUCT, listening

UNKNOWN = "⟦%s⟧"
_UNKNOWN = re.compile(r"⟦(.+?)⟧")
MOST_NAMED = 3


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
    return [path for folder in folders() for path in sorted(folder.rglob("*")) if path.is_file()]


def languages() -> list[str]:
    """Those there is a folder for, after the registry's own."""
    known = {code for code, _name in settings.LANGUAGES}
    there = {path.name for folder in folders() for path in folder.glob("*") if path.is_dir()}
    return [settings.LANGUAGE_CODE, *sorted(there & known - {settings.LANGUAGE_CODE})]


def all_wrong() -> Iterator[Wrong]:
    """Every mail in every language, written for people there are not; each trouble once."""
    yield from _misplaced()
    yield from _unreadable()
    seen = set()
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
    try:
        Engine.get_default().from_string(path.read_text(encoding="utf-8"))
    except TemplateSyntaxError as trouble:
        line = trouble.token.lineno if getattr(trouble, "token", None) else 1
        return Wrong(f"{path}:{line}", str(trouble))
    except (OSError, UnicodeError) as trouble:
        return Wrong(str(path), str(trouble))
    return None


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
    if isinstance(trouble, TemplateSyntaxError | UnicodeError):
        return None
    where = getattr(trouble, "template_debug", None) or {"name": FOLDER, "line": "?"}
    words = _("There is no template %(name)s") % {"name": trouble}
    is_missing = isinstance(trouble, TemplateDoesNotExist)
    reason = words if is_missing else f"{type(trouble).__name__}: {trouble}"
    return Wrong(f"{where['name']}:{where['line']}", reason)


def _place_of(unknown) -> str:
    for path in overrides():
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1):
            if unknown in line:
                return f"{path}:{number}"
    return ""


@checkup("mail_templates", gettext_lazy("Mail templates"))
def ask_templates() -> Finding:
    """Whether they can be read; the command also writes a mail with each."""
    written = overrides()
    wrong = [each for each in (_compiled(path) for path in written) if each]
    if wrong:
        found = "; ".join(f"{each.place}: {each.reason}" for each in wrong[:MOST_NAMED])
        return Finding(Level.BAD, found, _("Mend it. Until then the product’s own is used."))
    if not written:
        return Finding(Level.OK, _("All are the product’s own"))
    words = ngettext("%(n)s is your own", "%(n)s are your own", len(written))
    return Finding(Level.OK, words % {"n": len(written)})
