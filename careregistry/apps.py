from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.contrib.staticfiles.apps import StaticFilesConfig


class CareRegistryConfig(AppConfig):
    name = "careregistry"
    verbose_name = "Customer Care Registry"

    def ready(self):
        from . import checks, doctor  # noqa: F401, PLC0415 -- registers what they ask


class CareRegistryAdminConfig(AdminConfig):
    default_site = "careregistry.admin_site.RegistryAdminSite"


class CareRegistryStaticFilesConfig(StaticFilesConfig):
    """Leaves out what the packages bring and no page of ours loads: most of it, by size."""

    ignore_patterns = [
        *StaticFilesConfig.ignore_patterns,
        "bootstrap/js/*",
        "bootstrap/css/bootstrap-*",
        "bootstrap/css/bootstrap.css*",
        "bootstrap/css/*.rtl.*",
        "django_htmx/ext/*",
        "django_htmx/htmax-*",
        "django_htmx/htmx-4*",
        "django_htmx/htmx-2.js",
    ]
