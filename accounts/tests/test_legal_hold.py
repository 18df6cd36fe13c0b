"""Legal hold: nothing of a person is erased or retired while somebody says why."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from accounts import erasure, holds, retention
from accounts.models import AccountEvent, LoginRecord, Standing, User
from accounts.people import AccountRefusal
from accounts.tests.factories import PASSWORD, make_admin

pytestmark = pytest.mark.django_db

REASON = "Case 2026/17 before the county court"


@pytest.fixture
def held(alice, ada):
    holds.hold(alice, by=ada, reason=REASON)
    return alice


def fresh(user) -> User:
    return User.objects.get(pk=user.pk)


def in_a_month():
    return time_machine.travel(timezone.now() + timedelta(days=30))


def console(person, verb):
    return reverse(f"admin:accounts_user_{verb}", args=[person.pk])


def test_an_administrator_holds_with_a_reason_and_releases(login, alice, ada):
    browser = login(ada)

    browser.post(console(alice, "hold"), {"reason": REASON})
    assert fresh(alice).legal_hold == REASON
    browser.post(console(alice, "release"))

    assert fresh(alice).legal_hold == ""
    events = AccountEvent.objects.filter(user=alice).order_by("pk")
    assert list(events.values_list("kind", "by", "reason")) == [
        ("held", ada.pk, REASON),
        ("released", ada.pk, ""),
    ]
    assert LogEntry.objects.filter(user=ada, object_id=alice.pk).count() == 2


def test_a_hold_needs_a_reason(login, alice, ada):
    page = login(ada).post(console(alice, "hold"), {"reason": " "})

    assert page.context["form"].errors == {"reason": ["Enter a reason"]}
    assert fresh(alice).legal_hold == ""


def test_the_owners_request_is_taken_and_kept_waiting(login, held, ada):
    """In the words everybody reads: nobody learns of the hold by asking."""
    browser = login(held)
    assert REASON not in browser.get(reverse("account_delete")).text
    assert browser.post(reverse("account_delete"), {"password": PASSWORD}).status_code == 302

    with in_a_month():
        erasure.erase_due()
        assert fresh(held).standing == Standing.ACTIVE
        holds.release(held, by=ada)
        erasure.erase_due()
        assert fresh(held).standing == Standing.ERASED


def test_administrators_release_first(held, ada):
    with pytest.raises(AccountRefusal, match="Release it first"):
        erasure.ask(held, by=ada, at_once=True)
    with pytest.raises(AccountRefusal, match="Release it first"):
        erasure.erase(held, by=ada)
    assert fresh(held).erase_at is None


@pytest.mark.plan("SEC-H3")
def test_rules_pass_over_who_is_held(held, carol):
    long_ago = timezone.now() - timedelta(days=400)
    for person in (held, carol):
        LoginRecord.objects.create(user=person, kind="signed_in", at=long_ago)

    list(retention.keep_rules())

    assert LoginRecord.objects.get().user == held


def test_twice_is_refused(held, carol, ada):
    with pytest.raises(AccountRefusal):
        holds.hold(held, by=ada, reason="Another")
    with pytest.raises(AccountRefusal):
        holds.release(carol, by=ada)
    assert fresh(held).legal_hold == REASON


@pytest.mark.plan("SEC-A8")
def test_who_may_not_hold(held, carol, bob, ada):
    for person, by in ((carol, bob), (make_admin("Other"), ada)):
        with pytest.raises(PermissionDenied):
            holds.hold(person, by=by, reason=REASON)
    with pytest.raises(PermissionDenied):
        holds.release(held, by=bob)


def test_the_console_offers_what_fits(login, alice, ada):
    def offered():
        page = login(ada).get(console(alice, "change")).text
        verbs = ("export", "hold", "release", "erase", "keep")
        return {verb for verb in verbs if f'href="{console(alice, verb)}"' in page}

    assert offered() == {"export", "hold", "erase"}
    holds.hold(alice, by=ada, reason=REASON)
    assert offered() == {"export", "release"}
    holds.release(alice, by=ada)
    erasure.ask(alice, by=ada)
    assert offered() == {"export", "hold", "keep"}


@pytest.mark.parametrize("verb", ["export", "hold", "release", "erase", "keep"])
def test_asking_changes_nothing(login, alice, ada, verb):
    """SEC-B14"""
    page = login(ada).get(console(alice, verb))

    assert page.status_code == 200
    assert "alice@example.org" in page.text
    assert not AccountEvent.objects.exists()
