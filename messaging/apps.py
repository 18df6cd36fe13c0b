from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "messaging"

    def ready(self):
        from . import receivers  # noqa: F401, PLC0415 -- app ready
        from .inbound import checkups, privacy  # noqa: F401, PLC0415 -- app ready
