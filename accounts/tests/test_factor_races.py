"""Second factors at the same moment, in several processes: nothing works twice (SEC-C17, P10)."""

from functools import partial

import pytest

from accounts import factors
from accounts.people import AccountRefusal
from tickets.tests.racing import race

from .factor_tools import code_of, give_app
from .factories import make_agent, make_user

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.race,
    pytest.mark.plan("SEC-C17"),
]

SEVERAL = 6


def test_an_app_code_works_once():
    alice = make_user("Alice")
    code = code_of(give_app(alice))

    used = race(*[partial(factors.use_code, alice, code)] * SEVERAL)

    assert [factor for factor in used if factor] == [factors.app_of(alice)]
    assert used.count(None) == SEVERAL - 1


def test_a_recovery_code_works_once():
    alice = make_user("Alice")
    give_app(alice)

    used = race(*[partial(factors.use_code, alice, factors.codes_of(alice)[0])] * SEVERAL)

    assert used.count(None) == SEVERAL - 1
    assert factors.count_codes(alice) == 9


def test_two_codes_are_both_used_up():
    alice = make_user("Alice")
    give_app(alice)
    codes = factors.codes_of(alice)[:SEVERAL]

    race(*[partial(factors.use_code, alice, code) for code in codes])

    assert not set(factors.codes_of(alice)) & set(codes)


def test_the_last_one_stays_where_it_is_demanded(settings):
    """Whoever removes both at once keeps one."""
    settings.REQUIRE_STAFF_MFA = True
    bob = make_agent("Bob")
    give_app(bob)
    factors.add_passkey(bob, "Key", {})

    outcomes = race(*[partial(factors.remove, each) for each in factors.of(bob)])

    assert factors.of(bob).count() == 1
    assert {type(outcome) for outcome in outcomes} == {type(None), AccountRefusal}
