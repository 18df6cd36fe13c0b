"""Whoever was declined can't sign in. The link in the mail lets them ask once more."""

from datetime import timedelta
from functools import partial

import pytest
import time_machine
from django.core.signing import Signer
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import actions, applications
from accounts.models import AccountEvent, Application, Role, Standing, User
from accounts.tests.factories import PASSWORD, make_application, make_user
from notifications.mail import outbox
from tickets.tests.racing import race

pytestmark = pytest.mark.django_db

WHY = {"why": "I learned a lot since."}
USED = "This link has been used, or is no longer valid."
DECLINED = Application.Decision.DECLINED


@pytest.fixture(autouse=True)
def thirty_days(settings):
    settings.REAPPLY_DAYS = 30


@pytest.fixture
def declined(ada):
    """Ines was declined today."""
    application = make_application()
    actions.decide(application, DECLINED, by=ada, reason="Not this year.")
    return application


@pytest.fixture
def link(declined):
    return applications.path_to_apply_again(declined)


def in_days(days):
    return time_machine.travel(timezone.now() + timedelta(days=days), tick=False)


def standing_of(application):
    return User.objects.get(pk=application.applicant_id).standing


@pytest.mark.plan("SEC-C13")
def test_the_link_begins_a_new_request(client, ada, declined, link):
    with in_days(30):
        assert "Why do you want to work here?" in client.get(link).text
        answer = client.post(link, WHY)

    new = Application.objects.pending().get()
    assert answer.headers["Location"] == reverse("account_login")
    assert (new.applicant, new.role, new.why) == (declined.applicant, Role.AGENT, WHY["why"])
    assert standing_of(declined) == Standing.PENDING
    kinds = AccountEvent.objects.filter(user=new.applicant).order_by("pk")
    assert list(kinds.values_list("kind", flat=True)) == ["declined", "applied"]


def test_then_they_sign_in_and_wait(client, declined, link):
    """SEC-C13: the declined may not sign in; who asks again waits like the first time."""
    door = {"login": declined.applicant.email, "password": PASSWORD}
    client.post(reverse("account_login"), door)
    assert "_auth_user_id" not in client.session

    with in_days(30):
        client.post(link, WHY)
        answer = client.post(reverse("account_login"), door, follow=True)

    assert answer.redirect_chain[-1][0] == reverse("account_waiting")
    assert WHY["why"] in answer.text


def test_before_its_time_it_says_from_when(client, declined, link):
    again_at = timezone.localtime(declined.decided_at + timedelta(days=30))
    words = f"You can ask again from {again_at:%-d %B %Y} on."

    with in_days(29.9):
        assert words in client.get(link).text
        assert words in client.post(link, WHY).text

    assert standing_of(declined) == Standing.DECLINED
    assert not Application.objects.pending().exists()


def test_what_expired_may_be_asked_again_at_once(client):
    application = make_application(created_at=timezone.now() - timedelta(days=40))
    applications.expire()
    application.refresh_from_db()

    client.post(applications.path_to_apply_again(application), WHY)

    assert standing_of(application) == Standing.PENDING


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_changes_nothing(client, declined, link, method):
    """Scanners of mail follow every link."""
    with in_days(31):
        assert getattr(client, method)(link).status_code == 200

    assert standing_of(declined) == Standing.DECLINED
    assert not Application.objects.pending().exists()


@pytest.mark.parametrize("why", ["", "w" * 2001])
def test_the_words_are_needed_and_kept(client, declined, link, why):
    with in_days(31):
        answer = client.post(link, {"why": why})

    assert answer.context["form"].errors["why"]
    assert answer.context["form"]["why"].value() == why
    assert standing_of(declined) == Standing.DECLINED


def test_it_works_once(client, ada, declined, link):
    """Not while they wait, and not after a second refusal: that brings a link of its own."""
    with in_days(31):
        client.post(link, WHY)
        assert USED in client.get(link).text
        assert USED in client.post(link, WHY).text

        second = Application.objects.pending().get()
        actions.decide(second, DECLINED, by=User.objects.get(pk=ada.pk))
        assert USED in client.post(link, WHY).text
        newer = applications.path_to_apply_again(second)
        assert "You can ask again from" in client.post(newer, WHY).text

    assert Application.objects.filter(applicant=declined.applicant).count() == 2


