"""The cast. Alice asks, Bob answers, Carol has no business here, Ada runs the place."""

import pytest

from accounts.models import Role, Standing
from accounts.tests.factories import make_admin, make_agent, make_user
from tickets import sla
from tickets.tests.factories import make_category, make_ticket


@pytest.fixture(autouse=True)
def service_levels_read_anew():
    """What one test's process knows of them must not reach the next."""
    sla.forget()


@pytest.fixture(autouse=True)
def files_of_their_own(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "files"
    settings.MAIL_DIR = tmp_path / "mail"
    settings.EXPORT_DIR = tmp_path / "exports"


@pytest.fixture
def alice(db):
    return make_user("Alice", last_name="Archer", email="alice@example.org")


@pytest.fixture
def bob(db):
    return make_agent("Bob", last_name="Baker", email="bob@example.org")


@pytest.fixture
def carol(db):
    return make_user("Carol", last_name="Cole", email="carol@example.org")


@pytest.fixture
def dave(db):
    """An agent who is not on the ticket."""
    return make_agent("Dave", last_name="Dunn", email="dave@example.org")


@pytest.fixture
def ada(db):
    return make_admin("Ada", last_name="Adler", email="ada@example.org")


@pytest.fixture
def pete(db):
    """An agent who waits for approval."""
    return make_user("Pete", role=Role.AGENT, standing=Standing.PENDING, email="pete@example.org")


@pytest.fixture
def kettles(db):
    return make_category("Faulty product", team_name="Returns team")


@pytest.fixture
def ticket(alice, bob, ada, kettles):
    """Alice's ticket, assigned to Bob."""
    return make_ticket(requester=alice, assignee=bob, category=kettles, by=ada)


@pytest.fixture
def login(client):
    """Sign somebody in: ``login(alice).get("/")``."""

    def sign_in(person):
        client.force_login(person)
        return client

    return sign_in
