"""Whoever reads what a command writes may stop reading."""

import os
import subprocess
import sys

import pytest
from django.conf import settings

from careregistry.piped import survives_closed_pipe


def test_a_command_whose_reader_stops_ends_quietly():
    """As in ``manage.py outbox list | head -1``."""
    reading, writing = os.pipe()
    os.close(reading)

    with os.fdopen(writing, "wb") as closed:
        done = subprocess.run(
            [sys.executable, "manage.py", "help"],
            cwd=settings.BASE_DIR,
            env=os.environ | {"DJANGO_SETTINGS_MODULE": "careregistry.settings_test"},
            stdout=closed,
            stderr=subprocess.PIPE,
        )

    assert (done.returncode, done.stderr) == (141, b"")


def test_another_broken_pipe_is_not_hidden():
    with pytest.raises(BrokenPipeError), survives_closed_pipe():
        raise BrokenPipeError
