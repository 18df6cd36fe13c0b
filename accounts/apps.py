from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "People"

    def ready(self):
        from . import erasure, own_data, receivers  # noqa: F401, PLC0415 -- app ready
