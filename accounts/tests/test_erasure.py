"""D1-14, D4-10, D0-9, SEC-H2: leaving, changing one's mind, and being gone."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import erasure, leftovers, people
from accounts.models import AccountEvent, Application, Standing, User
from accounts.people import AccountRefusal
from accounts.tests.doors import sign_in, signed_in_id
from accounts.tests.factories import PASSWORD, make_admin, make_user
from messaging.actions import post_message
from notifications.mail import outbox
from notifications.models import Notification
from tickets import expiry
from tickets.actions import assign
from tickets.models import Ticket
from tickets.tests.factories import make_ticket
from tickets.tests.racing import race

pytestmark = pytest.mark.django_db

PAGE = reverse("account_delete")


def fresh(user) -> User:
    return User.objects.get(pk=user.pk)


def after(days):
    return time_machine.travel(timezone.now() + timedelta(days=days))


def kinds_of(user):
    events = AccountEvent.objects.filter(user=user).order_by("pk")
    return list(events.values_list("kind", flat=True))


def told(user):
    owed = Notification.objects.filter(recipient=user, event=None).order_by("pk")
    return list(owed.values_list("kind", flat=True))


# --- The owner ----------------------------------------------------------------


def test_the_page_says_what_happens_and_names_the_open_tickets(login, ticket, alice):
    page = login(alice).get(PAGE)

    assert "For 14 days nothing else happens" in page.text
    assert f"{ticket.reference}: {ticket.subject}" in page.text


def test_the_password_begins_the_waiting_time(login, alice):
    browser = login(alice)

    page = browser.post(PAGE, {"password": PASSWORD}, follow=True)

    assert "Sign in before then to keep it." in page.text
    assert signed_in_id(browser) is None
    assert fresh(alice).erase_at - timezone.now() > timedelta(days=13, hours=23)
    assert kinds_of(alice) == ["erasure_asked"]
    assert told(alice) == ["erasure_asked"]


def test_a_wrong_password_changes_nothing(login, alice):
    page = login(alice).post(PAGE, {"password": "three wrong words"})

    assert page.context["form"].errors == {"password": ["Check your current password"]}
    assert fresh(alice).erase_at is None
    assert signed_in_id(page.client) == str(alice.pk)


@pytest.mark.plan("SEC-C6")
def test_every_session_ends(alice, client):
    sign_in(client, alice.email)
    assert client.get(PAGE).status_code == 200
    elsewhere = Client()
    sign_in(elsewhere, alice.email)

    client.post(PAGE, {"password": PASSWORD})

    assert elsewhere.get(PAGE).headers["Location"].startswith(reverse("account_login"))


def test_signing_in_stops_it_and_says_so(login, alice, client):
    erasure.ask(alice, by=alice)
    with after(13):
        response = sign_in(client, alice.email)
        page = client.get(response.headers["Location"])

    assert "Welcome back. Your account will not be deleted." in page.text
    assert fresh(alice).erase_at is None
    assert kinds_of(alice) == ["erasure_asked", "erasure_stopped"]
    assert told(alice)[:2] == ["erasure_asked", "erasure_stopped"]


def test_who_came_back_is_not_erased_when_the_day_comes(alice, client):
    erasure.ask(alice, by=alice)
    sign_in(client, alice.email)

    with after(15):
        erasure.erase_due()

    assert fresh(alice).standing == Standing.ACTIVE


def test_nothing_happens_before_the_day_and_everything_on_it(alice):
    erasure.ask(alice, by=alice)

    with after(13):
        erasure.erase_due()
        assert fresh(alice).standing == Standing.ACTIVE
    with after(14):
        erasure.erase_due()

    gone = fresh(alice)
    assert (gone.standing, gone.get_full_name()) == (Standing.ERASED, "Erased person")
    assert gone.email == f"erased-{alice.pk}@erased.invalid"
    assert AccountEvent.objects.get(user=alice, kind="erased").by == alice


def test_coming_back_while_it_is_being_erased_wins(alice):
    erasure.ask(alice, by=alice)
    loaded = fresh(alice)
    erasure.stop(alice, by=alice)

    with pytest.raises(AccountRefusal):
        erasure.erase(loaded, by=None)

    assert fresh(alice).standing == Standing.ACTIVE


@pytest.mark.django_db(transaction=True)
def test_coming_back_and_the_erasure_at_the_same_moment(alice):
    """Either everything is as it was, or everything is gone."""
    erasure.ask(alice, by=alice)
    User.objects.filter(pk=alice.pk).update(erase_at=timezone.now())
    one, other = fresh(alice), fresh(alice)

    race(lambda: erasure.erase(one, by=None), lambda: erasure.stop(other, by=other))

    now = fresh(alice)
    assert now.erase_at is None
    assert (now.standing, now.first_name) in (
        (Standing.ACTIVE, "Alice"),
        (Standing.ERASED, "Erased person"),
    )


def test_the_waiting_may_leave_too(login, pete):
    """And their open request ends with them."""
    Application.objects.create(applicant=pete, role="agent", why="I like kettles.")

    login(pete).post(PAGE, {"password": PASSWORD})
    with after(15):
        erasure.erase_due()

    application = Application.objects.get()
    assert (application.decision, application.why) == ("expired", "")
    assert fresh(pete).standing == Standing.ERASED


def test_mails_say_how_to_undo_it(alice, mailoutbox):
    erasure.ask(alice, by=alice)
    outbox.drain()
    erasure.stop(alice, by=alice)
    outbox.drain()

    asked, stopped = mailoutbox
    day = timezone.now() + timedelta(days=14)
    assert asked.subject == f"Your account will be deleted after {day:%-d %B %Y}"
    assert "Sign in before" in asked.body
    assert stopped.subject == "Your account will not be deleted"


def test_who_does_not_agree_to_new_terms_may_leave(login, alice, settings):
    """The gate that asks for agreement lets them take their data, and go."""
    settings.TERMS_VERSION = "2"
    browser = login(alice)
    assert browser.get(reverse("tickets:list")).headers["Location"] == reverse("account_consent")

    assert browser.get(reverse("account_privacy")).status_code == 200
    browser.post(PAGE, {"password": PASSWORD})

    assert fresh(alice).erase_at


# --- Who has to stay ------------------------------------------------------------


def test_an_agent_with_tickets_is_told_to_ask_an_administrator(login, ticket, bob):
    browser = login(bob)

    assert "Tickets are assigned to this account." in browser.get(PAGE).text
    page = browser.post(PAGE, {"password": PASSWORD})

    assert "can’t be deleted now" in page.text
    assert fresh(bob).erase_at is None


def test_an_agent_without_tickets_may_leave(login, bob):
    assert login(bob).post(PAGE, {"password": PASSWORD}).status_code == 302
    assert fresh(bob).erase_at


def test_the_last_of_those_who_run_the_place_stays(login, db):
    root = make_admin("Root", is_superuser=True)
    make_admin("Ada")
    assert "last account that may do everything" in login(root).get(PAGE).text

    make_admin("Other", is_superuser=True)

    assert "can’t be deleted" not in login(root).get(PAGE).text


def test_the_last_administrator_stays(login, ada):
    assert "last administrator" in login(ada).get(PAGE).text


def test_work_that_came_in_the_meantime_keeps_them(alice, bob, ada, kettles):
    erasure.ask(bob, by=bob)
    ticket = make_ticket(alice, bob, category=kettles, by=ada)

    with after(15):
        erasure.erase_due()

    assert fresh(bob).standing == Standing.ACTIVE
    assert Ticket.objects.get(pk=ticket.pk).assignee == bob


# --- What stays ---------------------------------------------------------------


def test_what_an_agent_wrote_stays_without_their_name(ticket, alice, bob, dave, ada, login):
    post_message(ticket, by=bob, body="I have sent you another kettle.")
    assign(ticket, to=dave, by=ada)
    erasure.erase(fresh(bob), by=ada)

    page = login(alice).get(ticket.get_absolute_url()).text
    assert "I have sent you another kettle." in page
    assert "Erased person" in page
    assert "Baker" not in page


def test_the_agent_reads_what_became_of_the_ticket(ticket, alice, bob, login):
    erasure.erase(alice, by=None)

    page = login(bob).get(ticket.workspace_url)

    assert page.status_code == 200
    assert "The words and files of this ticket were erased" in page.text
    assert "Alice" not in page.text


def test_one_who_cannot_be_erased_does_not_keep_the_others(alice, carol, monkeypatch):
    erasure.ask(alice, by=alice)
    erasure.ask(carol, by=carol)
    forget = erasure.forgetting.forget

    def fail_for_alice(user, addresses):
        if user.pk == alice.pk:
            raise ZeroDivisionError
        forget(user, addresses)

    monkeypatch.setattr(erasure.forgetting, "forget", fail_for_alice)
    with after(15):
        erasure.erase_due()

    assert (fresh(alice).standing, fresh(carol).standing) == (Standing.ACTIVE, Standing.ERASED)
    assert fresh(alice).first_name == "Alice"


def test_files_left_by_a_crash_are_removed_later(alice, settings):
    """The rows are gone, and the process was killed before it removed the files."""
    for name in ("photos/ab/cdef", "ab/cdef"):
        path = settings.MEDIA_ROOT / name
        path.parent.mkdir(parents=True)
        path.write_bytes(b"left")

    with after(2):
        assert leftovers.remove_left_files() == 1
        assert expiry.remove_left_files() == 1


# --- Administrators -------------------------------------------------------------


def console(person, verb):
    return reverse(f"admin:accounts_user_{verb}", args=[person.pk])


def test_an_administrator_erases_after_the_waiting_time(login, alice, ada):
    login(ada).post(console(alice, "erase"), {"when": "later"})

    gone = fresh(alice)
    assert gone.erase_at > timezone.now() + timedelta(days=13)
    assert not gone.is_active
    assert kinds_of(alice) == ["erasure_asked"]
    assert LogEntry.objects.get().change_message == "To be erased."


def test_a_deleted_customer_is_restored_before_the_erasure(login, alice, ada, client):
    """D0-9: by either verb, and everything is as it was."""
    for verb in ("keep", "restore"):
        login(ada).post(console(alice, "erase"), {"when": "later"})

        login(ada).post(console(alice, verb))

        with after(15):
            erasure.erase_due()
        assert fresh(alice).is_approved
        assert fresh(alice).erase_at is None
        assert kinds_of(alice)[-2:] in (
            ["erasure_asked", "erasure_stopped"],
            ["erasure_stopped", "restored"],
        )


def test_an_administrator_erases_at_once(login, alice, ada):
    login(ada).post(console(alice, "erase"), {"when": "now"})
    erasure.erase_due()

    assert fresh(alice).standing == Standing.ERASED
    assert AccountEvent.objects.get(user=alice, kind="erased").by == ada
    assert told(alice) == []


@pytest.mark.plan("SEC-A8")
def test_who_may_not_erase_whom(alice, bob, ada, carol):
    other = make_admin("Other")
    for person, by in ((alice, bob), (alice, carol), (other, ada)):
        with pytest.raises(PermissionDenied):
            erasure.ask(person, by=by)
    erasure.ask(other, by=make_admin("Root", is_superuser=True))


def test_the_erased_are_left_alone(alice, ada, login):
    erasure.erase(alice, by=ada)

    with pytest.raises(AccountRefusal):
        erasure.ask(fresh(alice), by=ada)
    with pytest.raises(AccountRefusal):
        people.restore_user(fresh(alice), by=ada)
    page = login(ada).get(console(alice, "change")).text
    assert not any(console(alice, verb) in page for verb in ("erase", "keep", "export", "hold"))


def test_who_was_known_by_the_address_alone_can_be_erased(ada):
    nobody = make_user("Una", standing=Standing.UNCLAIMED)
    erasure.erase(nobody, by=ada)

    assert fresh(nobody).standing == Standing.ERASED
