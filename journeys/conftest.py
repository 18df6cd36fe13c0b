"""Journeys through the running product in real Chromium.

Each file of tests has an installation of its own, with its own database, processes and mail.
"""

import fcntl
import os
import shutil
import subprocess

import pytest
from django.conf import settings
from playwright.sync_api import expect, sync_playwright

from notifications.tests.smtp import Sink

from .installation import Installation, own_database
from .visitor import Visitor

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-sync", "--no-first-run",
]  # fmt: skip
WAIT = 30_000  # milliseconds; a slow machine is no failure

expect.set_options(timeout=WAIT)


def pytest_collection_modifyitems(items):
    """A browser on a busy machine misses a moment now and then: a journey may be made once more,
    which the report tells."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="package")
def chromium():
    """One browser for all journeys. It ends with this package: while it runs, Django takes this
    thread for an asynchronous one."""
    program = next(filter(None, map(shutil.which, BROWSERS)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def static_files():
    """As ``make run`` collects them: only if one of ours has changed since, and by one process of
    pytest at a time."""
    with (settings.DATA_DIR / "staticfiles.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run(
            ["make", "staticfiles/staticfiles.json"],
            cwd=settings.BASE_DIR,
            env=os.environ | {"DJANGO_SETTINGS_MODULE": "careregistry.settings"},
            check=True,
        )


@pytest.fixture(scope="module")
def environment():
    """What the installation is told besides what each is; a file of tests may need more."""
    return {}


@pytest.fixture(scope="module")
def registry(tmp_path_factory, static_files, empty_database, environment):
    folder = tmp_path_factory.mktemp("registry")
    with Sink() as sink, own_database(folder, empty_database) as database_url:
        installation = Installation(folder, sink, database_url)
        installation.environment |= environment
        try:
            installation.start()
            yield installation
        finally:
            installation.stop()


@pytest.fixture
def visitor(chromium, registry):
    """Opens browsers: ``john = visitor()``. Their pages must be without complaints to the end."""
    visitors = []

    def come(**options):
        visitors.append(Visitor(chromium, registry, patience=WAIT, **options))
        return visitors[-1]

    yield come
    for each in visitors:
        each.context.close()
    assert [complaint for each in visitors for complaint in each.complaints] == []
