from django.contrib import admin


class RegistryAdminSite(admin.AdminSite):
    site_header = "Customer Care Registry"
