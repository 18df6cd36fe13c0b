"""The door shuts at once on who is suspended or deleted, and on nobody by their own hand."""

from threading import Barrier, Thread

import pytest
from django.contrib.admin.models import LogEntry
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts import people
from accounts.models import AccountEvent, Role, Standing, User
from accounts.tests.doors import sign_in, signed_in_id
from accounts.tests.factories import make_admin, make_agent, make_user
from notifications.models import Notification

VERBS = ("role", "suspend", "reactivate", "bin", "restore")


def page(person, verb):
    return reverse(f"admin:accounts_user_{verb}", args=[person.pk])


def history(person):
    return list(person.account_events.order_by("pk").values_list("kind", "by__email", "reason"))


@pytest.fixture
def root(db):
    return make_admin("Root", email="root@example.org", is_superuser=True)


@pytest.fixture
def bobs_browser(bob):
    browser = Client()
    sign_in(browser, bob.email)
    assert browser.get(reverse("tickets:workspace")).status_code == 200
    return browser


@pytest.mark.plan("SEC-C6")
@pytest.mark.plan("SEC-H6")
def test_suspending_asks_for_the_reason_and_shuts_the_door(login, ada, bob, bobs_browser):
    """Everything stops with the next request; the reason is kept, recorded and mailed."""
    console = login(ada)

    question = console.get(page(bob, "suspend")).text
    assert "Suspend Bob Baker?" in question
    assert "Enter a reason" in console.post(page(bob, "suspend"), {"reason": " "}).text
    bob.refresh_from_db()
    assert bob.standing == Standing.ACTIVE

    console.post(page(bob, "suspend"), {"reason": "Rude to customers."})

    bob.refresh_from_db()
    assert bob.standing == Standing.SUSPENDED
    assert bobs_browser.get(reverse("tickets:workspace")).status_code == 302
    assert signed_in_id(Client()) is None
    assert history(bob) == [("suspended", "ada@example.org", "Rude to customers.")]
    assert LogEntry.objects.get().change_message == "Suspended."
    assert Notification.objects.filter(kind="suspended", recipient=bob).count() == 1


@pytest.mark.plan("SEC-C6")
def test_the_suspended_can_not_sign_in_and_the_reactivated_can(client, login, ada, bob):
    people.suspend(bob, by=ada, reason="A rest.")
    browser = Client()
    sign_in(browser, bob.email)
    assert signed_in_id(browser) is None

    console = login(ada)
    assert "Let Bob Baker in again?" in console.get(page(bob, "reactivate")).text
    console.post(page(bob, "reactivate"))

    sign_in(browser, bob.email)
    assert signed_in_id(browser) == str(bob.pk)
    assert [kind for kind, _by, _reason in history(bob)] == ["suspended", "reactivated"]
    assert Notification.objects.filter(kind="reactivated", recipient=bob).count() == 1


@pytest.mark.plan("SEC-C6")
@pytest.mark.parametrize(
    ("leave", "come_back"),
    [
        (lambda bob, ada: people.suspend(bob, by=ada, reason="x"), people.reactivate),
        (lambda bob, ada: people.bin_user(bob, by=ada), people.restore_user),
    ],
)
def test_a_session_from_before_is_not_there_when_the_door_opens(
    ada, bob, bobs_browser, leave, come_back
):
    leave(bob, ada)
    come_back(bob, by=ada)

    assert bobs_browser.get(reverse("tickets:workspace")).status_code == 302


def test_only_the_active_are_suspended_and_only_the_suspended_come_back(login, ada, bob, pete):
    console = login(ada)

    told = console.post(page(pete, "suspend"), {"reason": "x"}, follow=True).text
    assert "Only an active account can be suspended." in told
    told = console.post(page(bob, "reactivate"), follow=True).text
    assert "This account is not suspended." in told

    pete.refresh_from_db()
    assert pete.standing == Standing.PENDING
    assert not LogEntry.objects.exists()
    assert not AccountEvent.objects.exists()
    assert not Notification.objects.exists()


@pytest.mark.plan("SEC-A8")
@pytest.mark.parametrize("verb", ["suspend", "bin", "role"])
def test_nobody_does_it_to_themselves(login, root, verb):
    answers = {"suspend": {"reason": "x"}, "role": {"role": "agent"}}

    told = login(root).post(page(root, verb), answers.get(verb, {}), follow=True).text

    root.refresh_from_db()
    assert "You can’t do this to your own account." in told
    assert (root.is_staff, root.is_superuser) == (True, True)
    assert not LogEntry.objects.exists()


