"""The conditions of a rule, one by one."""

import pytest

from messaging.actions import post_message
from tickets import actions, fields
from tickets.automation.conditions import cases, holds, says
from tickets.models import Tag
from tickets.tests.factories import make_category, make_ticket
from tickets.tests.ruled import make_rule
from tickets.workflow import ResolutionKind, Status

pytestmark = pytest.mark.django_db


def does_hold(rule, ticket, event=None):
    [case] = cases([(ticket, event)])
    return holds(rule, case)


@pytest.fixture
def kettle(alice, bob, ada):
    """A complaint about a part of the kitchen, tagged, resolved by Bob and rated 2."""
    kitchen = make_category("Kitchen")
    ticket = make_ticket(
        requester=alice,
        assignee=bob,
        category=make_category("Kettles", parent=kitchen),
        by=ada,
        priority="high",
        channel="phone",
        description="It smells of smoke.",
    )
    fields.tag(ticket, ["recall", "kitchen"])
    solved = {"text": "Replaced.", "resolution": ResolutionKind.REPLACED}
    actions.change_status(ticket, Status.RESOLVED, by=bob, **solved)
    actions.rate(ticket, by=alice, rating=2)
    return ticket


CONDITIONS = [
    ({}, True),
    ({"kinds": ["complaint", "request"]}, True),
    ({"kinds": ["question"]}, False),
    ({"priorities": ["high"]}, True),
    ({"priorities": ["low", "urgent"]}, False),
    ({"statuses": ["closed"]}, True),
    ({"statuses": ["open"]}, False),
    ({"channels": ["phone"]}, True),
    ({"channels": ["web", "letter"]}, False),
    ({"words": "fire\nsmoke"}, True),
    ({"words": "kettle stopped"}, True),
    ({"words": "fire"}, False),
    ({"is_assigned": True}, True),
    ({"is_assigned": False}, False),
    ({"rated_at_most": 2}, True),
    ({"rated_at_most": 1}, False),
    ({"priorities": ["high"], "kinds": ["question"]}, False),
]


@pytest.mark.parametrize(("conditions", "expected"), CONDITIONS, ids=str)
def test_a_condition_holds_or_not(kettle, conditions, expected):
    rule = make_rule(**conditions)

    assert does_hold(rule, kettle) is expected


@pytest.mark.parametrize(
    ("names", "expected"), [(["Kettles"], True), (["Kitchen"], True), (["Garden"], False)]
)
def test_a_category_is_meant_with_its_parts(kettle, names, expected):
    made = {"Kettles": kettle.category, "Kitchen": kettle.category.parent}
    rule = make_rule(categories=[made.get(name) or make_category(name) for name in names])

    assert does_hold(rule, kettle) is expected


@pytest.mark.parametrize(("name", "expected"), [("recall", True), ("garden", False)])
def test_one_of_the_tags_is_enough(kettle, name, expected):
    rule = make_rule(tags=[Tag.objects.get_or_create(name=n)[0] for n in (name, "lamps")])

    assert does_hold(rule, kettle) is expected


def test_what_was_never_rated_is_not_rated_low(ticket):
    assert does_hold(make_rule(rated_at_most=5), ticket) is False


def test_words_are_looked_for_in_what_set_the_rule_off(ticket, alice):
    """And in what was written first only where the cause has no words."""
    said = post_message(ticket, by=alice, body="Now it is on fire!")

    assert does_hold(make_rule(words="fire"), ticket, said) is True
    assert does_hold(make_rule(words="light"), ticket, said) is False
    assert does_hold(make_rule(words="light"), ticket) is True


@pytest.mark.parametrize(
    ("words", "text", "expected"),
    [
        ("refund", "I want a REFUND.", True),
        ("refund", "Refunds take long", False),
        ("refund*", "Refunds take long", True),
        ("*erstattung", "Die Rückerstattung fehlt", True),
        ("erstattung", "Die Rückerstattung fehlt", False),
        ("ruckgabe", "Rückgabe", True),
        ("out of order", "It is out\nof  order", True),
        ("a.c", "abc", False),
        ("c++", "My C++ book", True),
        ("*退款*", "我要退款谢谢", True),
        ("\n * \n", "anything", False),
    ],
)
def test_words_are_whole_whatever_their_case(words, text, expected):
    assert says(words, text) is expected


@pytest.mark.parametrize("count", [1, 3])
def test_many_cases_need_as_many_queries_as_one(kettle, alice, django_assert_num_queries, count):
    more = [make_ticket(requester=alice) for _number in range(count - 1)]

    with django_assert_num_queries(3):
        cases([(each, None) for each in [kettle, *more]])
