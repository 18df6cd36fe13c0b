from allauth.account import signals as library
from allauth.account.signals import password_changed, password_reset
from allauth.mfa.signals import authentication_failed
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.utils import timezone

from . import consents, limits, sessions, sign_ins
from .models import AccountEvent, LoginRecord, User
from .records import note


@receiver(user_logged_in)
def begin_the_session(sender, request, user, **kwargs):
    """Whoever is in at last has made the mistakes before by accident."""
    sessions.begin(request.session, user)
    limits.clear(limits.sign_in(request, user.email)[0])
    if not consents.missing(user):
        consents.remember(request.session)


@receiver([password_changed, password_reset])
def note_the_new_password(sender, request, user, **kwargs):
    """Inside the transaction that changed it, of one's own accord or after a code."""
    User.objects.filter(pk=user.pk).update(
        password_changed_at=timezone.now(), must_change_password=False
    )
    note(user, AccountEvent.Kind.PASSWORD_CHANGED, by=user)
    limits.clear(*limits.sign_in(request, user.email)[:2])


@receiver(library.user_logged_in)
def note_the_sign_in(sender, request, response, user, **kwargs):
    sign_ins.note_sign_in(request, response, user)


@receiver(user_login_failed)
def note_the_wrong_password(sender, credentials, request, **kwargs):
    owner = User.objects.filter(email=credentials.get("email", "").lower()).first()
    sign_ins.note_refusal(request, owner, LoginRecord.Method.PASSWORD)


@receiver(library.login_code_rejected)
def note_the_wrong_code(sender, request, user, **kwargs):
    sign_ins.note_refusal(request, user, LoginRecord.Method.CODE)


@receiver(authentication_failed)
def note_the_wrong_second_factor(sender, request, user, **kwargs):
    sign_ins.note_refusal(request, user)


@receiver(user_logged_out)
def note_the_sign_out(sender, request, user, **kwargs):
    if user:
        sign_ins.note_sign_out(request, user)