@pytest.mark.plan("SEC-C7")
@pytest.mark.parametrize(
    "changes",
    [
        {"standing": Standing.SUSPENDED},
        {"standing": Standing.ERASED},
        {"standing": Standing.ACTIVE},
        {"deleted_at": timezone.now()},
    ],
)
def test_it_opens_nothing_for_an_account_that_has_changed(client, declined, link, changes):
    User.objects.filter(pk=declined.applicant_id).update(**changes)

    with in_days(31):
        assert USED in client.get(link).text
        assert USED in client.post(link, WHY).text

    assert not Application.objects.pending().exists()


def test_it_does_not_work_for_ever(client, declined, link):
    """P9: tokens expire."""
    with in_days(30 + 364):
        assert USED not in client.get(link).text
    with in_days(30 + 366):
        assert USED in client.post(link, WHY).text

    assert standing_of(declined) == Standing.DECLINED


@pytest.mark.plan("SEC-C13")
def test_only_our_signature_counts(client, declined, link):
    """P9: bound to one request and to this purpose."""
    other = make_application("Wole", decision="expired", decided_at=timezone.now())
    signature = link.rstrip("/").rpartition(":")[2]
    forged = [
        str(declined.pk),
        f"{declined.pk}:{signature[:-1]}",
        f"{other.pk}:{signature}",
        Signer(salt="something else").sign(str(declined.pk)),
        Signer(salt="accounts.apply-again").sign("999999"),
    ]

    with in_days(31):
        for signed in forged:
            address = reverse("account_apply_again", args=[signed])
            assert client.post(address, WHY).status_code == 404
        assert client.get(link).status_code == 200

    assert len(signature) >= 43  # 256 bits
    assert not Application.objects.pending().exists()


def test_the_link_is_kept_nowhere_but_in_the_mail(client, declined, link):
    """Not cached, and given to no other site."""
    answer = client.get(link)

    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["Referrer-Policy"] == "same-origin"


@pytest.mark.django_db(transaction=True)
def test_many_at_once_make_one_request(ada):
    """one_open_application_each, on both databases."""
    for _round in range(3):
        application = make_application(
            applicant=make_user("Ines", role=Role.AGENT, standing=Standing.DECLINED),
            decision="expired",
            decided_at=timezone.now(),
        )
        link = applications.path_to_apply_again(application)

        answers = race(*(partial(Client().post, link, WHY) for _click in range(4)))

        assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 302]
        assert standing_of(application) == Standing.PENDING
        assert Application.objects.pending().filter(applicant=application.applicant).count() == 1


# --- The mail -------------------------------------------------------------------------


def test_the_mail_holds_the_reason_the_day_and_the_link(declined, mailoutbox_of, link):
    mail = mailoutbox_of(declined.applicant)

    again_at = timezone.localtime(declined.again_at)
    assert "Not this year." in mail
    assert f"You can ask again from {again_at:%-d %B %Y} on, with the link below." in mail
    assert f"Ask again:\nhttp://localhost:8000{link}" in mail


def test_the_mail_of_an_expired_request(mailoutbox_of):
    application = make_application(created_at=timezone.now() - timedelta(days=40))
    applications.expire()
    application.refresh_from_db()

    mail = mailoutbox_of(application.applicant)

    assert "Nobody decided on your request for an account as agent" in mail
    assert f"http://localhost:8000{applications.path_to_apply_again(application)}" in mail


def test_a_customers_mail_leads_to_their_own_page(alice, ada, mailoutbox_of):
    application = applications.join(alice, why="I like kettles.")
    actions.decide(application, DECLINED, by=ada)

    mail = mailoutbox_of(alice)

    assert f"Ask again:\nhttp://localhost:8000{reverse('account_apply')}" in mail


@pytest.fixture
def mailoutbox_of(mailoutbox, settings):
    """The words of the one mail somebody got."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

    def words_for(person) -> str:
        outbox.drain()
        (mail,) = (mail for mail in mailoutbox if mail.to == [person.email])
        return f"{mail.subject}\n{mail.body}"

    return words_for
