"""Many mails at once in the ledger: asked for first, and what was dropped can be taken up again."""

from functools import partial

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages
from django.core.management import call_command

from messaging.inbound import ledger
from messaging.models import Fate, InboundMail, Reason
from tickets.models import Ticket
from tickets.tests.racing import race

from .mailboxes import choose, page
from .mails import make_mail, take_in

pytestmark = pytest.mark.django_db
SPAM = {"X_Spam_Flag": "YES"}


@pytest.fixture(autouse=True)
def somewhere_to_go(kettles):
    return kettles


def fates():
    return list(InboundMail.objects.order_by("pk").values_list("fate", flat=True))


@pytest.mark.parametrize(
    ("verb", "words", "fate"),
    [
        ("drop", "Nothing more happens to them", Fate.DROPPED),
        ("free", "as you have looked at them", Fate.TICKETED),
    ],
)
def test_many_are_asked_for_first(login, ada, verb, words, fate):
    """With their number, and what they are."""
    mails = [take_in(make_mail(f"zoe{n}@example.org", **SPAM)) for n in range(3)]
    client = login(ada)

    asked = choose(client, verb, *mails, answered="")

    assert f"{asked.context['title']}: 3 mails" in asked.text
    assert words in asked.text
    assert asked.text.count("<li>zoe1@example.org: My kettle</li>") == 1
    assert (fates(), LogEntry.objects.exists()) == ([Fate.HELD] * 3, False)

    done = choose(client, verb, *mails)

    assert fates() == [fate] * 3
    assert [message.level_tag for message in get_messages(done.wsgi_request)] == ["success"]


def test_who_answers_no_is_back_where_they_chose(login, ada):
    mail = take_in(make_mail(**SPAM))
    url = page("inboundmail_changelist") + "?fate__exact=held"

    asked = login(ada).post(url, {"action": "drop", "_selected_action": [mail.pk]})

    assert f'href="{url}"' in asked.text


@pytest.mark.parametrize("way", ["page", "list", "command"])
def test_what_was_dropped_is_judged_anew(login, ada, way):
    """It is held for what it was held for, as nobody let it through."""
    mails = [take_in(make_mail("zoe@example.org", **SPAM)), take_in(make_mail(None))]
    client = login(ada)
    choose(client, "free", mails[1])  # in vain: it names no sender
    choose(client, "drop", *mails)
    assert fates() == [Fate.DROPPED] * 2

    if way == "command":
        call_command("quarantine", "retry", *(str(mail.pk) for mail in mails))
    elif way == "list":
        choose(client, "retry", *mails)
    else:
        for mail in mails:
            assert page("inboundmail_retry", mail.pk) in change_page(client, mail)
            client.post(page("inboundmail_retry", mail.pk))

    assert [
        (each.fate, each.reason, each.freed_by) for each in InboundMail.objects.order_by("pk")
    ] == [
        (Fate.HELD, Reason.SPAM, None),
        (Fate.HELD, Reason.NO_SENDER, None),
    ]


def change_page(client, mail):
    return client.get(page("inboundmail_change", mail.pk)).text


def test_what_is_allowed_by_now_is_taken_in(login, ada, settings):
    settings.MAX_MAIL_BYTES = 100
    mail = take_in(make_mail("zoe@example.org"))
    client = login(ada)
    choose(client, "drop", mail)
    settings.MAX_MAIL_BYTES = 10**6

    choose(client, "retry", mail)

    assert fates() == [Fate.TICKETED]


def test_what_a_colleague_dropped_is_not_let_through(login, ada):
    """By whoever still sees it held."""
    mail = take_in(make_mail("zoe@example.org", **SPAM))
    client = login(ada)
    choose(client, "drop", mail)

    choose(client, "free", mail)
    client.post(page("inboundmail_free", mail.pk))

    assert fates() == [Fate.DROPPED]
    assert page("inboundmail_free", mail.pk) not in change_page(client, mail)


def test_all_that_waits_leaves_what_was_dropped(login, ada):
    mail = take_in(make_mail(**SPAM))
    choose(login(ada), "drop", mail)

    call_command("quarantine", "retry")

    assert fates() == [Fate.DROPPED]


def test_of_what_was_removed_nothing_is_processed_again(login, ada):
    mail = take_in(make_mail(**SPAM))
    choose(login(ada), "drop", mail)
    InboundMail.objects.update(raw="")

    choose(login(ada), "retry", mail)

    assert fates() == [Fate.DROPPED]


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_take_up_what_was_dropped_and_one_ticket_comes_of_it(ada, settings):
    settings.MAX_MAIL_BYTES = 100
    take_in(make_mail("zoe@example.org"))
    ledger.drop(InboundMail.objects.all(), by=ada)
    settings.MAX_MAIL_BYTES = 10**6

    race(*[partial(ledger.retry, InboundMail.objects.all())] * 3)

    assert fates() == [Fate.TICKETED]
    assert Ticket.objects.count() == 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_one_drops_what_another_lets_through(ada):
    """Whoever comes second finds nothing to settle."""
    take_in(make_mail("zoe@example.org", **SPAM))
    everything = InboundMail.objects.all()

    freed, dropped = race(
        partial(ledger.retry, everything, by=ada), partial(ledger.drop, everything, by=ada)
    )

    assert len(freed) + len(dropped) == 1
    assert fates() == [Fate.TICKETED if freed else Fate.DROPPED]
