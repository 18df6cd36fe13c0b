import pytest
from django.urls import reverse

from accounts import addresses
from accounts.forms.profile import AddressForm
from accounts.models import Address
from tickets.tests.racing import race
from tickets.tests.raising import REVIEW, write

from .factories import make_user

pytestmark = pytest.mark.django_db

LIST = reverse("account_addresses")
ADD = reverse("account_add_address")
HOME = {
    "label": "Home",
    "street": "14 Orchard Row",
    "extra": "",
    "postal_code": "LS6 2AB",
    "city": "Leeds",
    "region": "",
    "country": "United Kingdom",
}
LINE = "14 Orchard Row, Leeds LS6 2AB, United Kingdom"


def make_address(person, **changes) -> Address:
    address = Address(user=person, **HOME | changes)
    addresses.add(address)
    return address


def url(name, address):
    return reverse(f"account_{name}_address", args=[address.pk])


def kept(person):
    """The names of somebody's addresses, the default one starred."""
    rows = Address.objects.filter(user=person).order_by("pk")
    return [f"{row.label}{'*' if row.is_default else ''}" for row in rows]


@pytest.mark.parametrize("name", ["alice", "bob", "ada", "pete"])
def test_anybody_keeps_addresses(login, request, name):
    """D4-8; SEC-A4: the waiting as well."""
    person = request.getfixturevalue(name)
    client = login(person)

    client.post(ADD, HOME)
    client.post(ADD, HOME | {"label": "Work"})

    assert kept(person) == ["Home*", "Work"]
    page = client.get(LIST).text
    assert LINE in page
    assert page.count("Used by default") == 1


def test_an_address_is_changed(login, alice):
    home = make_address(alice)

    login(alice).post(url("edit", home), HOME | {"city": "York", "region": "Yorkshire"})

    home.refresh_from_db()
    assert str(home) == "14 Orchard Row, York LS6 2AB, Yorkshire, United Kingdom"
    assert home.is_default


def test_changing_an_address_leaves_the_default_to_others(alice):
    """What another page decided since the form was opened stays so."""
    home, work = make_address(alice), make_address(alice, label="Work")
    form = AddressForm(HOME, instance=Address.objects.get(pk=home.pk))
    addresses.make_default(work)

    form.save()

    assert kept(alice) == ["Home", "Work*"]


def test_another_address_is_made_the_default(login, alice):
    make_address(alice)
    work = make_address(alice, label="Work")
    client = login(alice)

    client.post(url("default", work))

    assert kept(alice) == ["Home", "Work*"]
    assert "Work is used by default now." in client.get(LIST).text


def test_removing_asks_first(login, alice):
    home = make_address(alice)
    client = login(alice)

    assert "Remove Home?" in client.get(url("remove", home)).text
    assert kept(alice) == ["Home*"]

    client.post(url("remove", home))

    assert kept(alice) == []


def test_the_oldest_takes_the_place_of_a_removed_default(login, alice):
    home = make_address(alice)
    make_address(alice, label="Work")
    make_address(alice, label="Boat")

    login(alice).post(url("remove", home))

    assert kept(alice) == ["Work*", "Boat"]


def test_removing_another_leaves_the_default(login, alice):
    make_address(alice)
    work = make_address(alice, label="Work")

    login(alice).post(url("remove", work))

    assert kept(alice) == ["Home*"]


def test_twenty_are_kept(login, alice, monkeypatch):
    monkeypatch.setattr(addresses, "MAX_ADDRESSES", 2)
    client = login(alice)
    for label in ("Home", "Work", "Boat"):
        response = client.post(ADD, HOME | {"label": label}, follow=True)

    assert kept(alice) == ["Home*", "Work"]
    assert "You can keep up to 2 addresses. Remove one first" in response.text
    assert ADD not in response.text


