"""Calendars, holidays and service levels in the console."""

from datetime import date, timedelta

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from careregistry.tests.sent import holiday_file
from tickets.models import Calendar, Holiday, SlaPolicy
from tickets.promise import sla
from tickets.promise.promise_forms import MAX_HOLIDAY_BYTES
from tickets.tests.factories import make_calendar, make_policy

ADD_CALENDAR = "admin:tickets_calendar_add"
ADD_LEVEL = "admin:tickets_slapolicy_add"


@pytest.fixture(autouse=True)
def this_year():
    with time_machine.travel("2026-11-21 12:00", tick=False):
        yield


def calendar_form(hours=(("0", "09:00", "17:00"),)):
    counts = {"TOTAL": len(hours), "INITIAL": 0, "MIN_NUM": 0, "MAX_NUM": 9}
    form = {"name": "Office", "time_zone": "Europe/London"}
    form |= {f"hours-{name}_FORMS": n for name, n in counts.items()}
    form |= {f"holidays-{name}_FORMS": 0 for name in counts}
    for n, (day, opens, closes) in enumerate(hours):
        form |= {f"hours-{n}-weekday": day, f"hours-{n}-opens_at": opens}
        form |= {f"hours-{n}-closes_at": closes}
    return form


@pytest.mark.parametrize(
    ("hours", "error"),
    [
        pytest.param((("0", "09:00", "17:00"),), None, id="open"),
        pytest.param((("0", "09:00", "00:00"),), None, id="until midnight"),
        pytest.param((), "Enter opening hours for one day at least", id="never open"),
        pytest.param((("", "", ""),), "Enter opening hours for one day at least", id="empty row"),
        pytest.param((("0", "17:00", "09:00"),), "It must close after it opens", id="closes first"),
    ],
)
def test_a_calendar_is_open_at_some_time(login, ada, hours, error):
    """D1-15"""
    answer = login(ada).post(reverse(ADD_CALENDAR), calendar_form(hours))

    assert (answer.status_code == 200) == bool(error)
    assert Calendar.objects.count() == (0 if error else 1)
    if error:
        assert error in answer.text


def test_the_last_hours_of_a_calendar_can_not_be_taken_away(login, ada):
    calendar = make_calendar(days=[0])
    row = calendar.hours.get()
    form = calendar_form() | {
        "hours-INITIAL_FORMS": 1, "hours-0-id": row.pk, "hours-0-calendar": calendar.pk,
    }  # fmt: skip
    url = reverse("admin:tickets_calendar_change", args=[calendar.pk])

    refused = login(ada).post(url, form | {"hours-0-DELETE": "on"})
    kept = login(ada).post(url, form)

    assert (refused.status_code, kept.status_code) == (200, 302)
    assert "Enter opening hours for one day at least" in refused.text
    assert calendar.hours.count() == 1


LEVEL = {"category": "", "priority": "", "answer_within": "8", "resolve_within": "40"}


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        pytest.param({"warn_before": "1"}, None, id="warned in time"),
        pytest.param({"warn_before": "8"}, "The warning must come after the start", id="at once"),
        pytest.param({"warn_before": "9"}, "The warning must come after the start", id="before"),
        pytest.param({"resolve_within": "4"}, "It can’t be solved before the answer", id="solved"),
        pytest.param(
            {"priority": "high"}, "There is a service level for this already", id="second"
        ),
    ],
)
def test_a_service_level_makes_sense(login, ada, typed, error):
    """D1-15: a warning later than its target is refused."""
    make_policy(priority="high")
    form = LEVEL | {"calendar": make_calendar().pk, "warn_before": ""} | typed

    answer = login(ada).post(reverse(ADD_LEVEL), form)

    assert (answer.status_code == 200) == bool(error)
    assert SlaPolicy.objects.count() == (1 if error else 2)
    if error:
        assert error in answer.text


