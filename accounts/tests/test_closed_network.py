"""No proof of an address is asked for where everybody in the network is trusted."""

import pytest
from allauth.account.models import EmailAddress
from django.urls import reverse

from accounts import signups
from accounts.models import Standing, User

from .doors import CODE_PAGE, code_in, sign_in, sign_up, signed_in_id, type_code, wishes
from .factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def closed_network(settings):
    settings.ACCOUNT_CONFIRMATION = "none"


def test_a_closed_network_lets_in_at_once(client, mails, closed_network):
    """D0-3"""
    response = sign_up(client)

    john = User.objects.get()
    assert response.headers["Location"] == reverse("tickets:list")
    assert (john.standing, signed_in_id(client)) == (Standing.ACTIVE, str(john.pk))
    assert mails == []
    assert not EmailAddress.objects.get().verified  # nobody proved it


def test_a_closed_network_lets_in_again(client, closed_network):
    sign_up(client)
    client.post(reverse("account_logout"))

    sign_in(client, "john@example.org")

    assert signed_in_id(client) is not None


def test_a_closed_network_says_that_an_address_is_taken(client, mails, alice, closed_network):
    """It tells which addresses exist: that is why it is for closed networks."""
    response = sign_up(client, email=alice.email)

    assert response.context["form"].errors == {
        "email": ["This address has an account already. Sign in instead"]
    }
    assert User.objects.get().check_password(PASSWORD)


@pytest.mark.plan("SEC-C12")
def test_a_closed_network_still_asks_for_proof_of_an_address_with_tickets(
    client, mails, closed_network
):
    una = make_user("Una", email="una@example.org", standing=Standing.UNCLAIMED)

    response = sign_up(client, email=una.email)

    assert response.headers["Location"] == reverse(CODE_PAGE)
    una.refresh_from_db()
    assert una.standing == Standing.UNCLAIMED
    with pytest.raises(signups.Taken):
        signups.join_unproved(**wishes(email=una.email))
    type_code(client, code_in(mails[0]))
    assert signed_in_id(client) == str(una.pk)
