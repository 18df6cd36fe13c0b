"""The link of an invitation: followed, accepted once, or dead (D0-10, D1-3)."""

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import consents, invitations, people
from accounts.models import Invitation, Role, User
from accounts.tests.doors import signed_in_id
from accounts.tests.factories import PASSWORD, make_admin, make_user

from .inviting import invite, is_gone, link_in, words_of

pytestmark = pytest.mark.django_db
ACCEPT = reverse("account_accept_invitation")
ANSWER = {
    "first_name": "Ida",
    "last_name": "Iles-Jones",
    "password1": PASSWORD,
    "password2": PASSWORD,
    "agree": "on",
}


@pytest.mark.plan("SEC-C14")
@pytest.mark.plan("SEC-H6")
def test_the_link_makes_an_account_that_is_let_in_at_once(client, ada, mails):
    """Names prefilled, a password of one's own, the address proven by the link, signed in."""
    invitation = invite(ada)

    form = client.get(link_in(mails[0]), follow=True)
    assert form.redirect_chain == [(ACCEPT, 302)]
    assert 'value="Iles"' in form.text
    assert "Ada Adler invited you as agent." in form.text
    answer = client.post(ACCEPT, ANSWER)

    ida = User.objects.get(email="ida@example.org")
    assert answer.url == reverse("tickets:workspace")
    assert signed_in_id(client) == str(ida.pk)
    assert (ida.role, ida.standing, ida.last_name) == ("agent", "active", "Iles-Jones")
    assert not ida.must_change_password
    assert ida.check_password(PASSWORD)
    assert EmailAddress.objects.filter(user=ida, verified=True, primary=True).exists()
    invitation.refresh_from_db()
    assert (invitation.accepted_by, invitation.accepted_at is not None) == (ida, True)
    event = ida.account_events.get(kind="invited")
    assert (event.by, event.data) == (ada, {"invitation": invitation.pk})
    assert consents.missing(ida) == []


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("first_name", "", "Enter your first name"),
        ("password1", "short", "Passwords must be at least 8 characters long!"),
        ("password2", "three other words", "Passwords do not match!"),
        ("agree", "", "Agree to the terms and to how your data are used"),
    ],
)
def test_a_wrong_answer_is_named_and_the_link_still_works(client, ada, mails, field, value, error):
    """D1-T1, D1-T4 for the invited."""
    invite(ada)
    client.get(link_in(mails[0]))

    answer = client.post(ACCEPT, ANSWER | {field: value})

    assert error in answer.context["form"].errors[field]
    assert PASSWORD not in answer.text
    assert not User.objects.filter(email="ida@example.org").exists()
    assert client.post(ACCEPT, ANSWER).status_code == 302


@pytest.mark.plan("SEC-A7")
@pytest.mark.plan("SEC-A8")
def test_what_else_is_sent_changes_nothing(client, ada, mails):
    invite(ada)
    client.get(link_in(mails[0]))

    client.post(
        ACCEPT,
        ANSWER
        | {"email": "evil@example.org", "role": "admin", "is_superuser": "on", "standing": "x"},
    )

    ida = User.objects.get(email="ida@example.org")
    assert (ida.role, ida.standing, ida.is_superuser) == ("agent", "active", False)
    assert not User.objects.filter(email="evil@example.org").exists()


@pytest.mark.plan("P9")
@pytest.mark.plan("SEC-C14")
def test_the_link_works_once(client, ada, mails):
    """A mail scanner that looks at it uses nothing up; the person does."""
    invite(ada)
    link = link_in(mails[0])
    Client().head(link)
    Client().get(link)
    late = Client()
    late.get(link)

    client.get(link)
    client.post(ACCEPT, ANSWER)

    assert is_gone(Client().get(link))
    assert is_gone(late.get(ACCEPT))
    assert is_gone(late.post(ACCEPT, ANSWER))
    assert is_gone(client.get(ACCEPT))
    assert User.objects.filter(email="ida@example.org").count() == 1


def run_out(invitation, ada):
    Invitation.objects.update(expires_at=timezone.now())


def take_back(invitation, ada):
    invitations.revoke(invitation, by=ada)


def send_again(invitation, ada):
    invitations.send_again(invitation, by=ada)


def sign_up_meanwhile(invitation, ada):
    make_user(email=invitation.email)


def dismiss_who_invited(invitation, ada):
    people.bin_user(ada, by=make_admin("Root", is_superuser=True))


def demote_who_invited(invitation, ada):
    people.change_role(ada, Role.AGENT, by=make_admin("Root", is_superuser=True))


@pytest.mark.plan("P7")
@pytest.mark.plan("P9")
@pytest.mark.parametrize(
    "happens",
    [
        run_out, take_back, send_again, sign_up_meanwhile, dismiss_who_invited, demote_who_invited,
    ],
)  # fmt: skip
def test_a_dead_link_says_nothing(client, ada, mails, happens):
    """Before it was opened, and after: one page, the same for all."""
    invitation = invite(ada)
    link = link_in(mails[0])
    client.get(link)
    people_before = User.objects.filter(email="ida@example.org").count()

    happens(invitation, ada)

    answers = [client.post(ACCEPT, ANSWER)]
    if happens is not sign_up_meanwhile:
        answers += [Client().get(link), client.get(ACCEPT)]
    garbled = Client().get(reverse("account_invitation", args=["garbled"]))
    assert is_gone(garbled)
    assert {words_of(answer) for answer in answers} == {words_of(garbled)}
    assert {answer.status_code for answer in answers} == {404}
    made = User.objects.filter(email="ida@example.org").count() - people_before
    assert made == (happens is sign_up_meanwhile)


def test_an_administrator_s_invitation_is_worth_what_the_sender_still_may(client, mails):
    """A superuser who is an administrator only by now let nobody become one."""
    root = make_admin("Root", is_superuser=True)
    invite(root, role="admin")
    User.objects.filter(pk=root.pk).update(is_superuser=False)

    assert is_gone(client.get(link_in(mails[0])))


def test_somebody_else_s_browser(login, ada, alice, mails):
    """Accepting signs the invited in, and the other one out."""
    invite(ada)
    browser = login(alice)
    browser.get(link_in(mails[0]))

    browser.post(ACCEPT, ANSWER)

    assert signed_in_id(browser) == str(User.objects.get(email="ida@example.org").pk)
