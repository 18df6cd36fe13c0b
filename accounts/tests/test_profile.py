import pytest
from django.urls import reverse

from accounts.models import AccountEvent, Role, Standing, User

from .factories import make_user

pytestmark = pytest.mark.django_db

PROFILE = "account_profile"
EDIT = "account_edit_profile"
GOOD = {
    "first_name": "Alice",
    "last_name": "Archer",
    "phone": "",
    "language": "en",
    "time_zone": "",
}


def edit(client, **changes):
    return client.post(reverse(EDIT), GOOD | changes)


def test_a_profile_says_what_we_know_of_its_owner(login, alice):
    """D4-8"""
    alice.phone, alice.language, alice.time_zone = "+441134960000", "ta", "America/New_York"
    alice.save()

    page = login(alice).get(reverse(PROFILE))

    for words in ("Alice Archer", alice.email, "+44 113 496 0000", "தமிழ்", "America/New York"):
        assert words in page.text
    assert "Customer since" in page.text


@pytest.mark.parametrize(("language", "said"), [("ta", "Tamil"), ("en", ""), ("", "")])
def test_whoever_answers_sees_the_language_that_is_not_that_of_the_pages(
    login, bob, alice, ticket, language, said
):
    """D4-8: it is what they like to be written to in."""
    User.objects.filter(pk=alice.pk).update(language=language)

    page = login(bob).get(ticket.workspace_url)

    assert page.context["ticket"].requester.foreign_language == said
    assert ("<dt>Language</dt><dd>Tamil</dd>" in page.text) == bool(said)


def test_a_profile_says_what_was_not_given(login, alice):
    page = login(alice).get(reverse(PROFILE))

    assert "Not given" in page.text
    assert "The same as ours" in page.text


@pytest.mark.parametrize("role", Role)
def test_every_role_changes_names_phone_language_and_time_zone(login, role):
    """D1-14, D4-8: the number can be changed."""
    person = make_user("Old", role=role, phone="+441134960000")

    response = edit(
        login(person),
        first_name="New",
        last_name="Name",
        phone="+44 113 496 0001",
        language="ta",
        time_zone="Asia/Kolkata",
    )

    assert response.headers["Location"] == reverse(PROFILE)
    person.refresh_from_db()
    assert (person.first_name, person.last_name) == ("New", "Name")
    assert str(person.phone) == "+44 113 496 0001"
    assert (person.language, person.time_zone) == ("ta", "Asia/Kolkata")


@pytest.mark.parametrize("role", [Role.AGENT, Role.ADMIN])
def test_the_waiting_look_after_their_own_profile(login, role):
    """SEC-A4: own profile, and nothing of the registry."""
    person = make_user("Pia", role=role, standing=Standing.PENDING)
    client = login(person)

    assert client.get(reverse(PROFILE)).status_code == 200
    edit(client, first_name="Paula")

    person.refresh_from_db()
    assert person.first_name == "Paula"


@pytest.mark.parametrize(
    "name",
    ["X", "Ж", "x" * 150, "சுப்பிரமணியம்", "عبد الرحمن", "🦊", "O’Neill-Smith", "Ng", "李"],
)
def test_names_are_as_people_have_them(login, alice, name):
    edit(login(alice), first_name=name, last_name=name)

    alice.refresh_from_db()
    assert (alice.first_name, alice.last_name) == (name, name)
    assert name in login(alice).get(reverse(PROFILE)).text


HUGE = "x" * 60_000
BAD = [
    ("first_name", "", "Enter your first name"),
    ("first_name", "   ", "Enter your first name"),
    ("first_name", "x" * 151, "Use 150 characters or less"),
    ("first_name", HUGE, "Use 150 characters or less"),
    ("first_name", "Al\u202eice", "Remove the invisible characters"),
    ("first_name", "Al\x07ice", "Remove the invisible characters"),
    ("last_name", "Ar\ncher", "Remove the invisible characters"),
    ("last_name", "Ar\x00cher", "Remove the invisible characters"),
    ("last_name", HUGE, "Use 150 characters or less"),
    *(
        ("phone", phone, "Enter a phone number with its country code, like +44 113 496 0000")
        for phone in ("12", "call me", "+44", "+999 1234567", "☎️", "' OR 1=1 --", HUGE)
    ),
    ("language", "tlh", "Choose a language from the list"),
    ("language", HUGE, "Choose a language from the list"),
    ("time_zone", "Mars/Olympus", "Choose a time zone from the list"),
    ("time_zone", "../../etc/passwd", "Choose a time zone from the list"),
]


@pytest.mark.parametrize(
    ("field", "value", "words"), BAD, ids=[f"{field}-{value[:12]!r}" for field, value, _ in BAD]
)
def test_bad_input_is_said_beside_its_field_and_nothing_is_written(
    login, alice, field, value, words
):
    response = edit(login(alice), **{"first_name": "Changed", "last_name": "Too", field: value})

    assert response.context["form"].errors[field][0] == words
    assert response.context["form"][field].value() == value  # what was typed is kept
    assert f'href="#id_{field}"' in response.text
    kept = User.objects.get(pk=alice.pk)
    assert (kept.first_name, kept.last_name, str(kept.phone)) == ("Alice", "Archer", "")


def test_a_refused_name_does_not_show_in_the_head_of_the_page(login, alice):
    page = edit(login(alice), first_name="Somebody", last_name="x" * 151)

    assert page.context["user"].first_name == "Alice"


@pytest.mark.plan("SEC-A7")
@pytest.mark.plan("SEC-A8")
def test_nothing_but_the_profile_can_be_set(login, alice):
    """D0-5: also not the address, which has its own steps."""
    client = login(alice)
    before = User.objects.filter(pk=alice.pk).values().get()
    more = {
        "role": "admin", "standing": "active", "is_superuser": "on", "is_staff": "on",
        "email": "ada@example.org", "password": "x", "is_demo": "on", "legal_hold": "x",
        "must_change_password": "on", "erase_at": "2030-01-01", "created_at": "2001-01-01",
        "id": "1", "photo": "photos/ab/cd",
    }  # fmt: skip

    edit(client, last_name="Changed", **more)

    after = User.objects.filter(pk=alice.pk).values().get()
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"last_name", "language"}
    assert not AccountEvent.objects.exists()


def test_a_profile_does_not_overwrite_what_happened_meanwhile(login, alice, monkeypatch):
    """The form writes its own fields only."""
    client = login(alice)
    read = User.objects.get

    def read_then_suspend(**kwargs):
        person = read(**kwargs)
        User.objects.filter(pk=person.pk).update(standing=Standing.SUSPENDED)
        return person

    monkeypatch.setattr(User.objects, "get", read_then_suspend)
    edit(client, first_name="Changed")

    alice.refresh_from_db()
    assert (alice.first_name, alice.standing) == ("Changed", Standing.SUSPENDED)


def test_a_profile_costs_what_every_page_costs(login, alice, django_assert_num_queries):
    """The session, the person and the bell; and whether mails to them arrive."""
    client = login(alice)
    client.get(reverse(PROFILE))

    with django_assert_num_queries(4):
        client.get(reverse(PROFILE))
