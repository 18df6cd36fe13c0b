from django.apps import AppConfig


class TicketsConfig(AppConfig):
    name = "tickets"

    def ready(self):
        from . import drafts, erasure, exports, receivers  # noqa: F401, PLC0415 -- connects their receivers
