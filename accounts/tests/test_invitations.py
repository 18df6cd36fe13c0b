"""An administrator invites somebody: one mail, one link, for some days (D0-10, D1-3)."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import invitations
from accounts.invitations import InvitationRefused
from accounts.models import Invitation, Role, Standing, User
from accounts.tests.doors import sign_in, signed_in_id
from accounts.tests.factories import PASSWORD, make_admin, make_user
from notifications.mail import outbox
from notifications.models import OutgoingMail

from .inviting import IDA, invite, is_gone, link_in

pytestmark = pytest.mark.django_db


LIST = reverse("admin:accounts_invitation_changelist")
ADD = reverse("admin:accounts_invitation_add")


def page(invitation, verb):
    return reverse(f"admin:accounts_invitation_{verb}", args=[invitation.pk])


# --- Inviting ---------------------------------------------------------------------


@pytest.mark.plan("SEC-C14")
def test_inviting_sends_one_mail_with_a_link_and_no_password(login, ada, mails):
    answer = login(ada).post(ADD, IDA | {"email": "Ida@Example.org"})

    (mail,) = mails
    ida = Invitation.objects.get()
    assert answer.url == LIST
    assert (ida.email, ida.role, ida.invited_by) == ("ida@example.org", "agent", ada)
    assert (mail.email, mail.user, mail.html) == ("ida@example.org", None, "")
    assert "Hello Ida, Ada Adler invites you" in mail.text
    assert "password" not in mail.text.replace("Choose your password", "")
    assert mail.expires_at == ida.expires_at
    entry = LogEntry.objects.get()
    assert (entry.user, entry.action_flag, entry.object_id) == (ada, 1, str(ida.pk))
    assert not User.objects.filter(email="ida@example.org").exists()


@pytest.mark.plan("P9")
def test_the_token_stays_nowhere(ada, mails, capsys, caplog, mailoutbox):
    """Only its hash is in the database once the mail is sent, and no log holds it."""
    invite(ada)
    token = link_in(mails[0]).split("/")[-2]
    assert len(token) >= 22  # 128 bits as base64

    outbox.drain()

    kept = str(list(Invitation.objects.values_list()) + list(OutgoingMail.objects.values_list()))
    assert token in mailoutbox[0].body
    assert token not in kept
    assert invitations.hash_of(token) in kept
    assert token not in caplog.text + "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("email", "", "Enter an email address"),
        ("email", "ida", "Invalid email"),
        ("email", "BOB@example.org", "Somebody has this address already"),
        ("email", "olaf@example.org", "There is an open invitation to this address already"),
        ("first_name", "", "Enter a first name"),
        ("first_name", "I\nda", "Remove the invisible characters"),
        ("first_name", "i" * 151, "Use 150 characters or less"),
        ("role", "admin", "You can’t invite to this role"),
        ("role", "customer", "You can’t invite to this role"),
    ],
)
def test_a_wrong_entry_is_named_and_what_was_typed_is_kept(
    login, ada, bob, mails, field, value, error
):
    """D0-24. Who may invite may see people, so an address that is taken is said to be."""
    invite(ada, email="olaf@example.org")
    mails.clear()

    answer = login(ada).post(ADD, IDA | {field: value})

    assert answer.context["form"].errors == {field: [error]}
    assert 'value="Iles"' in answer.text
    assert Invitation.objects.count() == 1
    assert mails == []


def test_any_account_has_the_address(ada):
    """Whatever became of it: an address has one account."""
    for standing in Standing:
        person = make_user(standing=standing)
        with pytest.raises(InvitationRefused):
            invite(ada, email=person.email)


@pytest.mark.plan("SEC-A8")
def test_only_a_superuser_invites_an_administrator(login, ada, mails):
    root = make_admin("Root", is_superuser=True)
    with pytest.raises(PermissionDenied):
        invite(ada, role="admin")

    login(root).post(ADD, IDA | {"role": "admin", "is_superuser": "on"})

    invitation = Invitation.objects.get()
    person = invitations.accept(invitation, first_name="I", last_name="", password=PASSWORD)
    assert (person.role, person.is_superuser) == (Role.ADMIN, False)


@pytest.mark.plan("SEC-A8")
@pytest.mark.plan("SEC-A11")
@pytest.mark.parametrize("who", ["alice", "bob", "pete"])
def test_nobody_else_invites(request, login, ada, who, mails):
    invitation = invite(ada)
    mails.clear()
    browser = login(request.getfixturevalue(who))

    answers = [
        browser.get(LIST),
        browser.get(ADD),
        browser.get(ADD, {"_popup": "1"}),
        browser.post(ADD, IDA | {"email": "x@example.org"}),
        browser.post(reverse("admin:accounts_invitation_import")),
        browser.get(page(invitation, "change")),
        browser.get(page(invitation, "history")),
        browser.post(page(invitation, "resend")),
        browser.post(page(invitation, "revoke")),
    ]

    assert {answer.status_code for answer in answers} == {403}
    assert Invitation.objects.open().get() == invitation
    assert mails == []


def test_the_second_of_two_clicks_invites_nobody(ada, mails, monkeypatch):
    """Both have looked before either wrote."""
    invite(ada)
    monkeypatch.setattr(invitations, "refusal_to_invite", lambda email: "")

    with pytest.raises(InvitationRefused):
        invite(ada)

    assert len(mails) == 1


# --- What becomes of it -----------------------------------------------------------


def test_it_is_open_for_seven_days(client, ada, mails, settings):
    invite(ada)
    link = link_in(mails[0])

    assert settings.INVITATION_DAYS == 7
    with time_machine.travel(timezone.now() + timedelta(days=6, hours=23), tick=False):
        assert client.get(link).status_code == 302
    with time_machine.travel(timezone.now() + timedelta(days=7, minutes=1), tick=False):
        assert is_gone(client.get(link))
        invite(ada)  # what ran out stands in nobody's way
    assert len(mails) == 2


def test_sending_again_asks_first_and_makes_a_new_link(login, client, ada, mails):
    invitation = invite(ada)
    console = login(ada)

    assert "The one they have stops working." in console.get(page(invitation, "resend")).text
    assert len(mails) == 1
    console.post(page(invitation, "resend"))

    old, new = map(link_in, mails)
    assert is_gone(Client().get(old))
    assert Client().get(new).status_code == 302
    assert LogEntry.objects.get().change_message == "Sent again."


def test_taking_back_asks_first(login, ada, mails):
    invitation = invite(ada)
    console = login(ada)

    assert "Take back the invitation" in console.get(page(invitation, "revoke")).text
    assert Invitation.objects.open().exists()
    console.post(page(invitation, "revoke"))

    assert not Invitation.objects.open().exists()
    assert LogEntry.objects.get().change_message == "Taken back."
    assert console.get(page(invitation, "change")).context["verbs"] == []


@pytest.mark.parametrize("verb", ["resend", "revoke"])
def test_what_was_accepted_stays(login, ada, mails, verb):
    invitation = invite(ada)
    invitations.accept(invitation, first_name="Ida", last_name="", password=PASSWORD)
    mails.clear()

    told = login(ada).post(page(invitation, verb), follow=True).text

    invitation.refresh_from_db()
    assert "Somebody has this address" in told or "used or taken back" in told
    assert (invitation.revoked_at, mails) == (None, [])
    assert not LogEntry.objects.exists()


@pytest.mark.plan("SEC-A8")
@pytest.mark.parametrize("verb", ["resend", "revoke"])
def test_invitations_of_administrators_are_for_superusers(login, ada, mails, verb):
    root = make_admin("Root", is_superuser=True)
    invitation = invite(root, role="admin")

    refused = login(ada).post(page(invitation, verb)).status_code
    done = login(root).post(page(invitation, verb)).status_code

    assert (refused, done) == (403, 302)


@pytest.mark.plan("SEC-A11")
def test_no_page_of_the_console_shows_the_token_or_its_hash(login, ada, mails):
    invitation = invite(ada)
    token = link_in(mails[0]).split("/")[-2]
    console = login(ada)
    console.post(page(invitation, "resend"))
    invitation.refresh_from_db()

    pages = [
        LIST,
        page(invitation, "change"),
        page(invitation, "history"),
        page(invitation, "resend"),
    ]

    for url in pages:
        text = console.get(url).text
        assert "ida@example.org" in text
        assert token not in text
        assert invitation.token_hash not in text
    spelled = console.get(LIST, {"token_hash__startswith": invitation.token_hash[0]})
    assert spelled.status_code in (302, 400)


@pytest.mark.parametrize(
    ("state", "emails"),
    [
        ("open", ["open@example.org"]),
        ("accepted", ["accepted@example.org"]),
        ("over", ["over@example.org"]),
        ("revoked", ["revoked@example.org"]),
    ],
)
def test_the_list_by_state(login, ada, state, emails):
    made = {
        name: invite(ada, email=f"{name}@example.org")
        for name in ("open", "accepted", "over", "revoked")
    }
    invitations.accept(made["accepted"], first_name="A", last_name="", password=PASSWORD)
    invitations.revoke(made["revoked"], by=ada)
    Invitation.objects.filter(pk=made["over"].pk).update(expires_at=timezone.now())

    answer = login(ada).get(LIST, {"state": state})

    assert [each.email for each in answer.context["cl"].result_list] == emails


def test_the_list_costs_the_same_with_more_invitations(login, ada, django_assert_num_queries):
    console = login(ada)
    invite(ada)
    console.get(LIST)
    with django_assert_num_queries(5):
        console.get(LIST)
    invite(make_admin(), email="x@example.org")
    invite(make_admin(), email="y@example.org")

    with django_assert_num_queries(5):
        console.get(LIST)


def test_the_invited_sign_in_later(ada):
    person = invitations.accept(
        invite(ada), first_name="Ida", last_name="", password="four quite small words"
    )
    browser = Client()

    sign_in(browser, "ida@example.org", "four quite small words")

    assert signed_in_id(browser) == str(person.pk)
