"""What the accounts library would show in the console. Its rows are codes, keys and secrets: each
is changed by its owner, through the library's own steps."""

from importlib import import_module

from django.contrib import admin
from django.contrib.auth.admin import Group

LIBRARY = ("account", "mfa", "socialaccount", "usersessions")

for app in LIBRARY:
    import_module(f"allauth.{app}.admin")  # which registers what is taken out below

admin.site.unregister(
    [Group, *(model for model in admin.site._registry if model._meta.app_label in LIBRARY)]
)
