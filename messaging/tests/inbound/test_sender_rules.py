"""Rules for senders are about others: not about who works here, and not about ourselves."""

import pytest
from allauth.account.models import EmailAddress

from accounts.tests.factories import make_agent
from messaging.models import AgentAddress, Fate, Reason, SenderRule

from .mailboxes import page
from .mails import make_mail, take_in

pytestmark = pytest.mark.django_db
BLOCK, LET_IN = SenderRule.Verdict.BLOCK, SenderRule.Verdict.LET_IN


def enter(client, pattern, verdict=BLOCK):
    """What stands beside the field, if it was not taken."""
    form = {"pattern": pattern, "verdict": verdict}
    answer = client.post(page("senderrule_add"), form)
    if answer.status_code == 302:
        assert SenderRule.objects.filter(verdict=verdict).exists()
        return []
    assert not SenderRule.objects.exists()
    return answer.context["adminform"].form.errors["pattern"]


@pytest.mark.parametrize(
    ("pattern", "errors"),
    [
        ("bob@example.org", ["1 person who works here writes from there: Bob Baker"]),
        ("Bob@Second.example", ["1 person who works here writes from there: Bob Baker"]),
        ("second.example", ["1 person who works here writes from there: Bob Baker"]),
        (
            "example.org",
            ["3 people who work here write from there: Ada Adler, Bob Baker, Dave Dunn"],
        ),
        (
            "*.example.org",
            ["3 people who work here write from there: Ada Adler, Bob Baker, Dave Dunn"],
        ),
        ("ob@example.org", []),
        ("xample.org", []),
        ("alice@example.org", []),
        ("unproved.example", []),
    ],
)
def test_who_works_here_is_not_blocked(login, ada, bob, dave, alice, pattern, errors):
    EmailAddress.objects.create(user=bob, email="bob@mail.second.example", verified=True)
    EmailAddress.objects.create(user=bob, email="bob@second.example", verified=True)
    EmailAddress.objects.create(user=bob, email="bob@unproved.example", verified=False)

    assert enter(login(ada), pattern) == errors


def test_no_more_than_three_are_named(login, ada):
    for n in range(4):
        make_agent(f"Agent{n}", email=f"agent{n}@works.example")

    assert enter(login(ada), "works.example") == [
        "4 people who work here write from there: Agent0, Agent1, Agent2 …"
    ]


def test_who_left_may_be_blocked(login, ada, bob):
    bob.standing = "suspended"
    bob.save()

    assert enter(login(ada), "bob@example.org") == []


def test_who_works_here_may_be_let_in(login, ada, bob):
    assert enter(login(ada), "example.org", LET_IN) == []


def test_a_rule_that_is_turned_round_is_looked_at_again(login, ada, bob):
    rule = SenderRule.objects.create(pattern="example.org", verdict=LET_IN)
    form = {"pattern": "example.org", "verdict": BLOCK}

    answer = login(ada).post(page("senderrule_change", rule.pk), form)

    rule.refresh_from_db()
    assert (answer.status_code, rule.verdict) == (200, LET_IN)


@pytest.mark.parametrize("verdict", [BLOCK, LET_IN])
@pytest.mark.parametrize(
    ("pattern", "errors"),
    [
        ("Care@example.net", ["The registry itself has this address"]),
        ("care+x@example.net", ["The registry itself has this address"]),
        ("us@example.com", ["The registry itself has this address"]),
        ("returns@example.net", ["Faulty product has this address"]),
        ("help@example.net", ["Bob Baker has this address"]),
        ("zoe@example.net", []),
    ],
)
def test_no_rule_is_about_ourselves(login, ada, bob, kettles, settings, pattern, errors, verdict):
    settings.REPLY_ADDRESS, settings.DEFAULT_FROM_EMAIL = "care@example.net", "Us <us@example.com>"
    kettles.email = "returns@example.net"
    kettles.save()
    AgentAddress.objects.create(address="help@example.net", agent=bob)

    assert enter(login(ada), pattern, verdict) == errors


def test_an_agent_is_let_in_by_an_address_of_both(login, ada, bob):
    """The agent's own address may be that of their account: then they write from it."""
    AgentAddress.objects.create(address=bob.email, agent=bob)

    assert enter(login(ada), bob.email, LET_IN) == []


def test_who_is_blocked_is_recorded_only(login, ada, kettles):
    enter(login(ada), "spam.example")

    mail = take_in(make_mail("zoe@spam.example"))

    assert (mail.fate, mail.reason) == (Fate.IGNORED, Reason.BLOCKED)
