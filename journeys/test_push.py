"""Notifications in a real browser: allowed on a page, pushed by the worker, shown, stopped; and a
number for SMS.

No push service can be reached from a test. What the browser would get from one stands in the page:
the address of a server of the test, and keys that the test holds.
"""

import json
import re
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import expect

from notifications.tests.receiver import Receiver
from notifications.tests.telephones import encoded, read_push

from .conftest import WAIT
from .installation import PATIENCE
from .test_live import ALICE, CONVERSATION, WRITE

pytestmark = pytest.mark.browser

PAGE = "/account/notifications/"
SECRET = b"sixteen letters."
BROWSERS = """
from notifications.models import PushSubscription
answer(list(PushSubscription.objects.values_list("user__email", "browser", "session_key")))
"""
# What PushManager would give, if there were a push service.
STAND_IN = """(told) => {
  let current = null;
  const key = (words) => Uint8Array.from(
    atob(words.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
  PushManager.prototype.subscribe = async (options) => {
    sessionStorage.setItem("subscribed", JSON.stringify(options.applicationServerKey));
    return (current = make());
  };
  const make = () => ({
    endpoint: told.endpoint,
    options: {
      applicationServerKey: key(JSON.parse(sessionStorage.getItem("subscribed"))).buffer,
    },
    toJSON: () => ({ endpoint: told.endpoint, keys: { p256dh: told.p256dh, auth: told.auth } }),
    unsubscribe: async () => true,
  });
  if (sessionStorage.getItem("subscribed")) current = make();
  PushManager.prototype.getSubscription = async () => current;
}"""
SHOWN = """async () => {
  const registration = await navigator.serviceWorker.ready;
  const shown = await registration.getNotifications();
  return shown.map(({ title, body, tag, data }) => ({ title, body, tag, url: data.url }));
}"""

# A click on the one that is shown, and which page it opens. Only a hand may open windows, so the
# worker is asked which it would.
CLICK = """async () => {
  const [notification] = await registration.getNotifications();
  const click = new NotificationEvent("notificationclick", { notification });
  let opened;
  click.waitUntil = (work) => (opened = work);
  clients.openWindow = async (url) => url;
  self.dispatchEvent(click);
  return [await opened, (await registration.getNotifications()).length];
}"""


@pytest.fixture(scope="module")
def service():
    with Receiver() as receiver:
        receiver.answers = [201] * 100
        yield receiver


@pytest.fixture(scope="module")
def environment(service):
    """With a push service it may call."""
    return {"DJANGO_SETTINGS_MODULE": "journeys.push_settings"}


@pytest.fixture
def key():
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def reference(registry):
    return registry.ask(CONVERSATION)


@pytest.fixture
def alice(visitor, reference, service, key):
    """Her browser may show notifications."""
    alice = visitor()
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    told = {"endpoint": service.url, "p256dh": encoded(point), "auth": encoded(SECRET)}
    alice.context.grant_permissions(["notifications"])
    alice.context.add_init_script(f"({STAND_IN})({json.dumps(told)})")
    return alice.sign_in(ALICE).go(PAGE)


def allow(alice):
    alice.page.get_by_role("button", name="Show notifications on this device").click()
    expect(alice.page.get_by_text("This device shows notifications now.")).to_be_visible()


def wait_for(find):
    until = time.monotonic() + PATIENCE
    while not (found := find()):
        assert time.monotonic() < until
        time.sleep(0.1)
    return found


def deliver(alice, told) -> None:
    """As the push service would hand it over, opened by the browser."""
    session = alice.context.new_cdp_session(alice.page)
    versions = []
    session.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda facts: versions.extend(facts["registrations"]),
    )
    session.send("ServiceWorker.enable")
    registration = wait_for(lambda: alice.page.wait_for_timeout(50) or versions)[0]
    session.send(
        "ServiceWorker.deliverPushMessage",
        {
            "origin": alice.registry.address,
            "registrationId": registration["registrationId"],
            "data": told,
        },
    )


