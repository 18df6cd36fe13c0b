"""A customer, an agent and an administrator: each account from sign-up to erasure."""

import json
import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import expect

from accounts.tests.factor_tools import code_of
from accounts.tests.factories import PASSWORD

from .newcomers import NEWCOMERS, mails_to

pytestmark = pytest.mark.browser

FILES = Path(__file__).parent / "files"
NEW_PASSWORD = "four other small words"
NEWEST_PASSWORD = "five words nobody ever guesses"
REFUSED = "Check your email address and password"
RUTH = "ruth@example.org"
DESK = f"""
make_admin("Ruth", last_name="Adeyemi", email="{RUTH}", is_superuser=True)
make_agent("Sarah", last_name="Jones", email="sarah@example.org")
make_category("Faulty product", team_name="Returns team")
"""
THE_DAY_COMES = """
from django.utils import timezone
from accounts import erasure
person = User.objects.get(email="{email}")
User.objects.filter(pk=person.pk).update(erase_at=timezone.now())
erasure.erase_due()
person.refresh_from_db()
answer([person.get_full_name(), person.standing])
"""
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
)
TABLET = (
    "Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
)


@pytest.fixture(scope="module")
def desk(registry):
    """Ruth runs the place, Sarah answers there."""
    registry.ask(DESK)


@pytest.fixture
def ruth(visitor, desk):
    return visitor().sign_in(RUTH)


@pytest.mark.plan("SEC-C17")
@pytest.mark.parametrize("who", NEWCOMERS, ids=lambda who: who.role)
def test_account_from_sign_up_to_erasure(registry, visitor, ruth, who):
    """D0-1, D0-3, D0-7, D0-8, D1-1, D1-10, D1-14, D1-T5, D4-1"""
    someone, phone, tablet = visitor(), visitor(user_agent=PHONE), visitor(user_agent=TABLET)
    someone.plug_in_key()
    someone.sign_up(who.first_name, "Novak", who.email, who.choice)
    if who.role != "customer":
        waits(someone, who)
        says_why(someone, who)
        ruth_accepts(ruth, who)

    signs_in_at_home(someone, who)
    secret, recovery_code = sets_up_an_app(someone, who)
    adds_a_passkey(someone, who)
    fills_in_the_profile(someone)
    signs_in_elsewhere(phone, who, code_of(secret, steps=1))
    signs_in_elsewhere(tablet, who, recovery_code)
    throws_the_phone_out(someone, phone, tablet, who)
    changes_the_password(someone, tablet, who)
    reads_who_came_in(someone, ruth, who)
    takes_everything_along(someone, who)

    who.stay(someone, who, ruth)
    leaves(someone, who, NEW_PASSWORD)
    comes_back(someone, who)
    leaves(someone, who, NEWEST_PASSWORD)
    registry.expect_mails({who.email: mails_to(who)})
    is_gone(someone, who)
    assert "complete and unaltered" in registry.manage("verify_history")


# --- Coming in --------------------------------------------------------------------------


def waits(someone, who):
    """D1-2, D2-3: whoever asked to work here meets nothing else."""
    words = f"Your {who.role} account is waiting for approval"
    expect(someone.page.get_by_role("heading", name=words)).to_be_visible()
    for path in ("/tickets/", "/workspace/", "/admin/"):
        someone.go(path)
        expect(someone.page.get_by_text("You don’t have access to this page")).to_be_visible()
    page = someone.go("/").page
    expect(page.get_by_role("heading", name=words)).to_be_visible()


def says_why(someone, who):
    """Agents also what they know."""
    page = someone.page
    page.get_by_label("Why do you want to work here?").fill("I mended kettles for years.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved")).to_be_visible()
    if who.role == "agent":
        page.get_by_role("link", name="Choose what you know").click()
        page.get_by_label("Faulty product").select_option(label="Expert")
        page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Why do you want to work here?")).to_have_value(
        "I mended kettles for years."
    )


