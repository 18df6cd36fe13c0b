"""SEC-C11: another email address."""

from datetime import timedelta

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import emails
from accounts.models import AccountEvent, User
from messaging.actions import post_message
from notifications.mail import outbox
from notifications.models import OutgoingMail

from .doors import ask_for_reset, code_in, sign_in, signed_in_id, type_code, wrong
from .factories import PASSWORD, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.plan("SEC-C11")]

CHANGE = reverse("account_change_email")
CONFIRM = "account_confirm_new_email"
RESET_CODE = "account_confirm_password_reset_code"
PROFILE = reverse("account_profile")
NEW = "alice@new.example.org"


def ask(client, email=NEW, password=PASSWORD):
    return client.post(CHANGE, {"email": email, "password": password})


def change(client, mails, email=NEW):
    ask(client, email)
    return type_code(client, code_in(mails[-1]), CONFIRM)


def addresses_of(person):
    return list(
        EmailAddress.objects.filter(user=person).values_list("email", "verified", "primary")
    )


@pytest.mark.parametrize("name", ["alice", "bob", "ada", "pete"])
def test_a_code_to_the_new_address_changes_it(login, mails, request, name):
    """Also for the waiting; what was done is written down, without addresses."""
    person = request.getfixturevalue(name)
    client = login(person)

    response = change(client, mails)

    assert response.headers["Location"] == PROFILE
    assert NEW in client.get(PROFILE).text
    assert User.objects.get(pk=person.pk).email == NEW
    assert addresses_of(person) == [(NEW, True, True)]
    event = AccountEvent.objects.get()
    assert (event.user, event.by, event.kind, event.data) == (person, person, "email_changed", {})


def test_the_new_address_signs_in_and_the_old_one_does_not(login, mails, alice):
    change(login(alice), mails)

    at_the_old_door, at_the_new_door = Client(), Client()
    sign_in(at_the_old_door, alice.email)
    sign_in(at_the_new_door, NEW)

    assert signed_in_id(at_the_old_door) is None
    assert signed_in_id(at_the_new_door) == str(alice.pk)


def test_the_mails_of_a_change(login, mails, alice):
    """The code to the new address, the notice to the old one, with what to do."""
    change(login(alice), mails)

    code, notice = mails
    assert (code.kind, code.email) == ("new_email_code", NEW)
    assert code.subject == f"{code_in(code)} is your code for a new email address"
    assert "http" not in code.text
    assert alice.first_name not in code.text  # a stranger may read it
    assert (notice.kind, notice.email) == ("email_changed", alice.email)
    assert notice.subject == "Your email address was changed"
    assert "write to us at once" in notice.text
    assert "care@localhost" in notice.text
    assert NEW not in notice.text


def test_until_it_is_confirmed_the_old_address_stays(login, mails, alice):
    client = login(alice)

    ask(client)

    assert User.objects.get(pk=alice.pk).email == alice.email
    assert addresses_of(alice) == [(alice.email, True, True)]
    assert NEW in client.get(reverse(CONFIRM)).text
    assert not AccountEvent.objects.exists()


def test_a_wrong_password_changes_nothing(login, mails, alice):
    response = ask(login(alice), password="not my password")

    form = response.context["form"]
    assert form.errors == {"password": ["Check your current password"]}
    assert form["email"].value() == NEW
    assert mails == []


@pytest.mark.parametrize(
    ("email", "words"),
    [
        ("", "Enter your email address"),
        ("alice", "Invalid email"),
        ("alice@new.example.org\nBcc: x@example.org", "Invalid email"),
        ("a@" + "b" * 60_000 + ".org", "Invalid email"),
        ("alice@example.org", "This is your email address already"),
        ("ALICE@Example.ORG", "This is your email address already"),
    ],
)
def test_what_is_no_new_address_is_refused_beside_the_field(login, mails, alice, email, words):
    response = ask(login(alice), email)

    assert words in response.context["form"].errors["email"]
    assert mails == []


def test_an_address_is_kept_in_lower_case(login, mails, alice):
    change(login(alice), mails, "Alice+Shop@NEW.Example.ORG")

    assert User.objects.get(pk=alice.pk).email == "alice+shop@new.example.org"


# --- Codes ----------------------------------------------------------------------------


def test_a_wrong_code_changes_nothing_and_the_right_one_still_does(login, mails, alice):
    client = login(alice)
    ask(client)
    code = code_in(mails[-1])

    response = type_code(client, wrong(code), CONFIRM)

    assert response.context["form"].errors == {"code": ["Invalid code!"]}
    assert User.objects.get(pk=alice.pk).email == alice.email
    type_code(client, f"{code[:4]} {code[4:]}", CONFIRM)
    assert User.objects.get(pk=alice.pk).email == NEW


def test_five_codes_are_tried(login, mails, alice):
    client = login(alice)
    ask(client)
    code = code_in(mails[-1])
    for _try in range(5):
        type_code(client, wrong(code), CONFIRM)

    response = type_code(client, code, CONFIRM)

    assert response.headers["Location"] == CHANGE
    assert User.objects.get(pk=alice.pk).email == alice.email


def test_sent_with_nothing_in_it_is_no_try(login, mails, alice):
    client = login(alice)
    ask(client)
    for _try in range(6):
        type_code(client, " ", CONFIRM)

    type_code(client, code_in(mails[-1]), CONFIRM)

    assert User.objects.get(pk=alice.pk).email == NEW


