from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from accounts import signups
from accounts.models import Application, Role, SignUp, Standing, User

from .doors import CODE_PAGE, NEW_PERSON, code_in, sign_in, sign_up, signed_in_id, type_code
from .factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db
ROLES = ["customer", "agent", "admin"]


def join(client, mails, **changes) -> User:
    """Sign up, type the code and be somebody."""
    sign_up(client, **changes)
    type_code(client, code_in(mails[-1]))
    return User.objects.get(email=(NEW_PERSON | changes)["email"].lower())


def test_signing_up_makes_nobody_before_the_code(client, mails):
    """D1-1, D4-1: names, address, password and role are kept aside; nothing is open."""
    response = sign_up(client)

    asked = SignUp.objects.get()
    assert (asked.first_name, asked.last_name, asked.email) == ("John", "Doe", "john@example.org")
    assert asked.role == Role.CUSTOMER
    assert response.headers["Location"] == reverse(CODE_PAGE)
    assert [(mail.email, mail.user) for mail in mails] == [("john@example.org", None)]
    assert not User.objects.exists()
    assert signed_in_id(client) is None


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [
        ("agent", "agent"), ("admin", "admin"), ("customer", "customer"), ("", "customer"),
        ("root", "customer"), ("Agent", "customer"), ("<script>", "customer"),
    ],
)  # fmt: skip
def test_a_link_can_choose_the_role_and_nothing_else(client, asked, chosen):
    """D1-1: "Join as an agent" at the foot of the pages. What is sent counts, not the link."""
    page = reverse("account_signup")

    form = client.get(page, {"role": asked, "email": "x@example.org"}).context["form"]
    client.post(f"{page}?role={asked}", NEW_PERSON)

    assert (form["role"].value(), form["email"].value()) == (chosen, None)
    assert SignUp.objects.get().role == Role.CUSTOMER


def test_the_foot_of_the_pages_leads_agents_to_their_choice(client):
    assert f'href="{reverse("account_signup")}?role=agent"' in client.get("/").text


def test_what_a_sign_up_keeps_can_not_be_read_back(client, mails):
    """P9: neither the password nor the code stands in the row."""
    sign_up(client)

    row = str(SignUp.objects.values().get())
    assert PASSWORD not in row
    assert code_in(mails[0]) not in row


def test_the_code_makes_the_account(client, mails):
    """D0-1, D1-T5: with everything that was typed."""
    john = join(client, mails)

    assert (john.get_full_name(), john.role, john.standing) == (
        "John Doe", Role.CUSTOMER, Standing.ACTIVE,
    )  # fmt: skip
    assert john.check_password(PASSWORD)
    assert list(john.emailaddress_set.values_list("email", "verified", "primary")) == [
        ("john@example.org", True, True)
    ]
    assert not SignUp.objects.exists()


def test_the_code_lets_a_customer_in_and_leads_home(client, mails):
    """D0-T3, D4-1: sign-up and confirmation end at the customer's own tickets."""
    sign_up(client)

    response = type_code(client, code_in(mails[0]))

    assert response.headers["Location"] == reverse("tickets:list")
    assert User.objects.get().standing == Standing.ACTIVE
    assert signed_in_id(client) == str(User.objects.get().pk)


@pytest.mark.parametrize("role", ["agent", "admin"])
def test_staff_wait_for_approval_once_their_address_is_confirmed(client, mails, role):
    """D1-2, D2-3: a registering agent or administrator is a request."""
    sign_up(client, role=role)
    assert not Application.objects.exists()

    response = type_code(client, code_in(mails[0]))

    assert response.headers["Location"] == reverse("account_waiting")
    assert User.objects.get().standing == Standing.PENDING
    assert list(Application.objects.values_list("role", "decided_at")) == [(role, None)]


@pytest.mark.parametrize("standing", [s for s in Standing if s != Standing.UNCLAIMED])
@pytest.mark.plan("SEC-C1")
def test_an_address_has_one_account(client, mails, alice, standing):
    """D0-T6: no second account; a neutral page, and a mail to the owner whatever their standing."""
    User.objects.update(standing=standing)

    response = sign_up(client, email="Alice@Example.org")

    assert User.objects.get() == alice
    assert response.headers["Location"] == reverse(CODE_PAGE)
    assert [(mail.kind, mail.email) for mail in mails] == [
        ("account_already_exists", "alice@example.org")
    ]


