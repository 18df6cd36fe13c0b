"""Who asked for an account and has not proved the address yet."""

import secrets
import uuid
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.db import models
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from .people import Role

MAX_TRIES = 5


class SignUpQuerySet(models.QuerySet):
    def open(self):
        return self.filter(secret_at__gt=timezone.now() - settings.SIGN_UP_LIFE)

    def lapsed(self):
        return self.filter(secret_at__lte=timezone.now() - settings.SIGN_UP_LIFE)


class SignUp(models.Model):
    """What somebody typed to get an account. No account knows of it before they prove that the
    address is theirs: whoever signs up with a stranger's address changes nothing of the stranger.

    There is one for a taken address as well, only that nobody is ever told its secret.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    email = models.EmailField(max_length=254)
    first_name = models.CharField(max_length=150)
    last_name = models.CharField(max_length=150, blank=True)
    role = models.CharField(max_length=10, choices=Role)
    password = models.CharField(max_length=128)
    agreed = models.JSONField(default=dict)  # document → version, see ``consents``
    created_at = models.DateTimeField(default=timezone.now)
    # The newest code or link: only a keyed hash of it, when it was made, how often it was tried.
    secret_hash = models.CharField(max_length=64)
    secret_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)

    objects = SignUpQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["secret_at"], name="sign_up_oldest"),
            models.Index(fields=["email"], name="sign_up_email"),
        ]

    def __str__(self):
        return str(self.pk)  # names, address and password are nobody's business yet

    def new_code(self) -> str:
        return self._keep(f"{secrets.randbelow(10**8):08}")

    def new_link_token(self) -> str:
        return f"{self.pk.hex}.{self._keep(secrets.token_urlsafe(32))}"

    def _keep(self, secret: str) -> str:
        self.secret_hash, self.secret_at, self.tries = self._hash(secret), timezone.now(), 0
        return secret

    def _hash(self, secret: str) -> str:
        return salted_hmac("accounts.SignUp", self.pk.hex + secret, algorithm="sha256").hexdigest()

    def has_secret(self, secret: str) -> bool:
        return constant_time_compare(self.secret_hash, self._hash(secret))

    def has_password(self, password: str) -> bool:
        return check_password(password, self.password)

    def lives_for(self, life: timedelta) -> bool:
        """Whether the secret is no older than ``life``."""
        return timezone.now() <= self.secret_at + life

    def count_try(self) -> bool:
        """Count a try before it is judged, so that no two can be the same one. False: one too
        many."""
        few = SignUp.objects.filter(pk=self.pk, tries__lt=MAX_TRIES)
        counted = few.update(tries=F("tries") + 1)
        self.tries = self.tries + 1 if counted else MAX_TRIES
        return bool(counted)

    @property
    def is_used_up(self) -> bool:
        return self.tries >= MAX_TRIES
