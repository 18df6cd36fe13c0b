"""The rooms of the house stand in a line, and an app imports only from its left."""

import ast
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings

ROOMS = ["accounts", "tickets", "messaging", "notifications"]
# The project sees all of them. Templates may load its tags; code may not import them.
HOUSE = "careregistry"


def product_files(package):
    return [
        path
        for path in (settings.BASE_DIR / package).rglob("*.py")
        if "tests" not in path.relative_to(settings.BASE_DIR).parts
    ]


def imported_by(path: Path) -> set[str]:
    """The first names of all absolute imports, wherever in the file they stand."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module.split(".")[0])
    return names


def files_with_import(package, forbidden) -> list[str]:
    return [
        f"{path.relative_to(settings.BASE_DIR)} imports {name}"
        for path in product_files(package)
        for name in sorted(imported_by(path) & set(forbidden))
    ]


@pytest.mark.parametrize("room", ROOMS)
def test_an_app_imports_only_from_its_left(room):
    """C4: accounts, tickets, messaging and notifications are apart."""
    to_its_right = ROOMS[ROOMS.index(room) + 1 :]

    assert files_with_import(room, to_its_right) == []


@pytest.mark.parametrize("room", ROOMS)
def test_no_app_imports_the_project(room):
    assert files_with_import(room, [HOUSE]) == []


def test_the_walk_sees_what_is_imported():
    """The tests above would notice: notifications does import from all three."""
    seen = set().union(*(imported_by(path) for path in product_files("notifications")))

    assert {"accounts", "tickets"} <= seen


def test_the_top_level_is_the_design_card():
    """C3: the folders and files a Django developer looks for first."""
    wanted = {"manage.py", "requirements.txt", HOUSE, "templates", "static", *ROOMS}

    assert wanted <= {path.name for path in settings.BASE_DIR.iterdir()}


def test_the_cards_packages_are_pinned():
    """C1, C2: Django with its admin, and the packages of the design card, each at one version."""
    lines = (settings.BASE_DIR / "requirements.txt").read_text().splitlines()
    pins = [line.split("#")[0].strip() for line in lines if line[:1].isalpha()]
    names = {pin.split("==")[0].split("[")[0] for pin in pins}

    assert all("==" in pin for pin in pins)
    assert names >= {
        "django",
        "django-crispy-forms",
        "django-allauth",
        "django-environ",
        "django-filter",
        "whitenoise",
    }
    assert apps.is_installed("django.contrib.admin")
