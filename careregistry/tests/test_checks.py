"""Production fails closed: unsafe settings stop the start, with every reason at once."""

import os
import subprocess
import sys

import pytest
from django.conf import settings as real_settings

from accounts.tests.factories import make_admin
from careregistry import checks

GOOD = {
    "SITE_URL": "https://care.example.org",
    "SECRET_KEY": "s3cret-" + "abcdefghij" * 5,
    "HISTORY_KEY": "h1story-" + "klmnopqrst" * 5,
    "EMAIL_URL": "smtp://mail.example.org:25",
    "DEBUG": "0",
    "ALLOWED_HOSTS": "",
}
BAD = [
    ({"DEBUG": "1"}, "DEBUG is on"),
    ({"SECRET_KEY": "short"}, "SECRET_KEY is shorter than 50"),
    ({"HISTORY_KEY": "short"}, "HISTORY_KEY is shorter than 50"),
    ({"HISTORY_KEY": GOOD["SECRET_KEY"]}, "are the same"),
    ({"ALLOWED_HOSTS": "*"}, "answers to any host"),
    ({"EMAIL_URL": ""}, "EMAIL_URL is missing"),
    ({"SITE_URL": "http://care.example.org"}, "must begin with https://"),
    ({"SITE_URL": "http://localhost:8000", "DEBUG": "1", "ALLOWED_HOSTS": "care.example.org"},
     "DEBUG is on while other hosts are answered: care.example.org"),
]  # fmt: skip


def manage(*words, data_dir, **environment):
    """``manage.py`` in a process of its own, as settings are read once."""
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=real_settings.BASE_DIR,
        env=os.environ
        | {"DJANGO_SETTINGS_MODULE": "careregistry.settings", "DATA_DIR": str(data_dir)}
        | {"DATABASE_URL": f"sqlite:///{data_dir}/db.sqlite3", "REDIS_URL": ""}
        | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.plan("SEC-I1")
def test_check_deploy_has_nothing_to_say_of_good_settings(tmp_path):
    answer = manage("check", "--deploy", "--fail-level=WARNING", data_dir=tmp_path, **GOOD)

    assert (answer.returncode, answer.stdout) == (
        0,
        "System check identified no issues (0 silenced).\n",
    ), answer.stderr


@pytest.mark.plan("SEC-I1")
@pytest.mark.parametrize(("change", "reason"), BAD)
def test_check_deploy_and_start_refuse_bad_settings(tmp_path, change, reason):
    checked = manage("check", "--deploy", data_dir=tmp_path, **GOOD | change)
    started = manage("up", data_dir=tmp_path, **GOOD | {"PORT": "0"} | change)

    assert checked.returncode != 0
    assert reason in checked.stderr
    assert started.returncode != 0
    assert reason in started.stderr


@pytest.fixture
def production(settings):
    settings.PRODUCTION = True
    settings.DEBUG = False
    settings.SITE_URL = GOOD["SITE_URL"]
    settings.ALLOWED_HOSTS = ["care.example.org"]
    settings.SECRET_KEY = GOOD["SECRET_KEY"]
    settings.HISTORY_KEY = GOOD["HISTORY_KEY"]


@pytest.mark.plan("P17")
@pytest.mark.django_db(transaction=True)
def test_demonstration_accounts_stop_a_production_start(production):
    person = make_admin(is_demo=True)

    with pytest.raises(SystemExit, match="demonstration accounts"):
        checks.stop_if_unsafe()

    person.is_demo = False
    person.save()
    checks.stop_if_unsafe()


@pytest.mark.plan("P17")
@pytest.mark.django_db(transaction=True)
def test_all_reasons_are_told_at_once(production, settings):
    settings.ALLOWED_HOSTS = ["*"]
    settings.SECRET_KEY = "short"

    with pytest.raises(SystemExit) as stop:
        checks.stop_if_unsafe()

    assert str(stop.value).splitlines() == [
        "Not started:",
        " - ALLOWED_HOSTS answers to any host name.",
        " - SECRET_KEY is shorter than 50 characters.",
    ]


@pytest.mark.plan("P17")
@pytest.mark.parametrize(
    "start",
    [
        ("-c", "import careregistry.asgi"),
        ("-c", "import careregistry.wsgi"),
        ("-m", "celery", "-A", "careregistry", "worker", "--pool=solo"),
        ("-m", "celery", "-A", "careregistry", "beat"),
    ],
    ids=["asgi", "wsgi", "worker", "beat"],
)
def test_every_way_to_start_asks(tmp_path, start):
    migrated = manage("migrate", "--verbosity=0", data_dir=tmp_path, **GOOD)
    assert migrated.returncode == 0, migrated.stderr

    answer = subprocess.run(
        [sys.executable, *start],
        cwd=real_settings.BASE_DIR,
        env=os.environ
        | {"DJANGO_SETTINGS_MODULE": "careregistry.settings", "DATA_DIR": str(tmp_path)}
        | {"DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3", "REDIS_URL": ""}
        | GOOD
        | {"ALLOWED_HOSTS": "*"},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert answer.returncode != 0
    assert "ALLOWED_HOSTS answers to any host name." in answer.stderr


TIMES = {
    "WAITING_DAYS": 7, "CLOSE_AFTER_DAYS": 7, "REMIND_DAYS_BEFORE": 2, "UNASSIGNED_HOURS": 2,
}  # fmt: skip


@pytest.mark.parametrize(
    ("times", "faults"),
    [
        ({}, []),
        (dict.fromkeys(TIMES, 0), []),
        ({"WAITING_DAYS": 0}, []),
        ({"REMIND_DAYS_BEFORE": 6}, []),
        ({"CLOSE_AFTER_DAYS": 2}, ["REMIND_DAYS_BEFORE must be less than CLOSE_AFTER_DAYS."]),
        (
            {"REMIND_DAYS_BEFORE": 7},
            [
                "REMIND_DAYS_BEFORE must be less than WAITING_DAYS.",
                "REMIND_DAYS_BEFORE must be less than CLOSE_AFTER_DAYS.",
            ],
        ),
        ({"UNASSIGNED_HOURS": -1}, ["UNASSIGNED_HOURS is less than 0."]),
    ],
    ids=["usual", "all_off", "one_off", "just_before", "no_time_left", "too_early", "negative"],
)
def test_times_that_make_no_sense_are_refused(settings, times, faults):
    """D0-12: a reminder comes before the end, and after the start."""
    for name, value in {**TIMES, **times}.items():
        setattr(settings, name, value)

    assert [error.msg for error in checks.check_times(None)] == faults
