"""Production fails closed: unsafe settings stop the start, with every reason at once."""

import os
import shutil
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
EVERY_FAULT = {
    "DEBUG": "1", "SECRET_KEY": "short", "HISTORY_KEY": "short", "ALLOWED_HOSTS": "*",
    "EMAIL_URL": "", "SITE_URL": "http://care.example.org",
}  # fmt: skip
OPEN_DEBUG = {
    "SITE_URL": "http://localhost:8000", "DEBUG": "1", "ALLOWED_HOSTS": "care.example.org",
}  # fmt: skip
OPEN_DEBUG_SENTENCE = "DEBUG is on while other hosts are answered: care.example.org."
BAD = [
    ({"DEBUG": True}, "DEBUG is on for a public host."),
    (
        {"SITE_URL": "http://care.example.org"},
        "SITE_URL is public, so it must begin with https://.",
    ),
    ({"ALLOWED_HOSTS": ["*"]}, "ALLOWED_HOSTS answers to any host name."),
    ({"HISTORY_KEY": GOOD["SECRET_KEY"]}, "SECRET_KEY and HISTORY_KEY are the same."),
    (
        {"EMAIL_BACKEND": "notifications.mail.backends.FolderBackend"},
        "EMAIL_URL is missing, so nobody would get any mail.",
    ),
    ({"SECRET_KEY": "x" * 49}, "SECRET_KEY is shorter than 50 characters."),
    ({"HISTORY_KEY": "x" * 49}, "HISTORY_KEY is shorter than 50 characters."),
]


def run(*words, data_dir, **environment):
    """Python in a process of its own, as settings are read once."""
    return subprocess.run(
        [sys.executable, *words],
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
    answer = run(
        "manage.py", "check", "--deploy", "--fail-level=WARNING", data_dir=tmp_path, **GOOD
    )

    assert (answer.returncode, answer.stdout) == (
        0,
        "System check identified no issues (0 silenced).\n",
    ), answer.stderr


@pytest.mark.plan("SEC-I1")
@pytest.mark.parametrize(
    ("change", "sentences"),
    [
        (EVERY_FAULT, [*(sentence for _change, sentence in BAD)]),
        (OPEN_DEBUG, [OPEN_DEBUG_SENTENCE]),
    ],
    ids=["public", "local"],
)
def test_check_deploy_and_start_refuse_bad_settings(tmp_path, change, sentences):
    """With every reason at once; the next test asks about each alone."""
    checked = run("manage.py", "check", "--deploy", data_dir=tmp_path, **GOOD | change)
    started = run("manage.py", "up", data_dir=tmp_path, **GOOD | {"PORT": "0"} | change)

    for answer in (checked, started):
        assert answer.returncode != 0
        assert [sentence for sentence in sentences if sentence not in answer.stderr] == []


@pytest.fixture
def production(settings):
    settings.PRODUCTION = True
    settings.DEBUG = False
    settings.SITE_URL = GOOD["SITE_URL"]
    settings.ALLOWED_HOSTS = ["care.example.org"]
    settings.SECRET_KEY = GOOD["SECRET_KEY"]
    settings.HISTORY_KEY = GOOD["HISTORY_KEY"]
    settings.EMAIL_BACKEND = "notifications.mail.backends.SmtpBackend"


@pytest.mark.plan("SEC-I1")
@pytest.mark.parametrize(("change", "sentence"), BAD)
def test_one_fault_is_enough(production, settings, change, sentence):
    assert checks.unsafe_settings() == []
    for name, value in change.items():
        setattr(settings, name, value)

    assert checks.unsafe_settings() == [sentence]
    with pytest.raises(SystemExit, match=sentence):
        checks.stop_if_unsafe(is_migrated=False)


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


STARTS = {
    "asgi": ("-c", "import careregistry.asgi"),
    "wsgi": ("-c", "import careregistry.wsgi"),
    "worker": ("-m", "celery", "-A", "careregistry", "worker", "--pool=solo"),
    "beat": ("-m", "celery", "-A", "careregistry", "beat"),
}


@pytest.mark.plan("P17")
def test_every_way_to_start_asks(tmp_path, empty_database):
    shutil.copy(empty_database, tmp_path)

    for name, start in STARTS.items():
        answer = run(*start, data_dir=tmp_path, **GOOD | {"ALLOWED_HOSTS": "*"})

        assert answer.returncode != 0, name
        assert "ALLOWED_HOSTS answers to any host name." in answer.stderr, name


TIMES = {"WAITING_DAYS": 7, "CLOSE_AFTER_DAYS": 7, "REMIND_DAYS_BEFORE": 2}


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
    ],
    ids=["usual", "all_off", "one_off", "just_before", "no_time_left", "too_early"],
)
def test_times_that_make_no_sense_are_refused(settings, times, faults):
    """D0-12: a reminder comes before the end, and after the start."""
    for name, value in {**TIMES, **times}.items():
        setattr(settings, name, value)

    assert [error.msg for error in checks.check_times(None)] == faults
