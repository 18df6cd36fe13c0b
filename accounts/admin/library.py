"""What the accounts library would show in the console. Its rows are codes, keys and secrets: each
is changed by its owner, through the library's own steps."""

# Importing these registers what is taken out below.
from allauth.account.admin import EmailAddressAdmin  # noqa: F401
from allauth.account.models import EmailAddress
from allauth.mfa.admin import AuthenticatorAdmin  # noqa: F401
from allauth.mfa.models import Authenticator
from allauth.socialaccount.admin import SocialAccountAdmin  # noqa: F401
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.admin import UserSessionAdmin  # noqa: F401
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.admin import Group

admin.site.unregister(
    [EmailAddress, Authenticator, SocialAccount, SocialApp, SocialToken, UserSession, Group]
)
