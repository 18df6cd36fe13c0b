"""The number for SMS: proved by a code, changed, removed."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.models import Attempt
from notifications.models import Reaching, ShortMessage
from notifications.short_messages import sending
from tickets.tests.reading import problems

from .telephones import NUMBER, form_in, rows

pytestmark = pytest.mark.django_db

CHANGE = reverse("notifications:change_number")
CONFIRM = reverse("notifications:confirm_number")
REMOVE = reverse("notifications:remove_number")
PAGE = reverse("notifications:preferences")


@pytest.fixture
def gateway(receiver, settings):
    settings.SMS_URL = f"http://AC7:word@127.0.0.1:{receiver.port}/?from=+15550100"
    receiver.answers = [201] * 50
    return receiver


@pytest.fixture
def roomy(settings):
    """Limits are far away."""
    many = {name: (1000, period) for name, (_amount, period) in settings.LIMITS.items()}
    settings.LIMITS = many | {"code_tries": settings.LIMITS["code_tries"]}


def ask(client, number=NUMBER):
    return client.post(CHANGE, {"number": number})


def code_at(gateway) -> str:
    sending.take_turn()
    return re.match(r"\d{8}", form_in(gateway.calls[-1])["Body"])[0]


def number_of(person):
    return list(Reaching.objects.filter(user=person).values_list("sms_number", flat=True))


@pytest.mark.parametrize("name", ["alice", "bob", "ada", "pete"])
def test_a_code_sent_there_proves_the_number(gateway, login, request, name):
    person = request.getfixturevalue(name)
    client = login(person)

    asked = ask(client, "+44 7400 123456")
    page = client.get(CONFIRM)
    code = code_at(gateway)
    proved = client.post(CONFIRM, {"code": f"{code[:4]} {code[4:]}"})

    assert asked.headers["Location"] == CONFIRM
    assert "on its way to <strong>+44 7400 123456</strong>" in page.text
    assert proved.headers["Location"] == PAGE
    assert number_of(person) == [NUMBER]
    assert "+44 7400 123456" in client.get(PAGE).text
    assert form_in(gateway.calls[0])["Body"] == (
        f"{code} is your code for SMS from Customer Care Registry. It works for 10 minutes."
    )


def test_the_code_is_kept_nowhere_once_it_is_sent(gateway, login, alice):
    """P9."""
    client = login(alice)
    ask(client)
    before = rows("text")
    code = code_at(gateway)

    assert code in before[0][0]
    assert rows("state", "text") == [("sent", "")]
    assert code not in str(dict(client.session))


def test_until_then_the_old_number_stays(gateway, login, alice):
    Reaching.objects.create(user=alice, sms_number="+447400654321")
    client = login(alice)

    ask(client)
    wrong = client.post(CONFIRM, {"code": "00000000"})

    assert (wrong.status_code, problems(wrong)[0]) == (422, ["Invalid code!"])
    assert number_of(alice) == ["+447400654321"]
    client.post(CONFIRM, {"code": code_at(gateway)})
    assert number_of(alice) == [NUMBER]


@pytest.mark.plan("SEC-C6")
def test_after_five_tries_the_code_is_dead(gateway, login, alice, roomy):
    client = login(alice)
    ask(client)
    code = code_at(gateway)

    for _number in range(5):
        client.post(CONFIRM, {"code": "00000000"})
    late = client.post(CONFIRM, {"code": code})

    assert late.headers["Location"] == CHANGE
    assert number_of(alice) == []
    ask(client)
    client.post(CONFIRM, {"code": code_at(gateway)})
    assert number_of(alice) == [NUMBER]


def test_sent_with_nothing_in_it_is_no_try(gateway, login, alice, roomy):
    client = login(alice)
    ask(client)

    pages = [client.post(CONFIRM, {"code": " "}) for _number in range(6)]
    client.post(CONFIRM, {"code": code_at(gateway)})

    assert {page.status_code for page in pages} == {422}
    assert problems(pages[0])[0] == ["Enter the code from the SMS"]
    assert number_of(alice) == [NUMBER]


def test_after_ten_minutes_the_code_is_dead_and_goes_out_no_more(gateway, login, alice, clock):
    client = login(alice)
    ask(client)
    code = code_at(gateway)
    ask(client, "+447400654321")

    clock.shift(timedelta(minutes=10, seconds=1))
    sending.take_turn()
    late = client.post(CONFIRM, {"code": code})

    assert late.headers["Location"] == CHANGE
    assert number_of(alice) == []
    assert rows("state", "text") == [("sent", ""), ("dropped", "")]


def test_a_code_works_once_and_for_its_number(gateway, login, alice):
    client = login(alice)
    ask(client)
    first = code_at(gateway)
    ask(client, "+447400654321")

    refused = client.post(CONFIRM, {"code": first})
    client.post(CONFIRM, {"code": code_at(gateway)})
    again = client.post(CONFIRM, {"code": first})

    assert "Invalid code!" in refused.text
    assert number_of(alice) == ["+447400654321"]
    assert again.headers["Location"] == CHANGE


def test_the_code_of_one_is_worth_nothing_to_another(gateway, login, alice, carol):
    ask(login(alice))
    code = code_at(gateway)

    client = login(carol)
    answer = client.post(CONFIRM, {"code": code})

    assert answer.headers["Location"] == CHANGE
    assert number_of(carol) == []


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("", "Enter a mobile number"),
        ("12", "Enter a mobile number with its country code"),
        ("7400 123456", "Enter a mobile number with its country code"),
        ("+44 909 8790000", "would cost too much"),
    ],
)
def test_what_is_no_number_is_refused_in_words(gateway, login, alice, number, words):
    page = ask(login(alice), number)

    assert (page.status_code, words in page.text) == (422, True)
    assert rows() == []


@pytest.mark.plan("SEC-I12")
@pytest.mark.parametrize("purpose", ["sms_code_number", "sms_code_person", "sms_code_address"])
def test_codes_are_limited_as_each_costs_money(gateway, login, alice, settings, roomy, purpose):
    settings.LIMITS = settings.LIMITS | {purpose: (1, timedelta(hours=1))}
    client = login(alice)

    ask(client)
    refused = ask(client)

    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 3500
    assert ShortMessage.objects.count() == 1
    Attempt.objects.all().delete()
    assert ask(client).status_code == 302


def test_the_number_is_offered_as_the_profile_knows_it(gateway, login, alice):
    alice.phone = NUMBER
    alice.save()

    assert 'value="+44 7400 123456"' in login(alice).get(CHANGE).text


def test_a_number_is_removed(gateway, login, alice):
    Reaching.objects.create(user=alice, sms_number=NUMBER)
    client = login(alice)

    client.post(REMOVE)

    assert number_of(alice) == [""]
    assert "No number yet" in client.get(PAGE).text


def test_nobody_learns_whose_number_it_is_already(gateway, login, alice, carol):
    Reaching.objects.create(user=carol, sms_number=NUMBER)

    assert ask(login(alice)).headers["Location"] == CONFIRM
    assert rows("recipient", "number") == [(alice.pk, NUMBER)]


def test_without_a_gateway_there_is_no_page_for_it(login, alice, settings):
    settings.SMS_URL = ""
    client = login(alice)

    assert client.get(CHANGE).status_code == 404
    assert client.get(CONFIRM).status_code == 404
    assert "sms-title" not in client.get(PAGE).text