def test_what_is_saved_counts_for_the_next_ticket(
    login, ada, kettles, django_capture_on_commit_callbacks
):
    make_policy(answer=4)
    assert sla.terms_for(kettles, "urgent").answer_within == timedelta(hours=4)

    form = LEVEL | {"calendar": make_calendar().pk, "warn_before": "", "priority": "urgent"}
    with django_capture_on_commit_callbacks(execute=True):
        login(ada).post(reverse(ADD_LEVEL), form | {"answer_within": "0.5"})

    assert sla.terms_for(kettles, "urgent").answer_within == timedelta(minutes=30)


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("name", ["calendar", "slapolicy"])
def test_a_list_costs_the_same_however_long(login, ada, django_assert_num_queries, name, count):
    for priority in ("low", "high", "urgent")[:count]:
        make_policy(priority=priority)
    client = login(ada)

    with django_assert_num_queries(5):  # session, person, how many, which, bell
        client.get(reverse(f"admin:tickets_{name}_changelist"))


# --- Holidays from a file -------------------------------------------------------------


def imported(login, ada, calendar, file):
    url = reverse("admin:tickets_calendar_holidays", args=[calendar.pk])
    return login(ada).post(url, {"file": file} if file else {})


def ics(*events):
    head = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Example//Days//EN"]
    lines = [f"BEGIN:VEVENT\r\nUID:{n}\r\n{each}\r\nEND:VEVENT" for n, each in enumerate(events)]
    return SimpleUploadedFile(
        "days.ics", "\r\n".join([*head, *lines, "END:VCALENDAR", ""]).encode()
    )


def test_holidays_come_from_a_file_for_three_years(login, ada):
    """D1-15"""
    calendar = make_calendar()
    calendar.holidays.create(day=date(2027, 12, 25), name="Ours")

    answer = imported(login, ada, calendar, holiday_file("20201225"))

    assert answer.status_code == 302
    assert list(calendar.holidays.values_list("day", "name")) == [
        (date(2026, 12, 25), "Christmas Day"),
        (date(2027, 12, 25), "Ours"),
        (date(2028, 12, 25), "Christmas Day"),
        (date(2029, 12, 25), "Christmas Day"),
    ]


@pytest.mark.parametrize(
    ("event", "days"),
    [
        pytest.param("DTSTART;VALUE=DATE:20270326", ["2027-03-26"], id="once"),
        pytest.param("DTSTART;VALUE=DATE:20250326", [], id="long ago"),
        pytest.param(
            "DTSTART;VALUE=DATE:20261224\r\nDTEND;VALUE=DATE:20261227",
            ["2026-12-24", "2026-12-25", "2026-12-26"],
            id="three days",
        ),
        pytest.param("DTSTART:20261224T120000Z", [], id="a time of day"),
        pytest.param(
            "DTSTART;VALUE=DATE:20200101\r\nRRULE:FREQ=YEARLY\r\n"
            "EXDATE;VALUE=DATE:20270101,20280101",
            ["2026-01-01", "2029-01-01"],
            id="but for two years",
        ),
        pytest.param(
            "DTSTART;VALUE=DATE:20261126\r\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH;UNTIL=20271231",
            ["2026-11-26", "2027-11-25"],
            id="the fourth Thursday",
        ),
        pytest.param(
            "DTSTART;VALUE=DATE:20261126\r\nRRULE:FREQ=YEARLY;COUNT=2;BYHOUR=1,2;BYSECOND=1,2",
            ["2026-11-26", "2027-11-26"],
            id="hours left out",
        ),
    ],
)
def test_whole_days_are_holidays(login, ada, event, days):
    calendar = make_calendar()

    imported(login, ada, calendar, ics(event, "DTSTART;VALUE=DATE:20291231\r\nSUMMARY:Last"))

    found = [str(day) for day in calendar.holidays.values_list("day", flat=True)]
    assert found == [*days, "2029-12-31"]


