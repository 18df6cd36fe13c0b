from types import SimpleNamespace

import pytest
from django.test import Client

from accounts.tests.doors import sign_in
from messaging import live

from .sockets import LIST, use_a_layer_of_its_own


@pytest.fixture(autouse=True)
def layer(settings):
    use_a_layer_of_its_own(settings)


@pytest.fixture(autouse=True)
def no_socket_is_left():
    live.sockets.clear()
    yield
    left = len(live.sockets)
    live.sockets.clear()
    assert left == 0


@pytest.fixture
def browsers(alice, bob, carol, dave, ada, pete):
    """Everybody's browser, signed in, by first name; and a visitor's."""
    signed_in = {"visitor": Client()}
    for person in (alice, bob, carol, dave, ada, pete):
        signed_in[person.first_name.lower()] = browser = Client()
        sign_in(browser, person.email)
    return signed_in


@pytest.fixture
def path(ticket):
    """Of Alice's ticket, which Bob has."""
    return f"{LIST}{ticket}/"


@pytest.fixture
def quick(monkeypatch):
    """The watch looks twenty times a second."""
    monkeypatch.setattr(live, "LOOK_EVERY", 0.05)


@pytest.fixture
def desk(ticket, alice, bob, ada, dave):
    """Alice's ticket with Bob, and everybody who may do something with it."""
    return SimpleNamespace(ticket=ticket, alice=alice, bob=bob, ada=ada, dave=dave)
