"""Coming in with Google (D0-2, SEC-C18), against a provider on this machine."""

import ast
import os
import subprocess
import sys

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AccountEvent, LoginRecord, Role, Standing, User
from tickets.models import Ticket
from tickets.tests.factories import make_ticket

from .doors import signed_in_id
from .factories import PASSWORD, make_admin, make_agent, make_user
from .google import GINA, REFUSAL, come_in, connect, is_refused

pytestmark = [pytest.mark.django_db, pytest.mark.plan("SEC-C18")]


# --- A new person ---------------------------------------------------------------


def test_somebody_new_becomes_a_customer(client, google):
    """D0-2: names from Google, an address that Google verified, and no password."""
    response = come_in(client, google)

    gina = User.objects.get()
    assert response.headers["Location"] == reverse("tickets:list")
    assert signed_in_id(client) == str(gina.pk)
    assert (gina.get_full_name(), gina.email) == ("Gina Grant", GINA)
    assert (gina.role, gina.standing) == (Role.CUSTOMER, Standing.ACTIVE)
    assert not gina.has_usable_password()
    assert list(gina.emailaddress_set.values_list("email", "verified")) == [(GINA, True)]
    assert [event.kind for event in gina.account_events.all()] == ["google_connected"]


def test_somebody_new_is_asked_for_consent(client, google):
    come_in(client, google)

    assert client.get("/tickets/").headers["Location"] == reverse("account_consent")


def test_the_next_time_it_is_the_same_person(client, google):
    come_in(client, google)
    other = Client()

    come_in(other, google)

    assert signed_in_id(other) == str(User.objects.get().pk)


@pytest.mark.parametrize("claim", ["role", "is_superuser", "standing", "is_staff", "hd"])
def test_a_role_never_comes_from_outside(client, google, claim):
    google.claims = {claim: "admin"}

    come_in(client, google, role="admin", process="login")

    gina = User.objects.get()
    assert (gina.role, gina.is_superuser) == (Role.CUSTOMER, False)


@pytest.mark.parametrize("name", ["x" * 500, "Gi\u202ena\n", "", None, "தமிழ்"])
def test_a_name_from_google_is_cut_and_cleaned(client, google, name):
    google.person["given_name"] = name

    come_in(client, google)

    words = User.objects.get().first_name
    assert words == {"x" * 500: "x" * 150, "Gi\u202ena\n": "Gina", None: ""}.get(name, name)


def test_only_what_is_shown_is_kept_of_googles_answer(client, google):
    """P16, and no token that could be used at Google."""
    google.claims = {"picture": "https://example.org/gina.jpg", "locale": "pt"}
    come_in(client, google)
    come_in(Client(), google)

    assert SocialAccount.objects.get().extra_data == {"email": GINA}
    assert not SocialToken.objects.exists()


def test_the_unclaimed_are_claimed_by_what_google_verified(client, google, kettles, ada):
    """SEC-C12: Google proves the mailbox as well as a code does."""
    una = make_user("Una", email=GINA, standing=Standing.UNCLAIMED)
    ticket = make_ticket(una, category=kettles, by=ada)

    come_in(client, google)

    una.refresh_from_db()
    assert signed_in_id(client) == str(una.pk)
    assert (una.first_name, una.standing) == ("Gina", Standing.ACTIVE)
    assert list(Ticket.objects.visible_to(una)) == [ticket]


# --- Who is known already -------------------------------------------------------


@pytest.mark.parametrize("make", [make_user, make_agent, make_admin])
def test_an_account_whose_address_both_verified_is_connected(client, google, mails, make):
    """D0-2: every role. The owner hears of it."""
    gina = make("Gina", email=GINA)

    come_in(client, google)

    assert signed_in_id(client) == str(gina.pk)
    assert SocialAccount.objects.get().user == gina
    gina.refresh_from_db()
    assert gina.check_password(PASSWORD)
    assert [(mail.kind, mail.email) for mail in mails] == [("account_connected", GINA)]
    assert AccountEvent.objects.get().kind == "google_connected"


def test_an_account_whose_address_we_did_not_verify_is_not_connected(client, google, mails):
    """In a closed network somebody may have signed up with another's address."""
    gina = make_user("Mallory", email=GINA)
    EmailAddress.objects.update(verified=False)

    response = come_in(client, google)

    assert is_refused(client, response)
    assert signed_in_id(client) is None
    assert not SocialAccount.objects.exists()
    gina.refresh_from_db()
    assert gina.check_password(PASSWORD)
    assert mails == []


@pytest.mark.parametrize("is_known", [True, False])
def test_an_address_that_google_did_not_verify_is_refused(client, google, is_known):
    if is_known:
        make_user("Gina", email=GINA)
    google.person["email_verified"] = False

    response = come_in(client, google)

    assert is_refused(client, response)
    assert User.objects.count() == is_known
    assert not SocialAccount.objects.exists()


