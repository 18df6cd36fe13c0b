"""SEC-H1, D4-10: everything of mine, made by the worker, for its owner alone."""

import json
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import archive, exports, leftovers
from accounts.models import AccountEvent, DataExport, User
from accounts.people import AccountRefusal
from accounts.tests.factories import PASSWORD, make_user
from notifications.mail import outbox
from notifications.models import Notification
from tickets.tests.racing import race

pytestmark = pytest.mark.django_db

PAGE, DOWNLOAD = reverse("account_privacy"), reverse("account_export")


@pytest.fixture
def ready(alice):
    """Alice's archive."""
    export = exports.ask_for(alice, by=alice)
    exports.make_due()
    return DataExport.objects.get(pk=export.pk)


def stored_files(settings):
    return [path.name for path in Path(settings.EXPORT_DIR).glob("*")]


def events_of(user):
    events = AccountEvent.objects.filter(user=user).order_by("pk")
    return list(events.values_list("kind", "by", "data__step"))


def path_of(export, settings) -> Path:
    return Path(settings.EXPORT_DIR) / export.file.name


def test_the_password_makes_a_promise_and_the_worker_keeps_it(login, alice):
    page = login(alice).post(PAGE, {"password": PASSWORD}, follow=True)

    assert "We’re making your download." in page.text
    exports.make_due()
    export = DataExport.objects.get()
    assert (export.user, export.asked_by, export.tries) == (alice, alice, 1)
    assert export.expires_at - export.ready_at == timedelta(days=7)
    told = Notification.objects.get(kind=Notification.Kind.EXPORT_READY)
    assert (told.recipient, told.cause) == (alice, f"export:{export.pk}")


@pytest.mark.parametrize(
    ("password", "error"),
    [("", "Enter your current password"), ("three wrong words", "Check your current password")],
)
def test_without_the_password_nothing_is_made(login, alice, password, error):
    page = login(alice).post(PAGE, {"password": password})

    assert page.context["form"].errors == {"password": [error]}
    assert not DataExport.objects.exists()


@pytest.mark.plan("SEC-C2")
def test_guessing_the_password_here_is_limited(login, alice):
    browser = login(alice)
    for _ in range(10):
        browser.post(PAGE, {"password": "three wrong words"})

    page = browser.post(PAGE, {"password": PASSWORD})

    assert page.status_code == 429
    assert not DataExport.objects.exists()


def test_who_has_no_password_must_have_signed_in_lately(login, alice):
    alice.set_unusable_password()
    alice.save()
    browser = login(alice)

    page = browser.post(PAGE, {"anything": ""})
    assert "Sign out and in again" in str(page.context["form"].non_field_errors())

    session = browser.session
    session["account_authentication_methods"] = [
        {"method": "code", "at": timezone.now().timestamp()}
    ]
    session["account_authentication_methods_user"] = str(alice.pk)
    session.save()
    assert browser.post(PAGE, {"anything": ""}).status_code == 302
    assert DataExport.objects.get().user == alice


def test_one_at_a_time(login, alice):
    exports.ask_for(alice, by=alice)

    page = login(alice).post(PAGE, {"password": PASSWORD}, follow=True)

    assert "A download is being made already." in page.text
    assert DataExport.objects.count() == 1


