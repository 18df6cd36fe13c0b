"""P5: bells as files, written by many and read by one."""

from pathlib import Path
from queue import Empty
from threading import Thread

import pytest
from kombu import Connection

from careregistry.broker import Transport


@pytest.fixture
def bells(tmp_path):
    folders = dict.fromkeys(("data_folder_in", "data_folder_out"), str(tmp_path))
    options = folders | {"control_folder": str(tmp_path / "control")}
    with Connection(transport=Transport, transport_options=options) as connection:
        yield connection.default_channel


def test_a_bell_is_heard_once(bells):
    bells._put("celery", {"body": "work"})

    assert bells._get("celery") == {"body": "work"}
    with pytest.raises(Empty):
        bells._get("celery")


def test_one_that_cannot_be_read_stops_nothing(bells, tmp_path):
    Path(tmp_path, "0_broken.celery.msg").touch()
    bells._put("celery", {"body": "work"})

    with pytest.raises(Empty):
        bells._get("celery")

    assert bells._get("celery") == {"body": "work"}


def test_none_is_seen_before_it_is_whole(bells):
    count = 300

    def ring():
        for number in range(count):
            bells._put("celery", {"number": number})

    ringer = Thread(target=ring)
    ringer.start()
    heard = []
    all_rung = False
    while not all_rung:
        all_rung = not ringer.is_alive()  # asked before the look, so that the last look sees all
        try:
            while True:
                heard.append(bells._get("celery")["number"])
        except Empty:
            pass

    assert sorted(heard) == list(range(count))


@pytest.mark.plan("SEC-F7")
def test_a_full_disk_leaves_nothing_behind(bells, tmp_path, monkeypatch):
    write = Path.write_text

    def half_written(path, words):
        write(path, words[:2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", half_written)

    with pytest.raises(OSError, match="No space"):
        bells._put("celery", {"body": "work"})
    assert not list(tmp_path.glob("*celery*"))
