"""The administrator console: Django's admin behind the site's own door, with a dashboard."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from .dashboard import dashboard

# Everybody signs in, signs out and changes passwords in one place, and that is not here.
DJANGOS_DOORS = {"login", "logout", "password_change", "password_change_done"}

# What happens most stands first.
PLACES = {"tickets": 1, "accounts": 2, "messaging": 3, "notifications": 4}


class RegistryAdminSite(admin.AdminSite):
    site_header = _("Customer Care Registry")
    site_title = _("Customer Care Registry administration")
    index_title = _("Dashboard")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.disable_action("delete_selected")  # what may be deleted is deleted one by one

    def get_urls(self):
        routes = [
            route for route in super().get_urls() if getattr(route, "name", "") not in DJANGOS_DOORS
        ]
        for route in routes:
            if route.callback:
                route.callback.login_url = None  # Django points it to its own door
        return routes

    def admin_view(self, view, cacheable=False):
        """Strangers meet the sign-in page, people who are no administrators a 403."""
        return secure_admin_login(super().admin_view(view, cacheable))

    def get_app_list(self, request, app_label=None):
        apps = super().get_app_list(request, app_label)
        return sorted(apps, key=lambda app: PLACES.get(app["app_label"], len(PLACES) + 1))

    def index(self, request, extra_context=None):
        return super().index(request, {**(extra_context or {}), **dashboard(request.user)})