def test_a_new_one_replaces_the_last(ready, alice, settings, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        exports.ask_for(alice, by=alice)
        exports.make_due()

    assert DataExport.objects.get().pk != ready.pk
    assert stored_files(settings) == [DataExport.objects.get().file.name]


@pytest.mark.plan("SEC-H5")
@pytest.mark.plan("SEC-H6")
def test_the_owner_downloads_it(ready, login, alice, settings):
    answer = login(alice).post(DOWNLOAD, {"export": ready.pk})

    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="my-data-')
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.getvalue() == path_of(ready, settings).read_bytes()
    assert events_of(alice) == [
        ("exported", alice.pk, "asked"),
        ("exported", alice.pk, "downloaded"),
    ]


@pytest.mark.plan("SEC-A2")
def test_nobody_else_downloads_it(ready, login, carol, ada, client):
    """Not a stranger, and no administrator who did not ask for it."""
    for person in (carol, ada):
        answer = login(person).post(DOWNLOAD, {"export": ready.pk})
        assert answer.headers["Location"] == PAGE
        assert "Download</button>" not in login(person).get(PAGE).text
    assert Client().post(DOWNLOAD, {"export": ready.pk}).headers["Location"].startswith("/account/")
    assert len(events_of(ready.user)) == 1


def test_an_administrators_copy_is_for_them_alone(login, alice, ada, carol):
    exports.ask_for(alice, by=ada)
    exports.make_due()
    export = DataExport.objects.get()

    assert login(alice).post(DOWNLOAD, {"export": export.pk}).status_code == 302
    assert "Data of Alice Archer" in login(ada).get(PAGE).text
    answer = login(ada).post(DOWNLOAD, {"export": export.pk})

    assert answer.getvalue()
    assert Notification.objects.get(kind="export_ready").recipient == ada
    assert events_of(alice)[-1] == ("exported", ada.pk, "downloaded")


@pytest.mark.plan("SEC-A9")
def test_who_is_no_administrator_any_more_loses_the_copies(login, alice, ada):
    exports.ask_for(alice, by=ada)
    exports.make_due()
    User.objects.filter(pk=ada.pk).update(role="customer")

    assert not exports.ready_for(User.objects.get(pk=ada.pk)).exists()


def test_it_expires_and_its_file_goes(
    ready, login, alice, settings, django_capture_on_commit_callbacks
):
    with time_machine.travel(ready.expires_at + timedelta(seconds=1)):
        late = login(alice).post(DOWNLOAD, {"export": ready.pk})
        with django_capture_on_commit_callbacks(execute=True):
            assert exports.drop_old() == 1

    assert late.headers["Location"] != DOWNLOAD
    assert not DataExport.objects.exists()
    assert stored_files(settings) == []


def test_it_stays_until_it_expires(ready, settings):
    with time_machine.travel(ready.expires_at - timedelta(minutes=1)):
        exports.drop_old()

    assert stored_files(settings) == [ready.file.name]


def test_the_waiting_may_take_their_data_too(login, pete):
    """The permission matrix: data export is open to the pending."""
    assert login(pete).post(PAGE, {"password": PASSWORD}).status_code == 302
    assert DataExport.objects.get().user == pete


def test_the_mail_leads_to_the_page_and_carries_no_key(alice, ada, mailoutbox):
    for asker in (alice, ada):
        exports.ask_for(alice, by=asker)
        exports.make_due()
    outbox.drain()

    own, copy = (mail for mail in mailoutbox if "data" in mail.subject)
    assert (own.to, own.subject) == ([alice.email], "Your data is ready to download")
    assert (copy.to, copy.subject) == (
        [ada.email],
        "The data of Alice Archer is ready to download",
    )
    assert f"{PAGE}\n" in own.body
    assert not any(export.file.name in own.body for export in DataExport.objects.all())


# --- The worker ---------------------------------------------------------------


def test_two_workers_never_make_the_same(alice):
    exports.ask_for(alice, by=alice)

    assert exports.claim() is not None
    assert exports.claim() is None


def test_what_a_killed_worker_held_comes_back(alice):
    exports.ask_for(alice, by=alice)
    killed = exports.claim()

    with time_machine.travel(killed.leased_until + timedelta(seconds=1)):
        exports.make_due()

    assert DataExport.objects.get().tries == 2
    assert DataExport.objects.get().ready_at


def test_a_slow_worker_does_not_overwrite_a_quicker_one(alice, settings):
    exports.ask_for(alice, by=alice)
    slow = exports.claim()
    with time_machine.travel(slow.leased_until + timedelta(seconds=1)):
        exports.make_due()

    exports.make(slow)

    assert stored_files(settings) == [DataExport.objects.get().file.name]
    assert Notification.objects.filter(kind="export_ready").count() == 1


def test_what_fails_is_tried_again_and_then_given_up(alice, login, settings, monkeypatch):
    exports.ask_for(alice, by=alice)
    monkeypatch.setattr(archive, "write", lambda *args, **kwargs: 1 / 0)
    now = timezone.now()

    for attempt in range(exports.MAX_TRIES):
        assert DataExport.objects.get().trouble == ""
        with time_machine.travel(now + attempt * (exports.LEASE + timedelta(seconds=1))):
            exports.make_due()

    assert DataExport.objects.get().trouble
    assert stored_files(settings) == []
    assert "could not be made" in login(alice).get(PAGE).text
    monkeypatch.undo()
    exports.ask_for(alice, by=alice)
    exports.make_due()
    assert DataExport.objects.get().ready_at


def test_a_missing_file_is_left_out_and_the_rest_is_there(alice, settings, caplog):
    alice.photo.name = "photos/gone"
    alice.save()
    exports.ask_for(alice, by=alice)

    exports.make_due()

    with zipfile.ZipFile(path_of(DataExport.objects.get(), settings)) as made:
        assert made.namelist() == ["data.json"]
        assert json.loads(made.read("data.json"))["account"][0]["email"] == alice.email
    assert "photos/gone" in caplog.text


def test_left_files_are_removed_and_known_ones_kept(ready, settings):
    folder = Path(settings.EXPORT_DIR)
    (folder / "left.zip").write_bytes(b"left by a crash")

    assert leftovers.remove_left_files() == 0  # it may be one that is being written
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        assert leftovers.remove_left_files() == 1

    assert stored_files(settings) == [ready.file.name]


def test_asking_is_refused_for_strangers_and_the_erased(alice, bob, ada):
    with pytest.raises(PermissionDenied):
        exports.ask_for(alice, by=bob)
    gone = make_user("Gone", standing="erased")
    with pytest.raises(AccountRefusal):
        exports.ask_for(gone, by=ada)
    assert exports.ask_for(alice, by=ada)


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_make_one_promise(alice):
    outcomes = race(*[lambda: exports.ask_for(User.objects.get(pk=alice.pk), by=alice)] * 4)

    assert sorted(type(outcome).__name__ for outcome in outcomes) == [
        *["AccountRefusal"] * 3,
        "DataExport",
    ]
    assert DataExport.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_make_each_archive_once(alice, carol, settings):
    for person in (alice, carol):
        exports.ask_for(person, by=person)

    race(*[exports.make_due] * 4)

    assert list(DataExport.objects.values_list("tries", flat=True)) == [1, 1]
    assert len(stored_files(settings)) == 2
    assert Notification.objects.filter(kind="export_ready").count() == 2


# --- The pages ------------------------------------------------------------------


@pytest.mark.plan("SEC-H5")
def test_the_pages_stay_in_no_cache(login, alice):
    for page in (PAGE, reverse("account_delete")):
        assert login(alice).get(page).headers["Cache-Control"] == "no-store"


@pytest.mark.plan("SEC-G2")
@pytest.mark.parametrize("count", [1, 3])
def test_more_archives_cost_no_more_queries(login, ada, count, django_assert_max_num_queries):
    for number in range(count):
        exports.ask_for(make_user(f"Person{number}"), by=ada)
    exports.make_due()
    browser = login(ada)

    for page, limit in ((PAGE, 8), (reverse("admin:accounts_dataexport_changelist"), 12)):
        browser.get(page)
        with django_assert_max_num_queries(limit):
            assert browser.get(page).text.count("Person") >= count
