"""An authenticator app and a security key, as people carry them."""

import hashlib
import json
import time

from allauth.mfa.totp.internal import auth as totp
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from django.urls import reverse
from fido2 import cbor
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import AttestedCredentialData, AuthenticatorData

from accounts import factors

from .doors import sign_in

ORIGIN = "http://localhost"
PRESENT, VERIFIED, HAS_KEY = 0x01, 0x04, 0x40


def code_of(secret, *, steps=0):
    """What an app with ``secret`` shows now, or showed so many steps ago (or will)."""
    return totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30 + steps))


def give_app(person) -> str:
    """Set up an app for ``person``, by a code of long ago: its secret."""
    secret = totp.generate_totp_secret()
    factors.add_app(person, secret, code_of(secret, steps=-9))
    return secret


def to_second_step(client, person):
    answer = sign_in(client, person.email)
    assert answer.headers["Location"] == reverse("mfa_authenticate")


def second_step(client, code):
    return client.post(reverse("mfa_authenticate"), {"code": code})


class SecurityKey:
    """Answers what a browser would say of it, in JSON."""

    def __init__(self, *, origin=ORIGIN, host="localhost", flags=PRESENT | VERIFIED):
        self.origin, self.flags = origin, flags
        self.host_hash = hashlib.sha256(host.encode()).digest()
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = b"key-" + hashlib.sha256(str(id(self)).encode()).digest()

    def create(self, options) -> dict:
        public = ES256.from_cryptography_key(self.key.public_key())
        attested = AttestedCredentialData.create(b"\0" * 16, self.id, public)
        said = AuthenticatorData.create(self.host_hash, self.flags | HAS_KEY, 0, attested)
        self.owner = websafe_decode(options["user"]["id"])
        attestation = cbor.encode({"fmt": "none", "attStmt": {}, "authData": bytes(said)})
        return self._answer(
            clientDataJSON=self._client_data("webauthn.create", options),
            attestationObject=attestation,
        )

    def get(self, options) -> dict:
        said = bytes(AuthenticatorData.create(self.host_hash, self.flags, 1))
        client_data = self._client_data("webauthn.get", options)
        signed = said + hashlib.sha256(client_data).digest()
        return self._answer(
            clientDataJSON=client_data,
            authenticatorData=said,
            signature=self.key.sign(signed, ec.ECDSA(hashes.SHA256())),
            userHandle=self.owner,
        )

    def _client_data(self, kind, options):
        facts = {"type": kind, "challenge": options["challenge"], "origin": self.origin}
        return json.dumps(facts | {"crossOrigin": False}).encode()

    def _answer(self, **response):
        name = websafe_encode(self.id)
        return {
            "id": name,
            "rawId": name,
            "type": "public-key",
            "response": {field: websafe_encode(value) for field, value in response.items()},
            "clientExtensionResults": {},
        }
