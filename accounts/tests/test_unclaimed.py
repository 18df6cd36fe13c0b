"""A person known only by address becomes somebody when the address is proved, and not before."""

from threading import Barrier, Thread

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import signups
from accounts.models import Application, Consent, Role, SignUp, Standing, User
from tickets.models import Ticket
from tickets.tests.factories import make_ticket

from .doors import CODE_PAGE, ask_for_reset, code_in, sign_in, sign_up, signed_in_id, type_code
from .factories import PASSWORD, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.plan("SEC-C12")]


@pytest.fixture
def una(db):
    """Somebody who called or wrote, and has tickets by it."""
    return make_user("Una", email="una@example.org", standing=Standing.UNCLAIMED)


@pytest.fixture
def tickets(una, kettles, ada):
    return [make_ticket(una, category=kettles, by=ada) for _ in range(2)]


def row_of(person):
    return User.objects.filter(pk=person.pk).values().get()


def test_the_unclaimed_come_in_by_no_door(client, mails, una):
    sign_in(client, una.email)
    ask_for_reset(client, una.email)
    client.post(reverse("account_request_login_code"), {"email": una.email})

    assert signed_in_id(client) is None
    assert mails == []


def test_a_sign_up_changes_nothing_of_the_unclaimed(client, una, tickets):
    """Whoever types a stranger's address sets no name and no password on them."""
    before = row_of(una)

    sign_up(client, email=una.email, first_name="Mallory", role="agent")
    type_code(client, "00000000")
    client.post(reverse(CODE_PAGE), {"action": "resend"})

    assert row_of(una) == before
    assert not Consent.objects.filter(user=una).exists()
    assert not una.emailaddress_set.exists()
    assert signed_in_id(client) is None


def test_the_mail_to_the_unclaimed_is_like_any_other(client, mails, una):
    sign_up(client, email="Una@Example.org")

    assert [(mail.kind, mail.email, mail.user) for mail in mails] == [
        ("email_confirmation", una.email, una)
    ]


def test_the_proof_makes_the_unclaimed_who_they_say_they_are(client, mails, una, tickets):
    """The same row: names, password and consents are new, the tickets are theirs."""
    assert not Ticket.objects.visible_to(una).exists()
    sign_up(client, email=una.email, first_name="Unity")

    type_code(client, code_in(mails[0]))

    claimed = User.objects.get(email=una.email)
    assert (claimed.pk, claimed.first_name, claimed.standing) == (una.pk, "Unity", Standing.ACTIVE)
    assert claimed.check_password(PASSWORD)
    assert claimed.consents.count() == 2
    assert set(Ticket.objects.visible_to(claimed)) == set(tickets)
    page = client.get(reverse("tickets:list"))
    assert all(ticket.reference in page.text for ticket in tickets)


def test_a_staff_role_keeps_the_tickets_and_waits(client, mails, una, tickets, ada):
    """Until an administrator accepts them, not even their own tickets are seen."""
    sign_up(client, email=una.email, role="agent")
    response = type_code(client, code_in(mails[0]))

    una.refresh_from_db()
    assert (una.role, una.standing) == (Role.AGENT, Standing.PENDING)
    assert response.headers["Location"] == reverse("account_waiting")
    assert Application.objects.get().applicant == una
    assert not Ticket.objects.visible_to(una).exists()
    una.standing = Standing.ACTIVE
    una.save()
    assert set(Ticket.objects.visible_to(una)) == set(tickets)


def test_an_attacker_who_was_first_is_left_with_nothing(client, mails, una, tickets):
    """Both wait; whoever reads the mailbox wins, with their own password."""
    mallory = Client(REMOTE_ADDR="192.0.2.9")
    asked = signups.ask(
        email=una.email, password="mallory was here", first_name="M", last_name="", role="customer"
    )
    session = mallory.session
    session["sign_up"] = {"id": str(asked.pk), "next": None}
    session.save()
    sign_up(client, email=una.email)

    type_code(client, code_in(mails[1]))
    type_code(mallory, code_in(mails[1]))

    una.refresh_from_db()
    assert una.check_password(PASSWORD)
    assert signed_in_id(client) == str(una.pk)
    assert signed_in_id(mallory) is None
    assert not SignUp.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("exists", [True, False])
def test_of_two_proofs_at_the_same_moment_one_wins(exists):
    """Also when nobody had the address before."""
    if exists:
        make_user("Una", email="una@example.org", standing=Standing.UNCLAIMED)
    both = [
        signups.ask(
            email="una@example.org", password=PASSWORD, last_name="", role="customer",
            first_name=name,
        )
        for name in ("Una", "Mallory")
    ]  # fmt: skip
    barrier, outcomes = Barrier(2), []

    def prove(asked):
        barrier.wait()
        try:
            outcomes.append(signups.finish(asked).first_name)
        except signups.Taken:
            outcomes.append("taken")
        connection.close()

    threads = [Thread(target=prove, args=[asked]) for asked in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == sorted([User.objects.get().first_name, "taken"])
    assert Consent.objects.count() == 2


def test_who_was_put_in_the_bin_is_claimed_by_nobody(client, mails, una):
    User.objects.update(deleted_at=timezone.now())

    sign_up(client, email=una.email)

    assert [mail.kind for mail in mails] == ["account_already_exists"]


def test_claiming_twice_changes_nothing_more(una):
    signups.claim(una.email, first_name="Una", last_name="", role=Role.CUSTOMER, password="!")

    with pytest.raises(signups.Taken):
        signups.claim(una.email, first_name="M", last_name="", role=Role.CUSTOMER, password="!")
    assert User.objects.get().first_name == "Una"