@pytest.mark.parametrize(
    ("file", "error"),
    [
        pytest.param(None, "Choose a file", id="none"),
        pytest.param(b"", "The file is empty", id="empty"),
        pytest.param(b"day,name\n2026-12-25,Christmas", "This is not an iCalendar file", id="csv"),
        pytest.param(b"\x89PNG\r\n\x1a\n\0\0", "This is not an iCalendar file", id="a picture"),
        pytest.param(b"BEGIN:VCALENDAR\r\n", "This is not an iCalendar file", id="cut off"),
        pytest.param(
            b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
            "This is not an iCalendar file", id="an event without a day",
        ),
        pytest.param(
            b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n",
            "There is no whole day to come in this file", id="no days",
        ),
        pytest.param(b"x" * (MAX_HOLIDAY_BYTES + 1), "The file must be 1 MB or less", id="large"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_calendar_is_refused_beside_the_field(login, ada, file, error):
    calendar = make_calendar()
    named = file if file is None else SimpleUploadedFile("days.ics", file)

    answer = imported(login, ada, calendar, named)

    assert answer.context["form"].errors == {"file": [error]}
    assert not Holiday.objects.exists()


@pytest.mark.parametrize(
    ("event", "error"),
    [
        pytest.param(
            "DTSTART;VALUE=DATE:20261126\r\nDTEND;VALUE=DATE:99991231",
            "“Shut” lasts longer than 31 days", id="for ever",
        ),
        pytest.param(
            "DTSTART;VALUE=DATE:20261126\r\nRRULE:FREQ=DAILY",
            "“Shut” comes again more often than once a year, or since before 1900", id="every day",
        ),
        pytest.param(
            "DTSTART;VALUE=DATE:20261126\r\nRRULE:FREQ=SECONDLY",
            "“Shut” comes again more often than once a year, or since before 1900", id="seconds",
        ),
        pytest.param(
            "DTSTART;VALUE=DATE:00010101\r\nRRULE:FREQ=YEARLY",
            "“Shut” comes again more often than once a year, or since before 1900", id="long ago",
        ),
    ],
)  # fmt: skip
def test_a_day_that_would_be_kept_in_part_is_refused_with_its_name(login, ada, event, error):
    """Issue 5, bad input: nothing half done."""
    calendar = make_calendar()
    fine = "DTSTART;VALUE=DATE:20261225\r\nSUMMARY:Christmas Day"

    answer = imported(login, ada, calendar, ics(fine, f"{event}\r\nSUMMARY:Shut"))

    assert answer.context["form"].errors == {"file": [error]}
    assert not Holiday.objects.exists()
    imported(login, ada, calendar, ics(fine))
    assert Holiday.objects.get().name == "Christmas Day"


def test_a_file_in_another_encoding_is_refused(login, ada):
    calendar = make_calendar()
    event = "DTSTART;VALUE=DATE:20261225\r\nSUMMARY:Noël"
    file = ics(event).read().decode()

    refused = imported(login, ada, calendar, SimpleUploadedFile("days.ics", file.encode("latin-1")))

    assert refused.context["form"].errors == {"file": ["The file must be text in UTF-8"]}
    imported(login, ada, calendar, SimpleUploadedFile("days.ics", file.encode("utf-8-sig")))
    assert Holiday.objects.get().name == "Noël"


def test_a_file_with_too_many_events_is_refused(login, ada, monkeypatch):
    monkeypatch.setattr("tickets.promise.holidays.MOST_EVENTS", 1)
    calendar = make_calendar()
    first, second = (f"DTSTART;VALUE=DATE:2026122{n}\r\nSUMMARY:Day" for n in (5, 6))

    refused = imported(login, ada, calendar, ics(first, second))

    assert refused.context["form"].errors == {"file": ["There are more than 1 events in this file"]}
    assert imported(login, ada, calendar, ics(first)).status_code == 302
