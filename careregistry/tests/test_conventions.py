"""Habits worth keeping, held by a machine."""

import re

import pytest
from django.conf import settings

PACKAGES = ["careregistry", "accounts", "tickets", "messaging", "notifications", "scripts", "bench"]


def source_files(*suffixes):
    for folder in [*PACKAGES, "templates", "static/js"]:
        for path in (settings.BASE_DIR / folder).rglob("*"):
            parts = path.relative_to(settings.BASE_DIR).parts
            if path.suffix in suffixes and not {"tests", "migrations"} & set(parts):
                yield path


def places_of(pattern, *suffixes, flags=0) -> list[str]:
    """``file:line`` of everything in the product that matches."""
    found = []
    for path in source_files(*suffixes):
        words = path.read_text(encoding="utf-8")
        found += [
            f"{path.relative_to(settings.BASE_DIR)}:{words.count(chr(10), 0, match.start()) + 1}"
            for match in re.finditer(pattern, words, flags)
        ]
    return found


@pytest.mark.plan("SEC-I8")
@pytest.mark.parametrize(
    "pattern",
    [
        r"mark_safe|SafeString\(",
        r"\beval\(|\bexec\(|\bpickle\b|yaml\.load\b|os\.system|shell=True",
        r"\.raw\(|RawSQL|\.extra\(",
        r"filter\(\*\*request\.|create\(\*\*request\.|update\(\*\*request\.",
        r"except Exception:(?!  # )|except BaseException|except:",  # unless it says why
        r"fail_silently",
        r"datetime\.now\(|datetime\.utcnow|date\.today\(",
        r"verify=False",
    ],
)
def test_python_stays_clear_of(pattern):
    assert places_of(pattern, ".py") == []


@pytest.mark.plan("SEC-I8")
def test_one_page_alone_takes_a_form_without_a_token():
    """The one where mail programs post, as RFC 8058 has it."""
    exempt = places_of(r"csrf_exempt", ".py")

    assert {place.partition(":")[0] for place in exempt} == {"notifications/views/unsubscribing.py"}


@pytest.mark.plan("SEC-I8")
@pytest.mark.parametrize(
    "pattern",
    [
        r"\|\s*safe\b|{%\s*autoescape off",
        r"<style\b|\sstyle\s*=",
        r"<script(?![^>]*\ssrc=)[^>]*>",
        r"\son[a-z]+\s*=\s*[\"']",
        r"\shx-on|javascript:",
        r"(?:src|href)=[\"'](?:https?:)?//",
    ],
)
def test_pages_stay_clear_of(pattern):
    """No unescaped words, nothing inline, nothing from another host (the policy refuses it too).

    Mail is apart: its styles are put in line when it is sent, and plain text is never escaped.
    """
    pages = [place for place in places_of(pattern, ".html") if "/email/" not in place]

    assert pages == []


def test_nothing_is_left_for_later():
    assert places_of(r"\b(TODO|FIXME|XXX)\b", ".py", ".html", ".js") == []


@pytest.mark.plan("SEC-I8")
def test_the_search_finds_what_it_looks_for():
    """The tests above would notice: the product does use gettext, and pages do load stylesheets."""
    assert places_of(r"gettext", ".py")
    assert places_of(r"<link\b", ".html")


def names_in(path, pattern):
    words = (settings.BASE_DIR / path).read_text(encoding="utf-8")
    return set(re.findall(pattern, words, re.MULTILINE))


def test_every_setting_is_documented():
    """What the settings read is what the page and the example tell, no more and no less."""
    read = names_in("careregistry/settings.py", r"env(?:\.\w+)?\(\s*\"(\w+)\"")

    assert read >= {"SECRET_KEY", "HISTORY_KEY", "DATABASE_URL", "EMAIL_URL", "DATA_DIR"}
    assert names_in(".env.example", r"^#?([A-Z_]+)=") == read
    assert names_in("docs/configuration.md", r"^\| `([A-Z_]+)`") == read
