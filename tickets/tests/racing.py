"""Several people at the same moment, each on a thread and a database connection of their own."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import connection
from django.test import Client


def race(*acts) -> list:
    """What each of ``acts`` gave back or raised, in their order. They all start together."""
    start = Barrier(len(acts))

    def run(act):
        start.wait()
        try:
            return act()
        except Exception as refusal:  # noqa: BLE001 -- the test looks at it
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(run, acts))


def signed_in(person) -> Client:
    client = Client()
    client.force_login(person)
    return client