@pytest.mark.parametrize("name", ["edit", "default", "remove"])
@pytest.mark.parametrize("stranger", ["carol", "bob", "ada"])
def test_the_address_of_another_does_not_exist(login, request, alice, name, stranger):
    """SEC-A2: the same answer as for one that was never there."""
    home = make_address(alice)
    client = login(request.getfixturevalue(stranger))

    answer = client.post(url(name, home), HOME | {"city": "Elsewhere"})
    nothing = client.post(reverse(f"account_{name}_address", args=[99999]), HOME)

    assert (answer.status_code, nothing.status_code) == (404, 404)
    assert kept(alice) == ["Home*"]
    home.refresh_from_db()
    assert home.city == "Leeds"


@pytest.mark.plan("SEC-A7")
def test_nothing_but_the_lines_can_be_set(login, alice, carol):
    make_address(alice)
    others = make_address(carol)
    client = login(alice)

    client.post(
        ADD, HOME | {"label": "Work", "is_default": "on", "user": carol.pk, "id": others.pk}
    )

    assert kept(alice) == ["Home*", "Work"]
    assert kept(carol) == ["Home*"]


BAD = [
    *(
        (field, "", words)
        for field, words in {
            "label": "Give the address a name",
            "street": "Enter the street and number",
            "city": "Enter the town or city",
            "country": "Enter the country",
        }.items()
    ),
    *((field, "x" * 60_000, None) for field in HOME),
    *((field, "a\u202eb", "Remove the invisible characters") for field in HOME),
    ("street", "two\nlines", "Remove the invisible characters"),
]


@pytest.mark.parametrize(
    ("field", "value", "words"), BAD, ids=[f"{field}-{value[:6]!r}" for field, value, _ in BAD]
)
def test_bad_input_is_said_beside_its_field(login, alice, field, value, words):
    response = login(alice).post(ADD, HOME | {field: value})

    limit = Address._meta.get_field(field).max_length
    form = response.context["form"]
    assert form.errors == {field: [words or f"Use {limit} characters or less"]}
    assert form[field].value() == value
    assert kept(alice) == []


@pytest.mark.parametrize("words", ["Ö", "தெரு 14", "شارع ١٤", "🏡", "'; DROP TABLE"])
def test_addresses_are_as_people_write_them(login, alice, words):
    client = login(alice)

    client.post(ADD, HOME | {"street": words, "label": words})

    assert Address.objects.get().street == words


@pytest.mark.parametrize("count", [1, 3])
def test_a_list_costs_four_queries(login, alice, django_assert_num_queries, count):
    """The session, the person, all addresses and the bell."""
    for number in range(count):
        make_address(alice, label=f"Home {number}")
    client = login(alice)
    client.get(LIST)

    with django_assert_num_queries(4):
        client.get(LIST)


# --- On a ticket ----------------------------------------------------------------------


def test_the_default_address_stands_on_the_review_and_cannot_be_changed_there(
    login, alice, kettles
):
    """D0-5"""
    make_address(alice)
    client = login(alice)
    write(client, kettles, street="Mine", address="Mine")

    page = client.get(REVIEW)

    assert LINE in page.text
    assert alice.email in page.text
    assert Address.objects.get().street == "14 Orchard Row"


def test_without_an_address_the_review_says_nothing_of_one(login, alice, kettles):
    client = login(alice)
    write(client, kettles)

    assert "<dt>Address</dt>" not in client.get(REVIEW).text


# --- At the same moment ---------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_made_default_at_once_are_one_default():
    alice = make_user("Alice")
    rows = [make_address(alice, label=label) for label in ("Home", "Work", "Boat")]

    outcome = race(*(lambda row=row: addresses.make_default(row) for row in rows[1:]))

    assert outcome == [None, None]
    assert Address.objects.filter(user=alice, is_default=True).count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_first_addresses_at_once_are_one_default():
    alice = make_user("Alice")

    outcome = race(lambda: make_address(alice), lambda: make_address(alice, label="Work"))

    assert not [each for each in outcome if isinstance(each, Exception)]
    assert Address.objects.filter(user=alice, is_default=True).count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_default_removed_while_another_is_chosen_leaves_one_default():
    alice = make_user("Alice")
    home, work = make_address(alice), make_address(alice, label="Work")
    make_address(alice, label="Boat")

    race(lambda: addresses.remove(home), lambda: addresses.make_default(work))

    assert kept(alice) == ["Work*", "Boat"]