def test_an_address_in_the_bin_is_taken(client, mails):
    make_user(email="john@example.org", deleted_at=timezone.now())

    sign_up(client)

    assert [mail.kind for mail in mails] == ["account_already_exists"]


@pytest.mark.plan("SEC-C1")
def test_another_code_for_a_taken_address_is_not_sent(client, mails, alice):
    sign_up(client, email=alice.email)
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        response = client.post(reverse(CODE_PAGE), {"action": "resend"}, follow=True)

    assert "Another email is on its way" in response.text
    assert [mail.kind for mail in mails] == ["account_already_exists"]


def test_a_form_sent_twice_by_one_browser_makes_one_account_and_one_mail(client, mails):
    sign_up(client)

    again = sign_up(client)

    assert again.headers["Location"] == reverse(CODE_PAGE)
    assert SignUp.objects.count() == 1
    assert len(mails) == 1


def test_who_left_before_the_code_begins_anew_with_another_password(client, mails):
    """A sign-up that was never confirmed blocks nobody."""
    sign_up(client)
    client.cookies.clear()

    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        john = join(client, mails, password1="quite other words", password2="quite other words")

    assert john.check_password("quite other words")
    assert not SignUp.objects.exists()


@pytest.mark.plan("SEC-C12")
def test_who_left_before_the_code_can_not_sign_in(client, mails):
    sign_up(client)
    client.cookies.clear()

    response = sign_in(client, "john@example.org")

    assert response.context["form"].errors
    assert signed_in_id(client) is None


def test_what_was_never_confirmed_is_forgotten_after_a_day(client, mails):
    sign_up(client)
    client.cookies.clear()

    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        sign_up(client, email="jane@example.org")

    assert list(SignUp.objects.values_list("email", flat=True)) == ["jane@example.org"]


def test_a_second_browser_with_the_same_address_is_asked_to_wait(client, mails):
    sign_up(client)
    client.cookies.clear()

    response = sign_up(client)

    assert response.status_code == 429
    assert response.headers["Retry-After"] == "60"
    assert "look in your email first" in response.text
    assert len(mails) == 1


def test_five_mails_an_hour_go_to_one_address(client, mails):
    for minute in range(0, 12, 2):
        with time_machine.travel(timezone.now() + timedelta(minutes=minute)):
            client.cookies.clear()
            response = sign_up(client)

    assert response.status_code == 429
    assert len(mails) == 5


def test_whoever_is_signed_in_has_an_account_already(login, alice):
    response = login(alice).get(reverse("account_signup"))

    assert response.headers["Location"] == reverse("tickets:list")


def test_sign_up_leads_to_the_page_one_came_for(client, mails):
    """D1-19: nothing is done twice."""
    client.post(reverse("account_signup") + "?next=/tickets/new/", NEW_PERSON)

    response = type_code(client, code_in(mails[0]))

    assert response.headers["Location"] == "/tickets/new/"


@pytest.mark.parametrize("url", ["https://evil.example/", "//evil.example", "/\\evil.example"])
@pytest.mark.plan("SEC-B15")
def test_sign_up_leads_nowhere_else(client, mails, url):
    client.post(reverse("account_signup") + f"?next={url}", NEW_PERSON)

    assert type_code(client, code_in(mails[0])).headers["Location"] == reverse("tickets:list")


def test_an_account_takes_one_form_and_one_code(client, mails):
    """D1-19, D0-1: free of cost, eight fields at most, and a welcome."""
    fields = client.get(reverse("account_signup")).context["form"].fields

    assert list(fields) == [
        "role", "first_name", "last_name", "email", "password1", "password2", "agree",
    ]  # fmt: skip


def test_one_door_for_all_roles_offers_to_show_the_password(client):
    """D1-18"""
    page = client.get(reverse("account_signup"))

    assert 'data-show-label="Show password"' in page.text
    assert [value for value, _ in page.context["form"]["role"].field.choices] == ROLES


@pytest.mark.plan("SEC-C5")
def test_the_session_gets_a_new_key(client, mails):
    sign_up(client)
    before = client.session.session_key

    type_code(client, code_in(mails[0]))

    assert client.session.session_key != before


@pytest.mark.django_db(transaction=True)
def test_an_account_is_made_whole_or_not_at_all(client, mails, monkeypatch):
    sign_up(client)
    monkeypatch.setattr(signups, "confirm", lambda person: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        type_code(client, code_in(mails[0]))

    assert not User.objects.exists()
    assert SignUp.objects.count() == 1
