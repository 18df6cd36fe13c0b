from types import SimpleNamespace

import pytest

from accounts.signals import account_mail_composed


@pytest.fixture
def mails():
    """What was composed to be sent, in order."""
    composed = []

    def note(sender, signal, **mail):
        composed.append(SimpleNamespace(**mail))

    account_mail_composed.connect(note)
    yield composed
    account_mail_composed.disconnect(note)
