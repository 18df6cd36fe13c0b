"""Every odd mail is read: its words, its sender and its files, byte by byte."""

import pytest

from messaging.inbound.parsing import parse

from .odd_mails import ODD_MAILS


@pytest.mark.plan("SEC-D13")
@pytest.mark.plan("SEC-D14")
@pytest.mark.plan("SEC-D15")
@pytest.mark.parametrize("odd", ODD_MAILS, ids=str)
def test_it_is_read(odd):
    mail = parse(odd.raw)

    assert (mail.sender, mail.subject) == (odd.sender, odd.subject)
    if odd.text:
        assert mail.text == odd.text
    assert mail.text[: mail.new] == (mail.text if odd.new is None else odd.new)
    assert {file.name: file.content for file in mail.files} == odd.files


def test_there_are_more_than_two_hundred():
    assert len({odd.what for odd in ODD_MAILS}) > 200
