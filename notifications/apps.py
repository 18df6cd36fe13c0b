from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "notifications"

    def ready(self):
        from . import bell, privacy, receivers  # noqa: F401, PLC0415 -- app ready
        from .mail import bounces, template_checks  # noqa: F401, PLC0415 -- app ready
        from .short_messages import checkups  # noqa: F401, PLC0415 -- app ready
        from .short_messages import privacy as _privacy  # noqa: F401, PLC0415 -- app ready
        from .webhooks import events  # noqa: F401, PLC0415 -- app ready