def test_a_code_works_for_ten_minutes(login, mails, alice):
    client = login(alice)
    ask(client)

    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        response = type_code(client, code_in(mails[-1]), CONFIRM)

    assert response.headers["Location"] == CHANGE
    assert User.objects.get(pk=alice.pk).email == alice.email


def test_a_code_works_once(login, mails, alice):
    client = login(alice)
    change(client, mails)
    code = code_in(mails[0])

    ask(client, "third@example.org")

    assert type_code(client, code, CONFIRM).context["form"].errors


def test_a_code_works_in_its_own_browser_only(login, mails, alice):
    ask(login(alice))
    elsewhere = Client()
    elsewhere.force_login(alice)

    response = type_code(elsewhere, code_in(mails[-1]), CONFIRM)

    assert response.headers["Location"] == CHANGE
    assert User.objects.get(pk=alice.pk).email == alice.email


def test_no_code_stands_in_the_session(login, mails, alice):
    client = login(alice)

    ask(client)

    assert code_in(mails[-1]) not in str(dict(client.session))


def test_a_password_is_not_guessed_here(login, mails, alice):
    """A stolen session alone takes nothing over."""
    client = login(alice)
    for _try in range(10):
        assert ask(client, password="wrong").status_code == 200

    response = ask(client)

    assert response.status_code == 429
    assert mails == []


def test_strangers_are_not_written_to_again_and_again(login, mails, alice):
    client = login(alice)
    ask(client)

    response = ask(client)

    assert response.status_code == 429
    assert len(mails) == 1


# --- Addresses that are taken ---------------------------------------------------------


@pytest.mark.plan("SEC-C1")
def test_a_taken_address_gets_the_same_page_and_its_owner_a_mail(login, mails, alice, carol):
    client = login(alice)

    free, taken = ask(client), ask(client, carol.email)
    page = client.get(reverse(CONFIRM))

    assert (free.status_code, free.headers["Location"]) == (302, reverse(CONFIRM))
    assert (taken.status_code, taken.headers["Location"]) == (302, reverse(CONFIRM))
    assert "An email is on its way to" in page.text
    mail = mails[-1]
    assert (mail.email, mail.kind) == (carol.email, "email_taken")
    assert mail.subject == "This address has an account already"
    assert alice.email not in mail.text


@pytest.mark.plan("SEC-C1")
@pytest.mark.parametrize("code", ["00000000", "", "12345678", "None"])
def test_no_code_confirms_a_taken_address(login, mails, alice, carol, code):
    client = login(alice)
    ask(client, carol.email)

    assert type_code(client, code, CONFIRM).context["form"].errors
    assert User.objects.get(pk=alice.pk).email == alice.email


def test_an_address_somebody_else_took_meanwhile_is_refused(login, mails, alice):
    client = login(alice)
    ask(client)
    make_user("Quick", email=NEW)

    response = type_code(client, code_in(mails[-1]), CONFIRM)

    assert response.headers["Location"] == CHANGE
    assert "That address can’t be used any more" in client.get(CHANGE).text
    assert addresses_of(alice) == [(alice.email, True, True)]
    assert not AccountEvent.objects.exists()


# --- What ends with the old address ---------------------------------------------------


def test_all_other_sessions_end(login, mails, alice):
    elsewhere = Client()
    elsewhere.force_login(alice)
    client = login(alice)
    assert elsewhere.get(PROFILE).status_code == 200

    change(client, mails)

    assert client.get(PROFILE).status_code == 200
    assert elsewhere.get(PROFILE).status_code == 302


def test_reset_codes_of_the_old_address_are_dead(login, mails, alice):
    visitor = Client()
    ask_for_reset(visitor, alice.email)
    code = code_in(mails[-1])
    change(login(alice), mails)

    response = type_code(visitor, code, RESET_CODE)

    assert response.status_code == 302
    assert response.headers["Location"] == reverse("account_reset_password")


def test_a_reset_begun_at_the_old_address_is_not_completed(login, mails, alice):
    visitor = Client()
    ask_for_reset(visitor, alice.email)
    type_code(visitor, code_in(mails[-1]), RESET_CODE)
    change(login(alice), mails)
    new = {"password1": "four entirely other words", "password2": "four entirely other words"}

    visitor.post(reverse("account_complete_password_reset"), new)

    assert User.objects.get(pk=alice.pk).check_password(PASSWORD)


def test_ticket_mail_goes_to_the_new_address_also_what_is_owed_already(alice, ticket):
    old = alice.email
    outbox.address_notifications()
    assert OutgoingMail.objects.filter(email=old).exists()

    emails.change_email(alice, NEW)
    post_message(ticket, by=ticket.assignee, body="We found it.")
    outbox.address_notifications()

    owed = OutgoingMail.objects.filter(ticket=ticket, recipient=alice, state="owed")
    assert set(owed.values_list("email", flat=True)) == {NEW}


def test_codes_on_their_way_to_the_old_address_are_not_sent(client, alice):
    ask_for_reset(client, alice.email)

    emails.change_email(alice, NEW)

    (code, notice) = OutgoingMail.objects.order_by("pk")
    assert (code.state, code.content) == ("dropped", {})
    assert (notice.state, notice.email) == ("owed", "alice@example.org")


def test_all_of_it_happens_or_nothing(alice, monkeypatch):
    def fail(**kwargs):
        raise RuntimeError

    monkeypatch.setattr(emails.email_changed, "send", fail)
    with pytest.raises(RuntimeError):
        emails.change_email(alice, NEW)

    assert User.objects.get(pk=alice.pk).email == "alice@example.org"
    assert addresses_of(alice) == [("alice@example.org", True, True)]
    assert not AccountEvent.objects.exists()
