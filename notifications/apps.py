from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "notifications"

    def ready(self):
        from . import privacy, receivers  # noqa: F401, PLC0415 -- app ready
        from .webhooks import events  # noqa: F401, PLC0415 -- app ready
