"""What people choose to hear, by which ways and when."""

from datetime import time

import pytest
from django.urls import reverse

from accounts.models import Application, Role
from accounts.signals import application_received
from accounts.tests.factories import make_user
from messaging.actions import post_message
from notifications import preferences
from notifications.mail import outbox
from notifications.mail.unsubscribing import path_to_stop
from notifications.models import Channel, Notification, OutgoingMail, Preference, Reaching
from notifications.preferences import Mail, Wishes
from tickets import actions
from tickets.tests.factories import make_ticket
from tickets.tests.reading import text
from tickets.workflow import ResolutionKind, Status

pytestmark = pytest.mark.django_db

Kind = Notification.Kind
PAGE = reverse("notifications:preferences")


@pytest.fixture(autouse=True)
def only_mail(settings):
    """Neither push nor SMS is set up, unless a test does it."""
    settings.PUSH_KEY = settings.SMS_URL = ""


def mails_chosen(client):
    """By their words: how somebody is mailed of each choice."""
    form = client.get(PAGE).context["form"]
    return {str(row.words): row.mail.value() for row in form.rows()}


def person_of(client):
    return client.get(PAGE).context["user"]


def choose(client, mail, **more):
    """All the same way."""
    offered = preferences.choices_for(person_of(client).role)
    sent = {f"{choice.name}_mail": mail for choice in offered}
    return client.post(PAGE, sent | {"digest_at": "08:00"} | more)


def untick_all(client):
    return choose(client, Mail.NEVER)


CUSTOMERS = {
    "An agent writes to me or changes the status",
    "An agent takes on a ticket I raised",
    "A ticket I raised waits for my answer, or closes soon",
    "A ticket I raised is closed",
    "A ticket of mine is merged with another, or I am added to one",
    "The cause of a ticket I raised is mended, or a concern of mine is answered",
}
AGENTS = {
    "A ticket is given to me",
    "A promise on a ticket of mine is at risk or was missed",
    "Somebody writes on a ticket of mine, or asks to be called",
    "Somebody changes the status of a ticket of mine, or its parts have ended",
    "A rule of the registry tells me of a ticket",
    "An agent takes on a ticket I raised",
    "A ticket I raised waits for my answer, or closes soon",
    "A ticket I raised is closed",
    "A ticket of mine is merged with another, or I am added to one",
    "The cause of a ticket I raised is mended, or a concern of mine is answered",
}
ADMINS = {
    "A ticket comes in that nobody has",
    "A ticket stays without an agent",
    "A promise was missed, or is at risk and nobody has the ticket",
    "Somebody asks for a role",
    "Somebody writes on a ticket of mine, or on one that nobody has",
    "Somebody changes the status of a ticket of mine, or its parts have ended",
    "A rule of the registry tells me of a ticket",
    "A webhook was switched off because it failed",
    "An agent takes on a ticket I raised",
    "A ticket I raised waits for my answer, or closes soon",
    "A ticket I raised is closed",
    "A ticket of mine is merged with another, or I am added to one",
    "The cause of a ticket I raised is mended, or a concern of mine is answered",
}


@pytest.mark.parametrize(
    ("name", "words"), [("alice", CUSTOMERS), ("bob", AGENTS), ("ada", ADMINS), ("pete", AGENTS)]
)
def test_everybody_is_offered_what_concerns_them_and_all_is_wanted_at_first(
    login, request, name, words
):
    person = request.getfixturevalue(name)
    assert mails_chosen(login(person)) == dict.fromkeys(words, "at_once")


@pytest.mark.parametrize("name", ["alice", "bob", "ada", "pete"])
def test_a_choice_is_kept_and_can_be_taken_back(login, request, name):
    person = request.getfixturevalue(name)
    client = login(person)

    for mail in (Mail.NEVER, Mail.DAILY, Mail.AT_ONCE):
        choose(client, mail)
        assert set(mails_chosen(client).values()) == {mail}


@pytest.mark.plan("SEC-A7")
def test_nobody_chooses_for_others_or_what_is_not_offered(login, alice, bob):
    choose(login(alice), Mail.NEVER, user=bob.pk, given_mail="daily", kind="resolved")

    kept = Preference.objects.values_list("user", "kind", "channel").distinct()
    kinds = {Kind.MESSAGE, Kind.STATUS_CHANGED, Kind.ASSIGNED, Kind.CLOSED, Kind.REMINDER}
    kinds |= {Kind.RATING_ANSWERED, Kind.CALL_LOGGED, Kind.MERGED, Kind.JOINED, Kind.MENDED}
    kinds |= {Kind.CONCERN_SETTLED}
    assert set(kept) == {(alice.pk, kind, "email") for kind in kinds}