def ruth_accepts(ruth, who):
    """D1-T25, D1-T26, D1-T27, D4-9, D4-10: it leaves the queue, and the mail says so."""
    ruth.registry.mail_to(RUTH, f"{who.name} asks for an account as {who.role}")
    page = ruth.go("/admin/accounts/application/").page
    rows = page.locator("#result_list tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("I mended kettles for years.")
    rows.locator("th a").click()
    page.get_by_role("link", name="Approve", exact=True).click()
    knows = "Faulty product (expert)" if who.role == "agent" else "Not said"
    expect(page.locator("dd").last).to_have_text(knows)
    page.get_by_role("button", name=f"Yes, approve {who.name}").click()

    expect(page.get_by_text(f"{who.name}: accepted.")).to_be_visible()
    ruth.go("/admin/accounts/application/")
    expect(page.get_by_text("There are no pending requests")).to_be_visible()
    ruth.registry.mail_to(who.email, f"Your account as {who.role} is ready")


def signs_in_at_home(someone, who):
    """D1-T9, D1-T12, D1-T13"""
    sign_out(someone, who)
    someone.type_password(who.email)
    is_at_home(someone, who)
    expect(someone.page.get_by_text(who.welcome).first).to_be_visible()


def sign_out(someone, who):
    """From the menu behind the avatar."""
    page = someone.go("/account/security/").page
    page.locator("summary", has_text=who.name).click()
    page.get_by_role("button", name="Sign out", exact=True).first.click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def is_at_home(someone, who):
    expect(someone.page).to_have_url(re.compile(f"{who.home}$"))


# --- Second factors ---------------------------------------------------------------------


def sets_up_an_app(someone, who) -> tuple[str, str]:
    """Its secret, and one of the recovery codes. The next sign-in asks for it."""
    page = someone.go("/account/security/").page
    page.get_by_role("link", name="Set up second factor").click()
    page.get_by_role("link", name="Set up an authenticator app").click()
    secret = page.locator("code").inner_text()
    page.get_by_label("Code").fill(code_of(secret, steps=-1))
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_role("button", name="Set it up").click()
    expect(page.locator("ol li")).to_have_count(10)
    recovery_code = page.locator("ol li").first.inner_text()
    page.get_by_role("button", name="I’ve kept them").click()

    sign_out(someone, who)
    someone.type_password(who.email)
    type_factor(someone, code_of(secret))
    is_at_home(someone, who)
    return secret, recovery_code


def type_factor(someone, code):
    someone.page.get_by_label("Code").fill(code)
    someone.page.get_by_role("button", name="Continue").click()


def adds_a_passkey(someone, who):
    """It lets them in without any password."""
    page = someone.go("/account/security/second-factor/").page
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name").fill("Work laptop")
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("main")).to_contain_text("Passkey, set up on")

    sign_out(someone, who)
    page.get_by_role("button", name="Sign in with a passkey").click()
    is_at_home(someone, who)


def test_without_a_key_the_page_says_so(visitor):
    """Whoever has none here is told, and nothing else is in the way."""
    someone = visitor()
    someone.plug_in_key(isUserVerified=False)
    page = someone.go("/account/login/").page

    page.get_by_role("button", name="Sign in with a passkey").click()

    expect(page.get_by_role("alert")).to_contain_text("Your passkey wasn’t used")


# --- What is theirs ---------------------------------------------------------------------


def fills_in_the_profile(someone):
    """D4-8"""
    page = someone.go("/account/edit/").page
    page.get_by_label("Phone number").fill("+44 113 496 0000")
    page.get_by_label("Photo").set_input_files(FILES / "broken-kettle.png")
    page.get_by_role("button", name="Save profile").click()
    expect(page.get_by_role("main")).to_contain_text("+44 113 496 0000")

    page.get_by_role("link", name="Addresses").click()
    page.get_by_role("link", name="Add address").click()
    page.get_by_label("What you call it").fill("Home")
    page.get_by_label("Street and number").fill("1 Kettle Lane")
    page.get_by_label("Town or city").fill("Leeds")
    page.get_by_label("Country").fill("United Kingdom")
    page.get_by_role("button", name="Save address").click()
    expect(page.get_by_role("main")).to_contain_text("1 Kettle Lane")


def signs_in_elsewhere(device, who, code):
    device.go("/account/login/").type_password(who.email)
    type_factor(device, code)
    is_at_home(device, who)


def throws_the_phone_out(someone, phone, tablet, who):
    """D0-8: three places, two mails about them; one ends at once, the others stay."""
    someone.registry.mail_to(who.email, "New sign-in: Safari on iPhone")
    page = someone.go("/account/security/").page
    expect(page.get_by_text("This device")).to_have_count(1)
    page.get_by_role("button", name="Sign out Safari on iPhone").click()
    expect(page.get_by_text("That device is signed out.")).to_be_visible()

    phone.go(who.home)
    expect(phone.page).to_have_url(re.compile("/account/login/"))
    tablet.go(who.home)
    is_at_home(tablet, who)