def test_allowed_pushed_shown_and_stopped(alice, registry, service, key, reference):
    """Issue 6, item 3."""
    allow(alice)
    assert registry.ask(BROWSERS)[0][:2] == [ALICE, "HeadlessChrome on Linux"]
    expect(alice.page.get_by_text("This device", exact=True)).to_be_visible()
    expect(alice.page.get_by_role("button", name="Show notifications")).to_be_hidden()

    service.calls.clear()
    registry.ask(WRITE.format(reference=reference, words="The serial number is 4711."))
    (call,) = wait_for(lambda: service.calls)
    told = read_push(call, key, SECRET)
    deliver(alice, json.dumps(told))
    (shown,) = wait_for(lambda: alice.page.evaluate(SHOWN))
    (worker,) = alice.context.service_workers
    opened, left = worker.evaluate(CLICK)
    alice.page.get_by_role("button", name=re.compile("^Stop")).click()

    assert shown == {
        "title": "Bob wrote to you",
        "body": reference,
        "tag": reference,
        "url": f"/tickets/{reference}/",
    }
    assert (opened, left) == (f"{registry.address}/tickets/{reference}/", 0)
    expect(alice.page.get_by_text("That device shows no more notifications.")).to_be_visible()
    assert registry.ask(BROWSERS) == []
    expect(alice.page.get_by_role("button", name="Show notifications")).to_be_visible()


def test_what_makes_no_sense_is_shown_as_something_new(alice):
    allow(alice)

    deliver(alice, "{broken")

    (shown,) = wait_for(lambda: alice.page.evaluate(SHOWN))
    assert shown["title"] == "Customer Care Registry"
    assert shown["body"] == "Something new for you"


def test_signed_in_anew_the_same_person_is_told_again_and_nobody_else(alice, registry):
    """Pushes end with the session; they come back by themselves to whoever allowed them."""
    allow(alice)
    page = alice.page
    alice.go("/tickets/")
    wait_for(lambda: page.evaluate("JSON.parse(localStorage.getItem('push')).session"))
    (before,) = registry.ask(BROWSERS)

    alice.context.clear_cookies()
    alice.sign_in("bob@example.org").go("/workspace/")
    page.wait_for_load_state("networkidle")
    to_bob = registry.ask(BROWSERS)
    alice.context.clear_cookies()
    registry.sessions.pop(ALICE, None)  # another session than before
    alice.sign_in(ALICE).go("/tickets/")

    assert to_bob == [before]
    (after,) = wait_for(lambda: [each for each in registry.ask(BROWSERS) if each != before])
    assert after[:2] == before[:2] == [ALICE, "HeadlessChrome on Linux"]


def test_who_said_no_is_told_where_to_change_that(visitor, reference):
    """Permission is asked for on a click only, and not at all once it was denied."""
    alice = visitor()
    alice.context.add_init_script(
        "Object.defineProperty(Notification, 'permission', { get: () => 'denied' })"
    )

    alice.sign_in(ALICE).go(PAGE)

    expect(alice.page.get_by_text("This browser shows none of our notifications")).to_be_visible()
    expect(alice.page.get_by_role("button", name="Show notifications")).to_be_hidden()


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({}, "or the window is private"),
        ({"permissions": ["notifications"]}, "A private window shows no notifications"),
    ],
)
def test_in_a_private_window_the_page_says_so(visitor, reference, told, words):
    """Which each of these browsers is, and no push service stands in."""
    alice = visitor(**told).sign_in(ALICE).go(PAGE)

    alice.page.get_by_role("button", name="Show notifications").click()

    expect(alice.page.get_by_text(words)).to_be_visible()


def test_an_iphone_is_told_to_install_first(visitor, reference):
    alice = visitor(user_agent="Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)")
    alice.context.add_init_script("delete window.PushManager")

    alice.sign_in(ALICE).go(PAGE)

    expect(alice.page.get_by_text("add to the home screen", exact=False)).to_be_hidden()
    expect(alice.page.get_by_text("Add to Home Screen")).to_be_visible()


def test_a_number_is_proved_by_the_code_in_the_sms(visitor, registry, reference):
    """By the file that stands in for the SMS."""
    alice = visitor().sign_in(ALICE).go(PAGE)
    page = alice.page

    page.get_by_role("link", name="Add a number").click()
    page.get_by_label("Mobile number").fill("+44 7400 123456")
    page.get_by_role("button", name="Send me a code").click()
    sent = Path(registry.environment["DATA_DIR"], "sms")
    (path,) = wait_for(lambda: list(sent.glob("*.txt")))
    code = re.search(r"^\d{8}", path.read_text(), re.MULTILINE)[0]
    page.get_by_label("Security code").fill(code)
    page.get_by_role("button", name="Get SMS at this number").click()

    expect(page.get_by_text("You get SMS there now.")).to_be_visible(timeout=WAIT)
    expect(page.get_by_text("+44 7400 123456", exact=True).first).to_be_visible()
