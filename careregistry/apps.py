from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class CareRegistryConfig(AppConfig):
    name = "careregistry"
    verbose_name = "Customer Care Registry"

    def ready(self):
        from . import checks  # noqa: F401, PLC0415 -- registers the system checks


class CareRegistryAdminConfig(AdminConfig):
    default_site = "careregistry.admin_site.RegistryAdminSite"