@pytest.mark.plan("SEC-A8")
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("is_superuser", [True, False])
def test_administrators_leave_each_other_alone(login, ada, verb, is_superuser):
    other = make_admin("Olga", is_superuser=is_superuser)
    console = login(ada)

    assert console.get(page(other, verb)).status_code == 403
    assert console.post(page(other, verb), {"reason": "x", "role": "agent"}).status_code == 403

    other.refresh_from_db()
    assert (other.is_staff, other.is_superuser) == (True, is_superuser)


def test_a_superuser_looks_after_administrators(login, root, ada):
    """Also when it is the last other one: whoever does it stays."""
    login(root).post(page(ada, "suspend"), {"reason": "On leave."})

    ada.refresh_from_db()
    assert ada.standing == Standing.SUSPENDED
    assert list(User.objects.admins()) == [root]


@pytest.mark.parametrize("verb", VERBS)
def test_agents_and_customers_do_it_to_nobody(login, bob, alice, verb):
    """Whatever an agent sends."""
    before = User.objects.filter(pk=alice.pk).values().get()

    answer = login(bob).post(page(alice, verb), {"reason": "x", "role": "agent"})

    assert answer.status_code == 403
    assert User.objects.filter(pk=alice.pk).values().get() == before


@pytest.mark.parametrize(
    "act",
    [
        lambda person, by: people.suspend(person, by=by, reason="x"),
        lambda person, by: people.reactivate(person, by=by),
        lambda person, by: people.change_role(person, Role.AGENT, by=by),
        lambda person, by: people.bin_user(person, by=by),
        lambda person, by: people.restore_user(person, by=by),
    ],
)
def test_the_rows_of_now_decide_not_those_of_the_request(root, act):
    """Somebody who is suspended while their own request runs changes nothing any more."""
    other = make_admin("Olga", is_superuser=True)
    User.objects.filter(pk=root.pk).update(standing=Standing.SUSPENDED)

    with pytest.raises(PermissionDenied):
        act(other, root)


@pytest.mark.django_db(transaction=True)
def test_of_two_superusers_who_shut_each_other_out_one_stays():
    """The last active superuser is never lost, however close the two clicks are."""
    one, two = (make_admin(name, is_superuser=True) for name in ("Una", "Dua"))
    start = Barrier(2)
    refusals = []

    def shut_out(person, by):
        start.wait()
        try:
            people.suspend(person, by=by, reason="x")
        except PermissionDenied as refusal:
            refusals.append(refusal)
        finally:
            connection.close()

    threads = [Thread(target=shut_out, args=pair) for pair in ((one, two), (two, one))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(refusals) == 1
    assert User.objects.admins().count() == 1


def test_nothing_is_kept_of_what_went_wrong(ada, bob, monkeypatch):
    """The door, the sessions, the history and the mail change together or not at all."""

    def fail(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr("accounts.people.note", fail)
    browser = Client()
    sign_in(browser, bob.email)

    with pytest.raises(RuntimeError):
        people.suspend(bob, by=ada, reason="x")

    bob = User.objects.get(pk=bob.pk)
    assert bob.standing == Standing.ACTIVE
    assert browser.get(reverse("tickets:workspace")).status_code == 200


def test_deleting_and_restoring_are_in_the_account_history(ada, alice):
    """D0-9, SEC-H6."""
    people.bin_user(alice, by=ada)
    people.bin_user(alice, by=ada)  # the second of two clicks
    people.restore_user(alice, by=ada)

    assert [kind for kind, _by, _reason in history(alice)] == ["binned", "restored"]


def test_the_verbs_a_page_offers(login, ada, bob, alice):
    """Each as a link to its question; none on one's own page."""
    make_agent()

    def offered(person):
        links = login(ada).get(page(person, "change")).context["verbs"]
        return [url.split("/")[-2] for _label, url in links]

    assert offered(bob)[:3] == ["role", "suspend", "bin"]
    people.suspend(bob, by=ada, reason="x")
    assert offered(bob)[:2] == ["reactivate", "bin"]
    people.bin_user(bob, by=ada)
    assert offered(bob)[:1] == ["restore"]
    assert offered(make_user(standing=Standing.PENDING))[:1] == ["bin"]
    assert offered(ada) == []
