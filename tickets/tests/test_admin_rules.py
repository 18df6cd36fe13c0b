"""Rules in the console: written, tried, switched on, and what they did."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.urls import reverse

from messaging import ruling
from messaging.actions import post_message
from tickets.automation import rules
from tickets.models import Category, Rule, RuleRun, Tag
from tickets.tests.factories import make_category, make_ticket
from tickets.tests.ruled import make_rule, runs

pytestmark = pytest.mark.django_db

ADD = "admin:tickets_rule_add"
FORM = {"name": "Urgent words", "position": "0", "trigger": "wrote", "note": "Look at this."}
OWN_CAUSE = "This would set the rule off again, for ever. Choose another trigger"


def url_of(verb, rule):
    return reverse(f"admin:tickets_rule_{verb}", args=[rule.pk])


# --- Written ----------------------------------------------------------------------------


def test_a_rule_is_written_and_does_nothing_yet(login, ada, dave, kettles):
    typed = {
        "name": "Urgent words", "position": "2", "trigger": "silent", "after": "1.5",
        "kinds": ["complaint", "question"], "categories": [kettles.pk], "priorities": ["low"],
        "statuses": ["open", "hold"], "channels": ["web"], "tags": "Recall,  lamps",
        "words": "fire\nsmoke*", "is_assigned": "no", "rated_at_most": "2",
        "assign_to": dave.pk, "set_priority": "urgent", "set_category": kettles.pk,
        "add_tags": "burnt", "note": "Look.", "message": "Unplug it.", "move_to": "waiting",
        "tell_agent": "on", "tell": [ada.pk],
    }  # fmt: skip

    answer = login(ada).post(reverse(ADD), typed)

    assert answer.status_code == 302
    rule = Rule.objects.get()
    assert (rule.is_active, rule.after, rule.is_assigned) == (False, timedelta(hours=1.5), False)
    assert (rule.kinds, rule.statuses) == (["complaint", "question"], ["open", "hold"])
    assert [tag.name for tag in rule.tags.all()] == ["lamps", "recall"]
    assert (rule.assign_to, rule.add_tags, list(rule.tell.all())) == (dave, "burnt", [ada])


def test_what_was_written_stands_in_the_form_again(login, ada):
    """And is the same when it is saved as it stands."""
    tag = Tag.objects.create(name="recall")
    rule = make_rule(
        "old", after=timedelta(hours=8), tags=[tag], add_tags="a, b", is_assigned=True,
        kinds=["question"], is_active=False, words="fire",
    )  # fmt: skip
    before = Rule.objects.values().get()

    form = login(ada).get(url_of("change", rule)).context["adminform"].form
    typed = {name: form[name].value() for name in form.fields}
    sent = {
        name: value for name, value in typed.items() if value is not None and value is not False
    }
    sent |= {"tags": "recall", "add_tags": "a, b"}
    assert (form["tags"].value(), form["add_tags"].value()) == ("recall", "a, b")
    assert login(ada).post(url_of("change", rule), sent).status_code == 302

    assert Rule.objects.values().get() == before
    assert list(rule.tags.all()) == [tag]


@pytest.mark.parametrize(
    ("typed", "field", "error"),
    [
        ({}, None, None),
        ({"name": ""}, "name", "This field is required."),
        ({"trigger": "old"}, "after", "Enter after how many hours"),
        ({"trigger": "old", "after": "soon"}, "after", "Enter a number."),
        ({"after": "2"}, "after", "Only what happens as time passes has a length. Empty this"),
        ({"note": ""}, "assign_to", "Say what the rule does: one of these at least"),
        ({"move_to": "resolved"}, "message", "Write to the customer how it was resolved"),
        ({"move_to": "closed"}, "move_to", "Select a valid choice. closed is not one of the"),
        ({"rated_at_most": "6"}, "rated_at_most", "Ensure this value is less than or equal to 5."),
        ({"add_tags": ", ".join(f"a long word {n:02}" for n in range(20))}, "add_tags",
         "These are too many tags for one rule"),
        ({"trigger": "answered", "message": "Hello"}, "message", OWN_CAUSE),
        ({"trigger": "moved", "move_to": "open"}, "move_to", OWN_CAUSE),
        ({"trigger": "moved", "move_to": "open", "statuses": ["open"]}, "move_to", OWN_CAUSE),
        ({"trigger": "moved", "move_to": "open", "statuses": ["waiting"]}, None, None),
        ({"trigger": "answered", "message": "Hello", "move_to": "waiting", "statuses": ["open"]},
         None, None),
        ({"trigger": "classified", "set_priority": "low", "priorities": ["low", "high"]},
         "set_priority", OWN_CAUSE),
        ({"trigger": "classified", "set_priority": "low", "priorities": ["high"]}, None, None),
        ({"trigger": "classified", "set_priority": "low"}, "set_priority", OWN_CAUSE),
        ({"trigger": "classified", "add_tags": "seen"}, "add_tags", OWN_CAUSE),
        ({"trigger": "classified"}, None, None),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_next_to_the_field(login, ada, typed, field, error):
    """A rule that would set itself off for ever among it; what was typed stays."""
    answer = login(ada).post(reverse(ADD), FORM | typed)

    assert Rule.objects.count() == (0 if error else 1)
    if error:
        form = answer.context["adminform"].form
        assert [message[: len(error)] for message in form.errors[field]] == [error]
        assert list(form.errors) == [field]
        assert f'value="{(FORM | typed)["name"]}"' in answer.text or field == "name"


def test_a_rule_that_assigns_on_assignment_is_refused(login, ada, bob):
    typed = FORM | {"trigger": "assigned", "assign_to": bob.pk}
    answer = login(ada).post(reverse(ADD), typed)

    assert answer.context["adminform"].form.errors == {"assign_to": [OWN_CAUSE]}
    assert not Rule.objects.exists()
    assert login(ada).post(reverse(ADD), typed | {"is_assigned": "no"}).status_code == 302


def test_a_rule_that_sets_its_own_category_is_refused_but_not_one_that_leaves_it(
    login, ada, kettles
):
    """The category above counts, as it does when the rule acts."""
    lids, toys = make_category("Lids", parent=kettles), make_category("Toys")
    typed = FORM | {"trigger": "classified", "categories": [kettles.pk]}

    refused = login(ada).post(reverse(ADD), typed | {"set_category": lids.pk})

    assert refused.context["adminform"].form.errors == {"set_category": [OWN_CAUSE]}
    assert login(ada).post(reverse(ADD), typed | {"set_category": toys.pk}).status_code == 302


def test_what_was_changed_is_tried_before_it_acts(login, ada):
    """D0-12: with another name it goes on acting, with other deeds it is switched off."""
    rule = make_rule("wrote", name="Urgent words")
    form = FORM | {"name": "Renamed"}

    login(ada).post(url_of("change", rule), form)
    rule.refresh_from_db()
    assert (rule.name, rule.is_active) == ("Renamed", True)

    form |= {"message": "A surprise."}
    answer = login(ada).post(url_of("change", rule), form, follow=True)
    rule.refresh_from_db()
    assert (rule.message, rule.is_active) == ("A surprise.", False)
    assert "The rule is switched off until you have tried what you changed." in answer.text


# --- Tried, and switched on -----------------------------------------------------------------


def snapshot():
    return {
        model: list(model._base_manager.order_by("pk").values_list())
        for model in apps.get_models()
        if model._meta.app_label in ("tickets", "notifications")
    }


def test_a_trial_shows_what_would_be_done_and_writes_nothing(login, ada, alice, bob, ticket):
    """Of each ticket the last cause counts."""
    burning = make_ticket(requester=alice, subject="Smoke")
    post_message(ticket, by=alice, body="Is it on fire?")
    post_message(burning, by=alice, body="Fire!")
    post_message(burning, by=alice, body="It is out.")
    rule = make_rule(is_active=False, trigger="wrote", words="fire", assign_to=bob, note="Look.")
    client = login(ada)
    before = snapshot()

    page = client.get(url_of("try", rule))

    assert snapshot() == before
    trials = page.context["trials"]
    assert [trial.ticket for trial in trials] == [ticket]
    assert [deed.words for deed in trials[0].deeds] == ["an internal note"]
    assert "1 ticket of the newest 100" in page.text


def test_a_trial_of_a_rule_of_time_shows_those_it_would_have_met(login, ada, ticket):
    passed = make_rule("old", is_active=False, after=timedelta())
    to_come = make_rule("old", is_active=False, after=timedelta(hours=8))

    shown = [login(ada).get(url_of("try", rule)).context["trials"] for rule in (passed, to_come)]

    assert [[trial.ticket for trial in trials] for trials in shown] == [[ticket], []]


def test_a_trial_says_what_would_be_refused(login, ada, alice, bob):
    make_ticket(requester=alice)
    stuck = make_rule("raised", is_active=False, move_to="waiting")
    fine = make_rule("raised", is_active=False, move_to="waiting", assign_to=bob)

    pages = [login(ada).get(url_of("try", rule)).text for rule in (stuck, fine)]

    refused = "status: Waiting on customer (refused from New)"
    assert [refused in page for page in pages] == [True, False]


def test_the_own_complaint_of_an_administrator_stays_out(login, ada, alice):
    make_ticket(requester=ada)
    other = make_ticket(requester=alice)
    rule = make_rule("raised", is_active=False)

    trials = login(ada).get(url_of("try", rule)).context["trials"]

    assert [trial.ticket for trial in trials] == [other]


@pytest.mark.parametrize(
    ("newest", "found"), [("1", 1), ("1000", 2), ("1001", 0), ("0", 0), ("many", 0)]
)
def test_how_many_tickets_are_looked_at(login, ada, alice, newest, found):
    for _number in range(2):
        make_ticket(requester=alice)
    rule = make_rule("raised", is_active=False)

    page = login(ada).get(url_of("try", rule), {"newest": newest})

    assert len(page.context["trials"]) == found
    assert bool(page.context["form"].errors) == (found == 0)
    assert ("Switch on" in page.text) == bool(found)


@pytest.mark.parametrize("count", [1, 3])
def test_a_trial_costs_the_same_however_many_it_finds(
    login, ada, alice, django_assert_num_queries, count
):
    for _number in range(count):
        make_ticket(requester=alice)
    rule = make_rule("raised", is_active=False, words="kettle", set_priority="low")
    client = login(ada)

    # session, person; rule, what it asks for (3); tickets, causes (2), what is asked of them (3)
    with django_assert_num_queries(13):
        assert len(client.get(url_of("try", rule)).context["trials"]) == count


def test_a_rule_is_switched_on_from_its_trial_and_off_again(
    login, ada, alice, ticket, django_capture_on_commit_callbacks
):
    rule = make_rule("wrote", is_active=False)
    client = login(ada)

    with django_capture_on_commit_callbacks(execute=True):
        client.post(url_of("try", rule))
    post_message(ticket, by=alice, body="Hello?")
    with django_capture_on_commit_callbacks(execute=True):
        client.post(url_of("off", rule))
    post_message(ticket, by=alice, body="Hello?")

    assert len(runs(rule=rule)) == 1
    rule.refresh_from_db()
    assert rule.is_active is False


def test_the_form_can_not_switch_it_on(login, ada):
    login(ada).post(reverse(ADD), FORM | {"is_active": "on"})

    assert Rule.objects.get().is_active is False


# --- What it did -----------------------------------------------------------------------------


@pytest.fixture
def acted(ticket, alice):
    """A rule that has acted, and is off."""
    rule = make_rule("wrote")
    post_message(ticket, by=alice, body="Hello?")
    ruling.run()
    rules.switch(rule, on=False)
    return rule


def test_a_rule_that_acted_is_never_removed(login, ada, acted):
    new = make_rule(is_active=False)
    active = make_rule()

    for rule in (acted, active, new):
        login(ada).post(url_of("delete", rule), {"post": "yes"})

    assert list(Rule.objects.order_by("pk")) == [acted, active]


def test_its_page_shows_what_it_did_lately(login, ada, acted, ticket):
    page = login(ada).get(url_of("change", acted)).text

    assert f'<span class="ccr-no">{ticket}</span>' in page
    assert "an internal note" in page


def test_what_rules_did_to_ones_own_complaint_is_not_shown(login, ada, acted):
    """SEC-A: an administrator on a ticket of their own is its owner and nothing more."""
    RuleRun.objects.update(answer="priority: Low")
    mine = make_ticket(requester=ada)
    run = RuleRun.objects.create(rule=acted, ticket=mine, state="done", answer="priority: Urgent")
    client = login(ada)

    listed = client.get(reverse("admin:tickets_rulerun_changelist")).text
    page = client.get(url_of("change", acted)).text
    itself = client.get(reverse("admin:tickets_rulerun_change", args=[run.pk]))

    assert ("priority: Low" in listed, "priority: Low" in page) == (True, True)
    assert ("priority: Urgent" in listed, "priority: Urgent" in page) == (False, False)
    assert itself.status_code == 302


def test_failed_acts_are_found_by_their_state(login, ada, acted, ticket):
    """P5: a visible dead letter."""
    RuleRun.objects.create(rule=acted, ticket=ticket, state="failed", answer="It is closed.")
    url = reverse("admin:tickets_rulerun_changelist")

    failed = login(ada).get(url, {"state__exact": "failed"}).text

    assert "It is closed." in failed
    assert "an internal note" not in failed


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("name", ["rule", "rulerun"])
def test_a_list_costs_the_same_however_long(
    login, ada, alice, ticket, django_assert_num_queries, name, count
):
    for _number in range(count):
        make_rule("wrote")
    post_message(ticket, by=alice, body="Hello?")
    ruling.run()
    client = login(ada)

    with django_assert_num_queries(5):  # session, person, how many, which, bell
        page = client.get(reverse(f"admin:tickets_{name}_changelist"))
    assert len(page.context["cl"].result_list) == count


def test_a_category_a_rule_speaks_of_stays(login, ada):
    """Without it the rule would act on every ticket."""
    asked, made, free = (make_category(name) for name in ("Asked", "Made", "Free"))
    make_rule(categories=[asked])
    make_rule(set_category=made)

    for category in (asked, made, free):
        url = reverse("admin:tickets_category_delete", args=[category.pk])
        login(ada).post(url, {"post": "yes"})

    assert set(Category.objects.filter(name__in=["Asked", "Made", "Free"])) == {asked, made}
