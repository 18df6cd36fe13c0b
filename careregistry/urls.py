from django.contrib import admin
from django.urls import include, path

from accounts.views import consents

from . import health, views

urlpatterns = [
    path("", views.home, name="home"),
    path("theme/", views.theme, name="theme"),
    path("health/live", health.live, name="health_live"),
    path("health/ready", health.ready, name="health_ready"),
    path("terms/", consents.document, {"name": "terms"}, name="terms"),
    path("privacy/", consents.document, {"name": "privacy"}, name="privacy"),
    path("account/", include("accounts.urls")),
    path("", include("tickets.urls")),
    path("", include("messaging.urls")),
    path("", include("notifications.urls")),
    path("admin/", admin.site.urls),
]

handler400 = "careregistry.views.bad_request"
handler403 = "careregistry.views.permission_denied"
handler404 = "careregistry.views.page_not_found"
handler500 = "careregistry.views.server_error"
handler429 = "careregistry.views.too_many_requests"  # asked for by the accounts library
