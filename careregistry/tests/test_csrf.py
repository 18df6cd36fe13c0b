"""Nothing changes by a link, by a page of another site, or by a field nobody offered."""

import re

import pytest
import time_machine
from django.apps import apps
from django.db import models
from django.utils import timezone

from .matrix import DOOR, KINDS, PAGE_ROWS, PARTS, PEOPLE, is_turn_of, requests_of, turn
from .world import snapshot

pytestmark = pytest.mark.django_db

WRITERS = ["anonymous", "owner", "agent_assigned", "agent_pool", "admin", "superuser"]
WRITES = [
    *((person, "site") for person in WRITERS),
    *(pytest.param(person, "console", marks=pytest.mark.load) for person in WRITERS[-2:]),
]
KEPT_IN_THE_BROWSER = {"theme", "account_logout"}
# Mail programs post there from their own servers; what its signed link can do is done by it alone.
WITHOUT_TOKEN = {"notifications:stop"}


def writes_of(person, turns, part):
    """Each (route, thing) of the site or the console that ``person`` may change something with,
    when it is their turn among those of ``turns`` who may."""
    return [
        (route, row.thing)
        for row in PAGE_ROWS
        if row.part == part and row.cell(person) == "Y"
        for route, method in requests_of(row)
        for who in [[each for each in turns if row.cell(each) == "Y"]]
        if method == "POST" and route.name not in WITHOUT_TOKEN
        if who[turn(route) % len(who)] == person
    ]


def own_kind_of(person):
    (kind,) = (kind for kind in KINDS if person in kind)
    return [each for each in WRITERS if each in kind]


def reads_of(person, part):
    """Each page that opens, or leads elsewhere, in turn with the others of their kind. Who meets
    a door (F, L) is refused whatever the address carries along."""
    return [
        (route, row.thing)
        for row in PAGE_ROWS
        if row.part == part and row.cell(person) not in {"–", *DOOR}
        for route, method in requests_of(row)
        if method == "GET" and is_turn_of(person, row, route)
    ]


# --- By a page of another site ------------------------------------------------------


def strict_browser(world, person, **headers):
    """A browser with a page of ours open, and the token of its forms."""
    browser = world.browser(person, enforce_csrf_checks=True, headers=headers)
    page = browser.get("/account/inactive/")
    return browser, re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[1]


@pytest.mark.plan("SEC-B14")
@pytest.mark.parametrize(("person", "part"), WRITES)
def test_every_change_asks_for_the_token(world, person, part):
    """With it, the same browser may."""
    browser, token = strict_browser(world, person)
    assert writes_of(person, WRITERS, part)
    for route, thing in writes_of(person, WRITERS, part):
        refused = world.send(person, route, "POST", thing, browser=browser)
        assert refused.status_code == 403, route.pattern
        forged = {"csrfmiddlewaretoken": "x" * 64}
        refused = world.send(person, route, "POST", thing, browser=browser, more=forged)
        assert refused.status_code == 403, route.pattern
        assert world.is_unchanged(), route.pattern

        with world.undone():
            cookies = browser.cookies.copy()
            mine = {"csrfmiddlewaretoken": token}
            kept = world.send(person, route, "POST", thing, browser=browser, more=mine)
            assert kept.status_code in (200, 204, 302), route.pattern
        browser.cookies = cookies  # signing in or out gave it others


@pytest.mark.plan("SEC-B14")
@pytest.mark.parametrize(("person", "part"), WRITES)
@pytest.mark.parametrize("origin", ["https://evil.example", "http://testserver.evil", "null"])
def test_a_foreign_origin_changes_nothing(world, person, part, origin):
    """Not even with the right token."""
    browser, token = strict_browser(world, person, origin=origin)
    for route, thing in writes_of(person, WRITERS, part):
        mine = {"csrfmiddlewaretoken": token}
        refused = world.send(person, route, "POST", thing, browser=browser, more=mine)
        assert refused.status_code == 403, route.pattern
    assert world.is_unchanged()


# --- By a link ------------------------------------------------------------------------