def test_the_page_costs_five_queries(login, bob, django_assert_num_queries):
    """The session, the person, the hours, the choices and the bell."""
    client = login(bob)
    untick_all(client)
    client.get(PAGE)

    with django_assert_num_queries(5):
        client.get(PAGE)


# --- What comes of it -----------------------------------------------------------------


def mailed(person):
    """The kinds ``person`` was mailed about. All that was owed is settled afterwards."""
    outbox.drain()
    sent = Notification.objects.filter(recipient=person, mail__state="sent")
    return sorted(sent.values_list("kind", flat=True))


def dropped(person):
    rows = Notification.objects.filter(recipient=person, mail__state="dropped")
    return sorted(rows.values_list("kind", "mail__last_answer"))


WORDS = "The person chose not to be mailed about this."


def everything_about_a_ticket(alice, bob, ada, kettles):
    ticket = make_ticket(alice, category=kettles)
    actions.assign(ticket, to=bob, by=ada)
    post_message(ticket, by=bob, body="What is its number?")
    post_message(ticket, by=alice, body="4711")
    actions.change_status(
        ticket, Status.RESOLVED, by=bob, text="Replaced.", resolution=ResolutionKind.REPLACED
    )
    actions.change_status(ticket, Status.CLOSED, by=alice)


def test_all_mail_comes_when_nothing_was_chosen(alice, bob, ada, kettles):
    everything_about_a_ticket(alice, bob, ada, kettles)

    assert mailed(alice) == ["assigned", "closed", "message", "resolved", "ticket_raised"]
    assert mailed(bob) == ["assigned_to_you", "message", "status_changed"]
    assert mailed(ada) == []  # it had an agent before the worker came
    make_ticket(alice, category=kettles)
    assert mailed(ada) == ["ticket_unassigned"]


def test_what_is_not_wanted_is_not_mailed_and_what_must_be_is(login, alice, bob, ada, kettles):
    """D0-5, D4-5: that it arrived, and how it was resolved, the customer always hears."""
    for person in (alice, bob, ada):
        untick_all(login(person))

    everything_about_a_ticket(alice, bob, ada, kettles)

    assert mailed(alice) == ["resolved", "ticket_raised"]
    assert mailed(bob) == mailed(ada) == []
    assert dropped(alice) == [("assigned", WORDS), ("closed", WORDS), ("message", WORDS)]
    assert not OutgoingMail.objects.filter(state="owed").exists()


def test_a_choice_counts_for_mail_that_is_owed_already(login, alice, bob, ada, kettles):
    """It is asked when the mail would leave."""
    everything_about_a_ticket(alice, bob, ada, kettles)

    untick_all(login(alice))

    assert mailed(alice) == ["resolved", "ticket_raised"]


def test_a_choice_of_one_is_no_choice_of_others(login, alice, carol, bob, ada, kettles):
    untick_all(login(carol))

    everything_about_a_ticket(alice, bob, ada, kettles)

    assert "message" in mailed(alice)


def test_administrators_may_be_spared_role_requests(login, ada, pete):
    application = Application.objects.create(applicant=pete, role=Role.AGENT)
    application_received.send(sender=Application, application=application)
    untick_all(login(ada))

    assert mailed(ada) == []
    assert dropped(ada) == [("application_received", WORDS)]


# What can't be refused, by how people are told so.
TOLD = {
    "a ticket of yours has arrived": {Kind.TICKET_RAISED},
    "or is resolved": {Kind.RESOLVED},
    "a regulated complaint of yours takes a step": {Kind.STAGED},
    "something happens to your account": {
        Kind.WELCOME, Kind.APPLICATION_ACCEPTED, Kind.APPLICATION_DECLINED,
        Kind.APPLICATION_EXPIRED, Kind.SUSPENDED, Kind.REACTIVATED, Kind.ROLE_CHANGED,
        Kind.NEW_DEVICE, Kind.EXPORT_READY, Kind.ERASURE_ASKED, Kind.ERASURE_STOPPED,
    },
    "Administrators always hear at once when mails can’t be sent": {
        Kind.MAIL_STOPPED, Kind.MAIL_GIVEN_UP,
    },
}  # fmt: skip
ALWAYS = {kind for kinds in TOLD.values() for kind in kinds}


def test_what_cannot_be_refused_is_named(login, ada):
    """Where they choose, and where a link stops mails."""
    client = login(ada)

    for path in (PAGE, path_to_stop(ada, Kind.CLOSED)):
        page = text(client.get(path), "main")
        assert [words for words in TOLD if words not in page] == []