def test_an_address_that_changed_at_google_changes_nothing_here(client, google, alice):
    """The account is found by Google's number, which never changes."""
    gina = make_user("Gina", email=GINA)
    connect(gina)
    google.person["email"] = alice.email

    come_in(client, google)

    assert signed_in_id(client) == str(gina.pk)
    gina.refresh_from_db()
    assert gina.email == GINA
    assert list(gina.emailaddress_set.values_list("email", flat=True)) == [GINA]


def test_somebody_else_with_the_old_address_is_not_them(client, google):
    """The address was given to another person at Google: another number, and not our Gina."""
    connect(make_user("Gina", email="gina.new@example.org"))
    google.person["sub"] = "2002"

    come_in(client, google)

    assert User.objects.get(email=GINA).pk == int(signed_in_id(client))
    assert User.objects.count() == 2


@pytest.mark.parametrize("is_connected", [True, False])
@pytest.mark.parametrize("standing", [Standing.DECLINED, Standing.SUSPENDED, "deleted"])
def test_who_is_shut_out_stays_out(client, google, standing, is_connected):
    """SEC-C7: the same words as for everybody who is refused."""
    gina = make_user("Gina", email=GINA)
    if is_connected:
        connect(gina)
    shut = {"deleted_at": timezone.now()} if standing == "deleted" else {"standing": standing}
    User.objects.update(**shut)

    response = come_in(client, google)

    assert is_refused(client, response)
    assert signed_in_id(client) is None
    assert SocialAccount.objects.count() == is_connected
    assert list(LoginRecord.objects.values_list("user", "kind", "method")) == [
        (gina.pk, "refused", "google")
    ]


def test_who_waits_for_approval_goes_on_waiting(client, google):
    pete = make_agent("Gina", email=GINA, standing=Standing.PENDING)

    response = come_in(client, google)

    assert response.headers["Location"] == reverse("account_waiting")
    pete.refresh_from_db()
    assert pete.standing == Standing.PENDING


@pytest.mark.plan("SEC-C1")
def test_every_refusal_is_the_same(client, google):
    pages = []
    for standing in (Standing.SUSPENDED, Standing.DECLINED):
        User.objects.all().delete()
        make_user("Gina", email=GINA, standing=standing)
        browser = Client()
        response = come_in(browser, google)
        page = browser.get(response.headers["Location"])
        pages.append((response.status_code, REFUSAL in page.text))

    assert pages == [(302, True)] * 2


@pytest.mark.plan("SEC-C17")
def test_google_is_only_the_first_factor(client, google):
    gina = make_agent("Gina", email=GINA)
    TOTP.activate(gina, generate_totp_secret())

    response = come_in(client, google)

    assert response.headers["Location"] == reverse("mfa_authenticate")
    assert signed_in_id(client) is None


# --- Without configuration ------------------------------------------------------


@pytest.mark.parametrize(("client_id", "secret"), [("", ""), ("an-id", ""), ("", "a-secret")])
def test_without_both_settings_there_is_no_google(
    login, alice, client, settings, client_id, secret
):
    settings.GOOGLE_CLIENT_ID, settings.GOOGLE_CLIENT_SECRET = client_id, secret
    stranger = Client()

    assert stranger.post(reverse("google_login")).status_code == 404
    assert stranger.get(reverse("google_callback")).status_code == 404
    for page in ("account_login", "account_signup"):
        assert "Google" not in stranger.get(reverse(page)).text
    assert login(alice).get(reverse("account_google")).status_code == 404
    assert "Google" not in client.get(reverse("account_security")).text


def test_with_both_it_is_offered_at_both_doors(client, google):
    for page in ("account_login", "account_signup"):
        response = client.get(reverse(page), {"next": "/tickets/new/"})

        assert f'action="{reverse("google_login")}"' in response.text
        assert 'name="next" value="/tickets/new/"' in response.text


def test_a_link_alone_does_not_start_a_sign_in(client, google):
    """SEC-B14: it takes the button."""
    assert client.get(reverse("google_login")).status_code == 405
    assert Client(enforce_csrf_checks=True).post(reverse("google_login")).status_code == 403


def policy(**environment) -> list[str]:
    """What a browser is told about forms, in a process of its own, as settings are read once."""
    words = "from careregistry import settings; print(settings.CONTENT_SECURITY_POLICY)"
    answer = subprocess.run(
        [sys.executable, "-c", words],
        env=os.environ | environment,
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return ast.literal_eval(answer.stdout)["DIRECTIVES"]["form-action"]


def test_forms_may_lead_to_google_only_where_it_is_configured():
    """Browsers apply form-action to where a form's answer leads."""
    assert policy(GOOGLE_CLIENT_ID="") == ["'self'"]
    assert policy(GOOGLE_CLIENT_ID="an-id") == ["'self'", "https://accounts.google.com"]