@pytest.mark.plan("SEC-B14")
@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("part", PARTS)
def test_looking_changes_nothing(world, part, person):
    """Every address that can be opened, with what a link could carry along."""
    browser = world.browser(person)
    assert reads_of(person, part) or (part == "console" and not person.startswith("admin"))
    carried = "?action=delete_selected&status=closed&agent=1&all=1&after=0&check=1&answered=yes"
    for route, thing in reads_of(person, part):
        path = route.path(**world.kwargs(person, route, thing))
        response = browser.get(path + carried)
        assert response.status_code < 500, path
        response.getvalue()
    assert world.is_unchanged()


# --- By a field nobody offered ----------------------------------------------------------

# Made anew each time, or a number in a row's text.
RANDOM = {
    "salt", "words_hash", "digest", "head_digest", "key", "file", "message_id", "password",
    "lease", "session_key", "token_hash", "secret_hash", "secret", "cause", "event_id",
    "client_secret",
    "object_id", "content", "mfa.Authenticator.data", "accounts.AccountEvent.data",
    "notifications.WebhookDelivery.about", "tickets.Attachment.sha256", "tickets.Attachment.size",
    "notifications.ShortMessage.text",
}  # fmt: skip


def wish(field, world):
    """A value for ``field`` that the rules would not allow the sender to choose."""
    if field.is_relation:
        is_person = field.related_model._meta.label == "accounts.User"
        return world.people["other_customer"].pk if is_person else 1
    if field.choices:
        return str(field.choices[-1][0])
    for kind, value in {
        models.BooleanField: "on",
        models.DateTimeField: "2001-02-03 04:05:06",
        models.DateField: "2001-02-03",
        models.UUIDField: "00000000-0000-4000-8000-000000000000",
        models.IntegerField: "7",
        models.JSONField: '{"mass": "assigned"}',
        models.EmailField: "mass@example.org",
    }.items():
        if isinstance(field, kind):
            return value
    return "mass assigned"


def wishes(world) -> dict:
    """The union of all fields of all our models, and words that might be one."""
    found = {
        name: wish(field, world)
        for app in ("accounts", "tickets", "messaging", "notifications")
        for model in apps.get_app_config(app).get_models()
        for field in model._meta.concrete_fields
        for name in (field.name, field.attname)
    }
    flags = ("is_internal", "is_staff", "is_superuser", "approved", "verified", "internal")
    people = ("author", "customer", "user", "by", "to")
    found |= dict.fromkeys(flags, "on")
    found |= dict.fromkeys(people, world.people["other_customer"].pk)
    return found | {"pk": 1, "complainant_name": "Mallory", "complainant_address": "1 Mass St"}


def changed_tables(world) -> dict:
    """Those whose rows are not the world's, without what is random. A key that the world did not
    have is a new one."""
    return {
        label: sorted(without_random(apps.get_model(label), row, world.known) for row in rows)
        for label, rows in snapshot().items()
        if label not in ("files", "accounts.Attempt")  # a wish for a password is a wrong one
        and rows != world.rows[label]
    }


def without_random(model, row, known) -> str:
    return str(
        [
            value if not target or value in known[target] else "new"
            for field, value in zip(model._meta.concrete_fields, row, strict=True)
            if not RANDOM & {field.name, f"{model._meta.label}.{field.name}"}
            for target in [model if field.primary_key else field.related_model]
        ]
    )


@pytest.mark.plan("SEC-A7")
@pytest.mark.parametrize(("person", "part"), WRITES)
def test_fields_that_were_not_offered_are_ignored(world, person, part):
    """Who asked, who wrote, when, for whom, in which state: the rows are those of a plain form."""
    extra = wishes(world)
    assert extra.keys() >= {"status", "assignee", "requester_id", "actor", "role", "created_at"}
    with time_machine.travel(timezone.now(), tick=False):
        for route, thing in writes_of(person, own_kind_of(person), part):
            plain, stuffed = (outcome(world, person, route, thing, more) for more in ({}, extra))
            assert plain == stuffed, f"{route.pattern} as {person}"
            has_form = world.form(person, route.name, thing) is not None
            assert plain[1] or not has_form or route.name in KEPT_IN_THE_BROWSER


def outcome(world, person, route, thing, more):
    """The answer, and what it changed."""
    with world.undone():
        response = world.send(person, route, "POST", thing, more=more)
        return response.status_code, changed_tables(world)
