"""The addresses by which mails find their tickets."""

from types import SimpleNamespace

import pytest

from tickets import mail_addresses

TICKET, PERSON = SimpleNamespace(pk=482), SimpleNamespace(pk=7)


@pytest.fixture(autouse=True)
def takes_mail(settings):
    settings.REPLY_ADDRESS = "care@example.org"


def test_an_address_names_its_ticket_and_its_person():
    """D0-22: also in capitals, with a name before it."""
    address = mail_addresses.reply_address(TICKET, PERSON)

    assert address.startswith("care+t482u7-")
    assert len(address.partition("@")[0]) <= 64  # the most a local part may have
    assert mail_addresses.named_in_address(address) == (482, 7)
    assert mail_addresses.named_in_address(f"Care desk <{address.upper()}>") == (482, 7)


def test_nobody_answers_by_mail_where_none_is_taken_in(settings):
    settings.REPLY_ADDRESS = ""

    assert mail_addresses.reply_address(TICKET, PERSON) == ""


def test_a_message_id_names_them_too_and_is_never_the_same():
    """SEC-D10"""
    first, second = (mail_addresses.new_message_id(TICKET, PERSON) for _ in range(2))

    assert first != second
    assert mail_addresses.named_in_message_id(first) == (482, 7)
    assert mail_addresses.named_in_message_id(f" {second} ") == (482, 7)


@pytest.mark.plan("SEC-D3")
@pytest.mark.parametrize("change", [("482", "483"), ("u7", "u8"), ("-", "-a"), ("t", "")])
def test_what_is_guessed_names_nothing(change):
    address = mail_addresses.reply_address(TICKET, PERSON)
    message_id = mail_addresses.new_message_id(TICKET, PERSON)

    assert mail_addresses.named_in_address(address.replace(*change, 1)) is None
    assert mail_addresses.named_in_message_id(message_id.replace(*change, 1)) is None
    assert mail_addresses.named_in_message_id(f"<{address}>".replace("care+", "")) == (482, 7)


@pytest.mark.plan("SEC-D3")
@pytest.mark.parametrize(
    "text", ["", "care@example.org", "<x@y>", "care+t1u1-" + "a" * 26, "t" * 9_999]
)
def test_what_is_not_ours_names_nothing(text):
    assert mail_addresses.named_in_address(text) is None
    assert mail_addresses.named_in_message_id(text) is None


@pytest.mark.plan("SEC-I5")
def test_what_was_signed_before_the_key_changed_still_counts(settings):
    address = mail_addresses.reply_address(TICKET, PERSON)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 50, [settings.SECRET_KEY]

    assert mail_addresses.named_in_address(address) == (482, 7)
