"""What every answer carries, whatever it is, and what no address gives away."""

import json
import os
import subprocess
import sys

import pytest
from django.conf import settings as real_settings
from django.test import Client
from django.urls import reverse

from careregistry import views

from .test_checks import GOOD

EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
ON_PAGES = EVERYWHERE | {
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), "
    "browsing-topics=()",
}


def answers_of_each_kind(admin, ticket):
    visitor = Client(raise_request_exception=False)
    return {
        "page": (200, visitor.get("/")),
        "ticket": (200, admin.get(reverse("messaging:workspace_ticket", args=[ticket.reference]))),
        "console": (200, admin.get(reverse("admin:index"))),
        "json": (200, admin.get("/health/ready")),
        "redirect": (302, visitor.get("/tickets/")),
        "not found": (404, visitor.get("/nowhere/")),
        "refused": (403, Client(enforce_csrf_checks=True).post("/theme/")),
    }


def policy_of(answer):
    directives = answer.headers["Content-Security-Policy"].split(";")
    return {name: set(sources) for name, *sources in map(str.split, directives)}


@pytest.mark.plan("SEC-I2")
def test_every_kind_of_answer_carries_the_headers(login, ada, ticket):
    for kind, (status, answer) in answers_of_each_kind(login(ada), ticket).items():
        assert answer.status_code == status, kind
        assert {name: answer.headers.get(name) for name in ON_PAGES} == ON_PAGES, kind
        policy = policy_of(answer)
        assert policy["default-src"] == policy["frame-ancestors"] == {"'none'"}, kind
        assert policy["script-src"] == policy["style-src"] == {"'self'"}, kind


@pytest.mark.plan("SEC-I2")
def test_a_mistake_of_ours_carries_them_too_and_tells_nothing(monkeypatch, db):
    def broken(*args, **kwargs):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(views, "render", broken)

    answer = Client(raise_request_exception=False).get("/")

    assert answer.status_code == 500
    assert {name: answer.headers.get(name) for name in ON_PAGES} == ON_PAGES
    assert policy_of(answer)["script-src"] == {"'self'"}
    assert b"secret detail" not in answer.content


@pytest.mark.plan("SEC-I2")
def test_static_files_carry_what_concerns_them(client):
    answer = client.get("/static/css/registry.css")

    assert answer.status_code == 200
    assert {name: answer.headers.get(name) for name in EVERYWHERE} == EVERYWHERE


ASK = """
import django, json
django.setup()
from django.test import Client
secure = Client(headers={"host": "care.example.org"}).get("/health/live", secure=True)
plain = Client(headers={"host": "care.example.org"}).get("/tickets/")
foreign = Client(headers={"host": "evil.example"}).get("/health/live", secure=True)
print(json.dumps([secure["Strict-Transport-Security"], plain.status_code, plain["Location"],
                  foreign.status_code]))
"""


@pytest.mark.plan("SEC-I2")
def test_production_insists_on_https_and_on_its_own_name(tmp_path):
    """HSTS for a year, http is redirected, a foreign Host header is refused."""
    answer = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=real_settings.BASE_DIR,
        env=os.environ
        | {"DJANGO_SETTINGS_MODULE": "careregistry.settings", "DATA_DIR": str(tmp_path)}
        | GOOD,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert json.loads(answer.stdout.splitlines()[-1]) == [
        "max-age=31536000; includeSubDomains; preload",
        301,
        "https://care.example.org/tickets/",
        400,
    ]


@pytest.mark.plan("SEC-I4")
@pytest.mark.parametrize(
    "path",
    [
        "/.env",
        "/.git/config",
        "/.git/HEAD",
        "/data/db.sqlite3",
        "/db.sqlite3",
        "/data/mail/",
        "/data/demo-accounts.txt",
        "/files/",
        "/media/",
        "/static/",
        "/static/../.env",
        "/static/%2e%2e/.env",
        "/static/..%2f..%2f.env",
        "/static//etc/passwd",
        "/backup/",
        "/metrics",
        "/debug/",
        "/__debug__/",
        "/schema/",
        "/requirements.txt",
        "/manage.py",
        "/server-status",
    ],
)
def test_no_address_gives_files_away(client, db, path):
    assert client.get(path).status_code == 404
    assert client.get("/static/css/registry.css").status_code == 200
