"""``manage.py receive_mail`` as a mail server calls it: nothing that is wrong with us sends a mail
back to whoever wrote it."""

import os
import shlex
import shutil
import sqlite3
import subprocess
import sys

import pytest
from django.conf import settings as product

from .mails import make_mail

pytestmark = [pytest.mark.plan("SEC-P1"), pytest.mark.plan("SEC-F7")]
RAW = make_mail().as_bytes()
TRY_AGAIN = 75


@pytest.fixture
def receive(tmp_path, empty_database):
    """``receive("--to=care@example.net", SECRET_KEY="")`` says how the process ended, and what it
    wrote down; ``where`` leads that elsewhere, like ``2>log``."""
    shutil.copy(empty_database, tmp_path)
    ours = {"DJANGO_SETTINGS_MODULE": "careregistry.settings", "DATA_DIR": str(tmp_path)}
    ours |= {"DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3", "REDIS_URL": ""}

    def receive(*words, raw=RAW, where="", **environment):
        called = shlex.join([sys.executable, "manage.py", "receive_mail", *words])
        ended = subprocess.run(
            ["/bin/sh", "-c", f"{called} {where}"],
            cwd=product.BASE_DIR,
            env=os.environ | ours | environment,
            input=raw,
            capture_output=True,
            timeout=120,
        )
        return ended.returncode, ended.stderr.decode()

    return receive


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"MAILS_PER_HOUR": "abc"}, "MAILS_PER_HOUR must be a whole number"),
        ({"SECRET_KEY": ""}, "SECRET_KEY"),
        ({"DATA_DIR": "/dev/null/data"}, "Not a directory"),
        ({"DATABASE_URL": "sqlite:////dev/null/db.sqlite3"}, "unable to open database file"),
        ({"DJANGO_SETTINGS_MODULE": "careregistry.of_tomorrow"}, "No module named"),
    ],
)
def test_what_is_wrong_with_us_is_to_be_tried_again(receive, environment, said):
    code, words = receive(**environment)

    assert (code, said in words) == (TRY_AGAIN, True), words


@pytest.fixture
def count(tmp_path):
    """How many mails are kept."""

    def count():
        with sqlite3.connect(tmp_path / "db.sqlite3") as database:
            (number,) = database.execute("SELECT COUNT(*) FROM messaging_inboundmail").fetchone()
        database.close()
        return number

    return count


def test_what_has_nothing_to_do_with_mail_keeps_none_out(receive, count):
    """A check that would stop the web server."""
    assert receive(REMIND_DAYS_BEFORE="9")[0] == 0
    assert count() == 1


@pytest.mark.parametrize(
    "environment", [{"SECRET_KEY": ""}, {"DATABASE_URL": "sqlite:////dev/null/db.sqlite3"}]
)
@pytest.mark.parametrize("where", ["2>/dev/full", ">/dev/full 2>&1", "2>&-"])
def test_a_log_that_takes_no_word_changes_nothing_about_that(receive, environment, where):
    assert receive(where=where, **environment)[0] == TRY_AGAIN


@pytest.mark.parametrize(
    "where", [">/dev/full", ">/dev/full 2>&1", "2>/dev/full", ">&-", ">&- 2>&-"]
)
def test_what_is_kept_is_not_brought_again_as_nobody_hears_so(receive, count, where):
    assert receive(where=where)[0] == 0
    assert count() == 1


@pytest.mark.parametrize(("words", "raw", "code"), [(["--cc=x"], RAW, 2), ([], b"\n", 65)])
def test_what_was_called_wrongly_or_is_no_mail_is_never_taken(receive, words, raw, code):
    assert receive(*words, raw=raw)[0] == code
