"""Secrets that must be read again, like those of webhooks: encrypted with a key that is not in the
database. Those of before a change of ``SECRET_KEY`` are read with ``SECRET_KEY_FALLBACKS``.
"""

import base64

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac


def seal(secret: str, purpose: str) -> str:
    return _cipher(purpose).encrypt(secret.encode()).decode()


def unseal(sealed: str, purpose: str) -> str:
    """Raises InvalidToken if it was sealed for another purpose, or with a key that is gone."""
    return _cipher(purpose).decrypt(sealed.encode()).decode()


def _cipher(purpose) -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_derived(key, purpose)) for key in keys])


def _derived(key: str, purpose: str) -> bytes:
    digest = salted_hmac(purpose, "at rest", secret=key, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest)