def test_only_administrators_read_of_mails_to_administrators(login, alice):
    assert "Administrators" not in text(login(alice).get(PAGE), "main")


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("kind", sorted(ALWAYS))
def test_mail_about_the_account_its_safety_and_the_outcome_cannot_be_refused(role, kind):
    assert not preferences.may_be_refused(kind, role)


def test_every_kind_can_be_refused_by_somebody_or_by_nobody():
    """A new kind needs a decision."""
    offered = {kind for choice in preferences.CHOICES for kind in choice.kinds}

    assert offered | ALWAYS == set(Kind)
    assert not offered & ALWAYS


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(
    "kind",
    [
        Kind.MESSAGE, Kind.STATUS_CHANGED, Kind.RATING_ANSWERED, Kind.CALL_LOGGED, Kind.ASSIGNED,
        Kind.REMINDER, Kind.CLOSED, Kind.JOINED, Kind.MERGED, Kind.MENDED, Kind.CONCERN_SETTLED,
    ],
)  # fmt: skip
def test_what_a_requester_hears_can_be_refused_in_any_role(role, kind):
    """Staff raise tickets as well, and who was a customer may be an agent now."""
    assert preferences.may_be_refused(kind, role)


def test_a_row_that_is_not_offered_silences_nothing(alice, bob, ada, kettles):
    """From before a role was changed, or written by hand."""
    for kind in Kind:
        Preference.objects.create(user=alice, kind=kind, is_wanted=False)

    everything_about_a_ticket(alice, bob, ada, kettles)

    assert mailed(alice) == ["resolved", "ticket_raised"]


@pytest.mark.parametrize("role", Role)
def test_no_kind_stands_in_two_boxes_of_a_role(role):
    kinds = [kind for choice in preferences.choices_for(role) for kind in choice.kinds]

    assert len(kinds) == len(set(kinds))


# --- By which ways, and when ----------------------------------------------------------


@pytest.fixture
def wish(login, alice):
    """What Alice chose about a message: by which ways she is told, and whether in the digest."""

    def asked():
        told = Notification(kind=Kind.MESSAGE, recipient=alice)
        wishes = Wishes([told])
        ways = {str(way) for way in Channel if wishes.wants(told, way)}
        return ways, wishes.is_daily(told)

    return asked


@pytest.mark.parametrize(
    ("mail", "wanted"),
    [
        (Mail.AT_ONCE, ({"email", "push"}, False)),
        (Mail.DAILY, ({"email", "push"}, True)),
        (Mail.NEVER, ({"push"}, False)),
    ],
)
def test_mail_comes_at_once_or_in_the_digest_or_not(login, alice, wish, mail, wanted):
    choose(login(alice), mail)

    assert wish() == wanted


def boxes_of(client):
    form = client.get(PAGE).context["form"]
    return [str(box.label) for box in form.rows()[0].boxes]


def test_push_can_be_chosen_where_it_is_set_up(login, alice, wish, settings):
    settings.PUSH_KEY = "1" * 64
    client = login(alice)
    assert boxes_of(client) == ["Push"]

    choose(client, Mail.AT_ONCE)
    assert wish() == ({"email"}, False)
    choose(client, Mail.AT_ONCE, news_push="on")
    assert wish() == ({"email", "push"}, False)


def test_sms_can_be_chosen_with_a_proved_number(login, alice, wish, settings):
    settings.SMS_URL = "file:"
    client = login(alice)
    assert boxes_of(client) == []
    choose(client, Mail.AT_ONCE, news_sms="on")
    assert wish() == ({"email", "push"}, False)

    Reaching.objects.update_or_create(user=alice, defaults={"sms_number": "+441134960000"})
    assert boxes_of(client) == ["SMS"]
    choose(client, Mail.AT_ONCE, news_sms="on")

    assert wish() == ({"email", "push", "sms"}, False)
    assert Reaching.objects.get(user=alice).sms_number == "+441134960000"


def test_a_way_that_is_not_offered_keeps_what_was_chosen(login, alice, wish, settings):
    settings.PUSH_KEY = "1" * 64
    choose(login(alice), Mail.AT_ONCE)
    settings.PUSH_KEY = ""

    choose(login(alice), Mail.DAILY)

    assert wish() == ({"email"}, True)


def test_the_hours_are_kept_and_shown_again(login, alice):
    client = login(alice)

    choose(client, Mail.AT_ONCE, quiet_from="22:00", quiet_until="07:00", digest_at="18:30")

    hours = Reaching.objects.get(user=alice)
    assert (hours.quiet_from, hours.quiet_until) == (time(22), time(7))
    assert hours.digest_at == time(18, 30)
    assert 'value="22:00"' in client.get(PAGE).text

    choose(client, Mail.AT_ONCE, quiet_from="", quiet_until="")
    assert Reaching.objects.get(user=alice).quiet_from is None


