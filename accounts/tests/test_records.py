"""SEC-H6: the records of what happened to accounts are only added to."""

import pytest
from django.urls import reverse

from accounts.models import AccountEvent, Consent, LoginRecord
from accounts.records import note

pytestmark = [pytest.mark.django_db, pytest.mark.plan("SEC-H6")]


@pytest.fixture(params=[AccountEvent, LoginRecord, Consent])
def record(request, alice, ada):
    """One of each kind."""
    if request.param is AccountEvent:
        return note(alice, AccountEvent.Kind.SUSPENDED, by=ada, reason="Asked to", ticket=7)
    if request.param is LoginRecord:
        return LoginRecord.objects.create(user=alice, kind="signed_in", device="Firefox")
    return Consent.objects.filter(user=alice).first()


def test_the_models_refuse_to_change_or_remove_a_record(record):
    model, rows = type(record), type(record).objects.filter(pk=record.pk)
    before = rows.values().get()

    for forbidden in (
        record.save,
        record.delete,
        rows.delete,
        lambda: rows.update(at="2020-01-01"),
        lambda: model.objects.all().delete(),
    ):
        with pytest.raises(TypeError):
            forbidden()

    assert rows.values().get() == before


def test_the_console_shows_records_and_changes_none(record, login, ada):
    kind = f"admin:accounts_{record._meta.model_name}"
    browser = login(ada)
    before = type(record).objects.filter(pk=record.pk).values().get()

    assert browser.get(reverse(f"{kind}_changelist")).status_code == 200
    page = reverse(f"{kind}_change", args=[record.pk])
    assert browser.get(page).status_code == 200
    assert browser.post(page, {"reason": "Another"}).status_code == 403
    assert browser.get(reverse(f"{kind}_add")).status_code == 403
    assert browser.post(reverse(f"{kind}_delete", args=[record.pk])).status_code == 403
    assert type(record).objects.filter(pk=record.pk).values().get() == before


def test_a_line_says_who_what_when_and_why(alice, ada):
    event = note(alice, AccountEvent.Kind.SUSPENDED, by=ada, reason="Asked to", ticket=7)

    assert (event.user, event.by, event.kind) == (alice, ada, "suspended")
    assert (event.reason, event.data) == ("Asked to", {"ticket": 7})
    assert event.at
