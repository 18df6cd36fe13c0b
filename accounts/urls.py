"""Every door, by name. The library's own list has pages we do not offer."""

from django.contrib.auth.decorators import login_not_required
from django.urls import path
from django.views.generic import RedirectView

from .views import doors

urlpatterns = [
    path("login/", doors.LoginView.as_view(), name="account_login"),
    path("logout/", doors.LogoutView.as_view(), name="account_logout"),
    path("signup/", doors.SignupView.as_view(), name="account_signup"),
    path("confirm-email/", doors.EmailCodeView.as_view(), name="account_email_verification_sent"),
    path("inactive/", doors.InactiveView.as_view(), name="account_inactive"),
    path("waiting/", doors.waiting, name="account_waiting"),
    path("password/change/", doors.PasswordChangeView.as_view(), name="account_change_password"),
    path("password/reset/", doors.PasswordResetView.as_view(), name="account_reset_password"),
    path(
        "password/reset/confirm/",
        doors.ResetCodeView.as_view(),
        name="account_confirm_password_reset_code",
    ),
    path(
        "password/reset/complete/",
        doors.NewPasswordView.as_view(),
        name="account_complete_password_reset",
    ),
    # The library ends here; what it has to say stands on the sign-in page.
    path(
        "password/reset/done/",
        login_not_required(RedirectView.as_view(pattern_name="account_login")),
        name="account_password_reset_completed",
    ),
]
