"""Somebody with a browser of their own, and everything that goes wrong in its pages."""

import re
from urllib.parse import urlsplit

from accounts.tests.factories import PASSWORD

# A fingerprint reader, with a finger on it.
KEY = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True,
    "hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip

# A promise of the moment at which some words are on the page for the first time.
WATCH = """([words, patience]) => {
  window.arrival = new Promise((arrived, missed) => {
    const look = () => document.body.innerText.includes(words) && arrived(Date.now() / 1000);
    new MutationObserver(look).observe(document.body, {
      subtree: true, childList: true, characterData: true, attributes: true,
    });
    look();
    setTimeout(() => missed(new Error(`never came: ${words}`)), patience);
  });
}"""


class Visitor:
    """A browser with one page open: ``page``. ``complaints`` must stay empty.

    A page complains of a script that fails, of something the content policy had to stop, and of
    a request to any other host.
    """

    def __init__(self, chromium, registry, *, patience, **options):
        self.registry = registry
        self.patience = patience  # milliseconds
        self.complaints = []
        # Without motion nobody waits for a page to come to rest.
        self.context = chromium.new_context(
            base_url=registry.address, reduced_motion="reduce", **options
        )
        self.context.set_default_timeout(patience)
        self.context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        self.context.on("console", self._hear)
        self.context.on("request", lambda request: self._check_host(request.url))
        self.context.on("page", lambda page: page.on("websocket", self._check_socket))
        self.page = self.context.new_page()

    def _hear(self, message):
        if "Content Security Policy" in message.text:
            self.complaints.append(f"{message.text} {message.location}")

    def _check_host(self, url):
        asked = urlsplit(url)
        is_ours = asked.netloc == urlsplit(self.registry.address).netloc
        if asked.scheme in ("http", "https", "ws", "wss") and not is_ours:
            self.complaints.append(f"request to {url}")

    def _check_socket(self, socket):
        self._check_host(socket.url)

    def plug_in_key(self, **differences):
        """Into the computer: for passkeys."""
        devices = self.context.new_cdp_session(self.page)
        devices.send("WebAuthn.enable")
        devices.send("WebAuthn.addVirtualAuthenticator", {"options": KEY | differences})

    def sign_up(self, first_name, last_name, email, role):
        """By the code from the mail. ``role`` in the words of the page."""
        page = self.go("/").page
        page.get_by_role("link", name="Create an account").first.click()
        page.get_by_text(role).click()
        page.get_by_label("First name").fill(first_name)
        page.get_by_label("Last name").fill(last_name)
        page.get_by_label("Email address").fill(email)
        page.get_by_label("Create a password").fill(PASSWORD)
        page.get_by_label("The password again").fill(PASSWORD)
        page.get_by_label("I agree").check()
        page.get_by_role("button", name="Create account").click()
        self.type_code(email, "is your confirmation code")

    def type_code(self, email, subject_part):
        """The 8 digits of the mail with ``subject_part``."""
        mail = self.registry.mail_to(email, subject_part)
        self.page.get_by_label("Security code").fill(re.match(r"\d{8}", mail["Subject"])[0])
        self.page.get_by_role("button", name="Continue").click()

    def type_password(self, email, password=PASSWORD):
        """On the sign-in page, which is open."""
        self.page.get_by_label("Email address").fill(email)
        self.page.get_by_label("Password", exact=True).fill(password)
        self.page.get_by_role("button", name="Sign in", exact=True).click()

    def sign_in(self, email):
        """Through the sign-in page, once; later with the cookies of that."""
        if email in self.registry.sessions:
            self.context.add_cookies(self.registry.sessions[email])
            return self
        self.go("/account/login/").type_password(email)
        self.page.wait_for_url(lambda url: "/account/login/" not in url)
        self.registry.sessions[email] = self.context.cookies()
        return self

    def go(self, path):
        self.page.goto(path)
        return self

    def watch_for(self, words):
        """A function that waits for ``words`` on the page and says when they came (Unix time)."""
        self.page.evaluate(WATCH, [words, self.patience])
        return lambda: self.page.evaluate("() => window.arrival")
