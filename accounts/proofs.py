"""What is somebody's once a code that was sent there came back: an email address, a number."""

import time
from abc import ABC, abstractmethod

from allauth.account.adapter import get_adapter
from allauth.core.internal.cryptokit import normalize_user_code
from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from . import limits


class Proof(ABC):
    """The wait of one browser for a code. A subclass sends it.

    The accounts library has such steps for its own codes. That for a new address asks for no
    password, and belongs to the sign-up.
    """

    session_key = ""

    def __init__(self, request, state):
        self.request = request
        self.state = state

    @classmethod
    def start(cls, request, **facts: str) -> None:
        proof = cls(request, {"at": time.time()} | facts)
        proof.send()
        request.session[cls.session_key] = proof.state

    @classmethod
    def resume(cls, request):
        """The wait of this browser, or None if there is none or it was too long."""
        state = request.session.get(cls.session_key)
        if state and time.time() - state["at"] <= settings.CODE_SECONDS:
            return cls(request, state)
        return None

    def end(self) -> None:
        self.request.session.pop(self.session_key, None)

    @abstractmethod
    def send(self) -> None:
        """The code, which ``new_code`` makes, on its way."""

    def new_code(self) -> str:
        code = get_adapter().generate_email_verification_code()
        self.state["proof"] = self._digest(code)
        return code

    def accepts(self, code: str) -> bool:
        return constant_time_compare(self.state.get("proof", ""), self._digest(code))

    def _digest(self, code: str) -> str:
        code = normalize_user_code(code)
        return salted_hmac(self.session_key, code, algorithm="sha256").hexdigest()

    def is_given(self, form) -> bool:
        """Whether ``form`` holds the code. Five tries, then this ends, and raises Limited."""
        try:
            tries = limits.take(limits.bucket("code_tries", self.request.user.pk, self.state["at"]))
        except limits.Limited:
            self.end()
            raise
        if form.has_error("code", "required"):
            limits.give_back(tries)
        return form.is_valid()