def changes_the_password(someone, tablet, who):
    """D1-T40: every session ends, and the old password lets nobody in."""
    page = someone.go("/account/security/").page
    page.get_by_role("link", name="Change password").click()
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    page.get_by_label("The new password again").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Change password").click()

    expect(page.get_by_text("Password changed! Please Login")).to_be_visible()
    tablet.go(who.home)
    expect(tablet.page).to_have_url(re.compile("/account/login/"))
    someone.type_password(who.email)
    expect(page.get_by_text(REFUSED).first).to_be_visible()
    someone.type_password(who.email, NEW_PASSWORD)
    page.get_by_role("button", name="Use your passkey").click()
    is_at_home(someone, who)


SIGN_INS = [
    ("signed_in", "sign_up"),
    ("signed_out", ""),
    ("signed_in", "password"),
    ("signed_out", ""),
    ("signed_in", "password"),
    ("signed_out", ""),
    ("signed_in", "passkey"),
    ("signed_in", "password"),
    ("signed_in", "password"),
    ("revoked", ""),
    ("signed_out", ""),
    ("refused", "password"),
    ("signed_in", "password"),
]


def reads_who_came_in(someone, ruth, who):
    """D0-8: the newest first, for its owner and for administrators."""
    page = someone.go("/account/sign-ins/").page
    rows = page.get_by_role("main").locator(".ccr-list li")
    expect(rows).to_have_count(len(SIGN_INS))
    expect(rows.filter(has_text="New device")).to_have_count(2)
    expect(rows.nth(1)).to_contain_text("Refused · Password")

    page = ruth.go(f"/admin/accounts/user/?q={who.email}").page
    page.get_by_role("link", name=who.name).click()
    page.locator("#content").get_by_role("link", name="Sign-ins").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(len(SIGN_INS))


def takes_everything_along(someone, who):
    """D1-14: made by the worker, told by mail."""
    page = someone.go("/account/privacy/").page
    page.get_by_label("Current password").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Make my download").click()
    expect(page.get_by_text("We’re making your download. We’ll email")).to_be_visible()
    someone.registry.mail_to(who.email, "Your data is ready to download")
    page.reload()
    with page.expect_download() as download:
        page.get_by_role("button", name=f"Download {who.name}").click()

    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.namelist() == ["data.json", "photo.webp"]
        told = json.loads(archive.read("data.json"))
    account, address = told["account"][0], told["addresses"][0]
    names = ("first_name", "last_name", "email", "phone")
    assert [account[name] for name in names] == [
        who.first_name, "Novak", who.email, "+44 113 496 0000",
    ]  # fmt: skip
    assert (address["street"], address["is_default"]) == ("1 Kettle Lane", True)
    assert [(each["kind"], each["method"]) for each in told["sign_ins"]] == SIGN_INS
    asked = [] if who.role == "customer" else ["I mended kettles for years."]
    assert [each["why"] for each in told["applications"]] == asked
    assert [each["document"] for each in told["consents"]] == ["terms", "privacy"]


# --- Leaving ----------------------------------------------------------------------------


def leaves(someone, who, password):
    page = someone.go("/account/security/").page
    page.get_by_role("link", name="Delete my account").click()
    page.get_by_label("Current password").fill(password)
    page.get_by_role("button", name="Delete my account").click()
    expect(page.get_by_text("Sign in before then to keep it.")).to_be_visible()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def comes_back(someone, who):
    """D0-7, D1-T67, D1-T70, D1-T72: with the password forgotten, by a code from the mailbox."""
    page = someone.page
    page.get_by_role("link", name="Forgot password?").click()
    page.get_by_label("Email address").fill(who.email)
    page.get_by_role("button", name="Email me a code").click()
    someone.type_code(who.email, "is your code for a new password")
    page.get_by_label("New password", exact=True).fill(NEWEST_PASSWORD)
    page.get_by_label("The new password again").fill(NEWEST_PASSWORD)
    page.get_by_role("button", name="Save the new password").click()
    expect(page.get_by_text("Password changed! Please Login")).to_be_visible()

    someone.type_password(who.email, NEWEST_PASSWORD)
    page.get_by_role("button", name="Use your passkey").click()
    expect(page.get_by_text("Welcome back. Your account will not be deleted.")).to_be_visible()
    is_at_home(someone, who)


def is_gone(someone, who):
    """Neither the password nor the passkey opens anything."""
    gone = someone.registry.ask(THE_DAY_COMES.format(email=who.email))
    assert gone == ["Erased person", "erased"]

    someone.type_password(who.email, NEWEST_PASSWORD)
    expect(someone.page.get_by_text(REFUSED).first).to_be_visible()
    someone.page.get_by_role("button", name="Sign in with a passkey").click()
    expect(someone.page.get_by_text("That didn’t work. Try again").first).to_be_visible()
