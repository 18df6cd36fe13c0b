"""The administrator console: Django's admin behind the site's own door, with a dashboard."""

from operator import itemgetter

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from .dashboard import dashboard
from .doctor import examine

# Everybody signs in, signs out and changes passwords in one place, and that is not here.
DJANGOS_DOORS = {"login", "logout", "password_change", "password_change_done"}

# How the console is laid out, whatever app a thing belongs to. The rest are records.
PLACES = {
    _("Tickets"): ["Ticket", "Concern", "Suggestion", "Feedback", "CallRequest", "Problem",
                   "ComplaintCase"],
    _("People"): ["User", "Application", "Invitation", "AgentProfile"],
    _("How the desk works"): ["Category", "SlaPolicy", "Calendar", "Rule", "ComplaintTrack",
                              "ComplaintCode"],
    _("How it runs"): ["Doctor", "Mailbox", "InboundMail", "SenderRule", "AgentAddress",
                       "OutgoingMail", "Webhook", "WebhookDelivery"],
}  # fmt: skip


# A page that stands among the models in the sidebar.
DOCTOR = {"name": _("Doctor"), "object_name": "Doctor", "perms": {}, "view_only": True}


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
        doctor = self.admin_view(require_safe(self.doctor))
        return [path("doctor/", doctor, name="doctor"), *routes]

    def admin_view(self, view, cacheable=False):
        """Strangers meet the sign-in page, people who are no administrators a 403."""
        return secure_admin_login(super().admin_view(view, cacheable))

    def get_app_list(self, request, app_label=None):
        """The sidebar: by what administrators do, not by app."""
        apps = super().get_app_list(request, app_label)
        rows = {row["object_name"]: row for app in apps for row in app["models"]}
        rows["Doctor"] = DOCTOR | {"admin_url": reverse("admin:doctor")}
        placed = [
            (title, [rows.pop(name) for name in names if name in rows])
            for title, names in PLACES.items()
        ]
        placed.append((_("Records"), sorted(rows.values(), key=itemgetter("name"))))
        return [
            {
                "name": title,
                "app_label": f"place-{number}",
                "app_url": models[0]["admin_url"],
                "has_module_perms": True,
                "models": models,
            }
            for number, (title, models) in enumerate(placed)
            if models
        ]

    def index(self, request, extra_context=None):
        return super().index(request, {**(extra_context or {}), **dashboard(request.user)})

    def app_index(self, request, app_label, extra_context=None):
        """Apps have no pages here: Django's is made of the dashboard, and would have no figures."""
        return redirect("admin:index")

    def doctor(self, request):
        context = {"title": _("Is everything well?"), "findings": examine()}
        return TemplateResponse(
            request, "admin/doctor.html", {**self.each_context(request), **context}
        )
