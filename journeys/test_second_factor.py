"""An agent sets up an app and a passkey, and comes in with each (SEC-C17)."""

import pytest
from playwright.sync_api import expect

from accounts.tests.factor_tools import code_of
from accounts.tests.factories import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.plan("SEC-C17")]

BOB = "bob@example.org"
MAKE_BOB = f'answer(make_agent("Bob", email="{BOB}").pk)'
KEY = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True,
    "hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


@pytest.fixture
def bob(visitor, registry):
    """In a browser that has a fingerprint reader."""
    registry.ask(MAKE_BOB)
    bob = visitor()
    devices = bob.context.new_cdp_session(bob.page)
    devices.send("WebAuthn.enable")
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})
    return bob


def type_password(page):
    page.get_by_label("Email address").fill(BOB)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def sign_out(page):
    page.context.clear_cookies(name="sessionid")
    page.goto("/account/login/")


def test_an_app_and_a_passkey(bob):
    page = bob.page
    page.goto("/account/login/")
    type_password(page)
    page.goto("/account/security/")
    page.get_by_role("link", name="Set up second factor").click()

    page.get_by_role("link", name="Set up an authenticator app").click()
    secret = page.locator("code").inner_text()
    page.get_by_label("Code").fill(code_of(secret, steps=-1))
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_role("button", name="Set it up").click()
    expect(page.locator("ol li")).to_have_count(10)
    page.get_by_role("button", name="I’ve kept them").click()

    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name").fill("Work laptop")
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("main")).to_contain_text("Passkey, set up on")

    sign_out(page)
    type_password(page)
    page.get_by_label("Code").fill(code_of(secret))
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/workspace/**")

    sign_out(page)
    type_password(page)
    page.get_by_role("button", name="Use your passkey").click()
    page.wait_for_url("**/workspace/**")

    sign_out(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/workspace/**")


def test_without_a_key_the_page_says_so(visitor):
    """Whoever has none here is told, and nothing else is in the way."""
    page = visitor().page
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    empty = KEY | {"isUserVerified": False}
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": empty})
    page.goto("/account/login/")

    page.get_by_role("button", name="Sign in with a passkey").click()

    expect(page.get_by_role("alert")).to_contain_text("Your passkey wasn’t used")