@pytest.mark.parametrize(
    ("typed", "field", "words"),
    [
        ({"quiet_from": "22:00"}, "quiet_until", "Enter when the quiet hours end"),
        ({"quiet_until": "07:00"}, "quiet_from", "Enter when the quiet hours begin"),
        (
            {"quiet_from": "07:00", "quiet_until": "07:00"},
            "quiet_until",
            "Enter another time than they begin at",
        ),
        ({"quiet_from": "late"}, "quiet_from", "Enter a time, like 09:00"),
        ({"digest_at": ""}, "digest_at", "Enter a time, like 08:00"),
        ({"news_mail": "hourly"}, "news_mail", "Choose how you are mailed"),
    ],
)
def test_what_makes_no_sense_is_refused_beside_its_field(login, alice, typed, field, words):
    """And what was typed stays, but nothing of it is kept."""
    answer = choose(login(alice), Mail.NEVER, **typed)

    assert (answer.status_code, answer.context["form"].errors) == (422, {field: [words]})
    assert f'id="id_{field}_error"' in answer.text
    assert set(answer.context["form"].data.items()) >= set(typed.items())
    assert not alice.notification_preferences.exists()
    assert not Reaching.objects.exists()


def test_the_page_says_whose_clock_counts(login, alice):
    alice.time_zone = "America/New_York"
    alice.save()

    assert "<strong>America/New York</strong>" in login(alice).get(PAGE).text


def test_the_page_says_what_quiet_hours_hold_back(login, alice):
    page = text(login(alice).get(PAGE), "main")

    assert "no mail, push or SMS comes but what can’t wait. The bell still counts." in page


def test_the_waiting_choose_too(login):
    """SEC-A4: it is theirs."""
    waiting = make_user("Wim", role=Role.AGENT, standing="pending")

    assert untick_all(login(waiting)).headers["Location"] == PAGE
    assert waiting.notification_preferences.filter(is_wanted=False).exists()


# --- A kind that joined a choice later --------------------------------------------------


def wished(person, kind):
    """By which ways ``person`` is told of ``kind``, and whether in the digest."""
    told = Notification(kind=kind, recipient=person)
    wishes = Wishes([told])
    return {str(way) for way in Channel if wishes.wants(told, way)}, wishes.is_daily(told)


@pytest.mark.parametrize("mail", Mail)
def test_what_a_release_adds_to_a_choice_goes_with_the_others(login, alice, mail):
    """The page shows one answer for all of them."""
    client = login(alice)
    choose(client, mail)
    Preference.objects.filter(kind=Kind.CALL_LOGGED).delete()

    assert preferences.chosen(alice)["news"].mail == mail
    assert wished(alice, Kind.CALL_LOGGED) == wished(alice, Kind.MESSAGE)
    assert mails_chosen(client)["An agent writes to me or changes the status"] == mail


def test_what_another_role_adds_to_a_choice_goes_with_the_others(login, alice):
    choose(login(alice), Mail.NEVER)

    alice.role = Role.AGENT

    chosen = preferences.chosen(alice)
    assert [chosen[name].mail for name in ("words", "moves", "given")] == [
        Mail.NEVER, Mail.NEVER, Mail.AT_ONCE,
    ]  # fmt: skip
    for kind in (Kind.CALL_ASKED, Kind.CHILDREN_DONE, Kind.SILENCED):
        assert wished(alice, kind) == ({"push"}, False)
    assert wished(alice, Kind.ASSIGNED_TO_YOU) == ({"email", "push"}, False)


def test_where_the_others_differ_it_is_what_keeps_back_the_most(bob):
    """Push and SMS likewise; each of the others stays what it was."""
    for kind, is_wanted in ((Kind.MESSAGE, True), (Kind.RATING_ANSWERED, False)):
        for channel in Channel:
            Preference.objects.create(user=bob, kind=kind, channel=channel, is_wanted=is_wanted)

    everything, nothing = ({"email", "push", "sms"}, False), (set(), False)
    assert wished(bob, Kind.CALL_ASKED) == nothing
    assert wished(bob, Kind.MESSAGE) == everything
    assert preferences.chosen(bob)["words"] == preferences.Chosen(Mail.NEVER, push=False, sms=False)


def test_what_nobody_chose_about_asks_nobody_else(bob):
    """A choice about messages says nothing of promises."""
    Preference.objects.create(user=bob, kind=Kind.MESSAGE, is_wanted=False)

    assert wished(bob, Kind.MISSED) == ({"email", "push"}, False)
