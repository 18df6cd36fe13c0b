import logging

import pytest
from django.db import connection, transaction
from django.test import override_settings

from messaging.tests.sockets import use_a_layer_of_its_own
from notifications.tests.telephones import PUSH_KEY

from .world import World


@pytest.fixture(scope="module")
def whole_world(django_db_setup, django_db_blocker, tmp_path_factory):
    """Made once for a file of tests, which undo what they do."""
    media_root = tmp_path_factory.mktemp("files")
    logging.disable()  # thousands of refusals, each with its traceback
    with (
        django_db_blocker.unblock(),
        override_settings(MEDIA_ROOT=media_root),
        transaction.atomic(),
    ):
        made = World(media_root)
        with connection.execute_wrapper(made.watch):
            yield made
        transaction.set_rollback(True)
    logging.disable(logging.NOTSET)


@pytest.fixture
def world(whole_world, db, settings, files_of_their_own):
    settings.MEDIA_ROOT = whole_world.media_root
    settings.PUSH_KEY, settings.SMS_URL = PUSH_KEY, "file:"
    use_a_layer_of_its_own(settings)
    whole_world.was_written_to = False
    return whole_world
