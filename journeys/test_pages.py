"""Every page on every width in both themes: no axe finding, nothing that sticks out, a picture.

``SOAK=1`` looks at every width in both themes; without it a phone by day and a desk by night.
The pictures are in ``test-results/screens``.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings

pytestmark = pytest.mark.browser

SCREENS = settings.BASE_DIR / "test-results" / "screens"
FILES = Path(__file__).parent / "files"
HEIGHTS = {360: 740, 390: 844, 768: 1024, 1440: 900}
WIDTHS = [320, *HEIGHTS, 1024]  # nothing may stick out
# Without ``preload`` axe writes no style sheets into the page, which our content policy stops.
AXE = {"resultTypes": ["violations"], "preload": False}
VIEWS = [(390, "light"), (1440, "dark")]
if os.environ.get("SOAK"):
    VIEWS = [(width, theme) for width in HEIGHTS for theme in ("light", "dark")]

DEMONSTRATION = """
from django.contrib.auth.hashers import make_password
from accounts.tests.factories import PASSWORD
from notifications.mail.unsubscribing import path_to_stop
from tickets.improvement.feedback import path_to_rate
User.objects.update(password=make_password(PASSWORD))
nadia = make_user("Nadia", last_name="Novak", email="nadia@example.com")
make_agent("Idris", last_name="Idle", email="idris@example.com")
amara, noor = "amara.okafor@example.com", "noor.elamrani@example.com"
def of(status, **whose):
    return Ticket.objects.filter(status=status, **whose).order_by("message_count", "pk").last()
amaras = {status: of(status, requester__email=amara) for status in Status}
hold, closed = of("hold"), of("closed", requester__email=noor)
withdrawn = of("withdrawn")
endless = "https://shop.example/?order=" + "4711" * 40
Ticket.objects.filter(pk=Ticket.objects.filter(assignee=None).last().pk).update(subject=endless)
from tickets.models import ComplaintCase, Problem, Rule, RuleRun
graded = ComplaintCase.objects.first().ticket
opened = amaras["open"]
messaging.post_message(opened, by=opened.assignee, body="The replacement leaves today.")
ruth = User.objects.get(email="ruth.adeyemi@example.com")
problem = Problem.objects.create(title="Batch B-17 stays cold", owner=ruth, created_by=ruth)
Ticket.objects.filter(pk=amaras["open"].pk).update(problem=problem)
rule = Rule.objects.create(name="Kettles", trigger="raised", words="kettle", set_priority="urgent")
RuleRun.objects.create(rule=rule, ticket=hold, state="done", answer="priority: Urgent")
from messaging import budgets
from messaging.models import InboundMail, Mailbox
away = {"by": None, "body": "Nobody is here right now.", "rule": "out_of_hours"}
messaging.post_message(amaras["open"], **away)
budgets.stop(amaras["open"], person=amaras["open"].requester, most=5)
box = Mailbox.objects.create(name="Care", host="127.0.0.1", username="care", last_problem="Refused")
mail = InboundMail.objects.create(
    source="imap", mailbox=box, size=49_138, sha256="0" * 64, sender="zoe@example.org",
    subject="The toaster burns on one side", fate="held", reason="spam", raw="mail-in/00/0",
)
from datetime import timedelta
from django.contrib.sessions.models import Session
from django.utils import timezone
from notifications.models import PushSubscription, Reaching, ShortMessage
tomorrow = timezone.now() + timedelta(days=1)
Session.objects.create(session_key="pushed", session_data="", expire_date=tomorrow)
PushSubscription.objects.create(user=nadia, session_key="pushed", browser="Firefox on Android")
Reaching.objects.create(user=nadia, sms_number="+447400123456")
ShortMessage.objects.create(channel="sms", recipient=nadia, state="failed", tries=6,
    number="+447400123456", last_answer="500 Internal Server Error", expires_at=tomorrow)
answer({
    **{status: ticket.reference for status, ticket in amaras.items() if ticket},
    "hold": hold.reference,
    "hold_agent": hold.assignee.email,
    "hold_requester": hold.requester.email,
    "closed": closed.reference,
    "closed_agent": closed.assignee.email,
    "withdrawn": withdrawn.reference,
    "withdrawn_requester": withdrawn.requester.email,
    "open_agent": amaras["open"].assignee.email,
    "open_pk": amaras["open"].pk,
    "rule_pk": rule.pk,
    "mail_pk": mail.pk,
    "box_pk": box.pk,
    "graded": graded.reference,
    "graded_agent": graded.assignee.email,
    "graded_requester": graded.requester.email,
    "problem_pk": problem.pk,
    "rate": path_to_rate(amaras["resolved"]),
    "stop_mails": path_to_stop(User.objects.get(email="idris@example.com"), "message"),
})
"""


@pytest.fixture(scope="module")
def world(registry):
    """The demonstration, and where to find what in it."""
    registry.manage("demo")
    return registry.ask(DEMONSTRATION)


@dataclass(frozen=True)
class Page:
    """``who`` opens ``path``; ``act`` brings the page into the state to look at."""

    name: str
    path: str
    who: str = ""
    act: callable = None


AMARA = "amara.okafor@example.com"
NADIA = "nadia@example.com"
NOOR = "noor.elamrani@example.com"
PRIYA = "priya.raman@example.com"
RUTH = "ruth.adeyemi@example.com"


# --- What people do to get there --------------------------------------------------


def press(words):
    return lambda page, world: page.get_by_role("button", name=words).first.click()


def sign_up(page, world):
    page.get_by_label("First name").fill("Newton")
    page.get_by_label("Email address").fill("newton@example.com")
    page.get_by_label("Create a password").fill("three small words")
    page.get_by_label("The password again").fill("three small words")
    page.get_by_label("I agree").check()
    page.get_by_role("button", name="Create account").click()
    page.get_by_role("heading", name="Check your email").wait_for()


def send_wrong_form(page, world):
    page.get_by_label("Subject").fill("Kettle")
    page.locator("#id_purchased_on_0").fill("31")
    page.locator("#id_purchased_on_1").fill("2")
    page.get_by_label("Phone number").fill("12")
    press("Review your ticket")(page, world)
    page.locator("#errors").wait_for()


def fill_form(page, world):
    page.get_by_label("What is it about?").select_option(label="Faulty or damaged product")
    page.get_by_label("Subject").fill("Kettle stopped heating after two weeks")
    page.get_by_label("Describe it").fill("The light comes on but the water stays cold.")
    page.set_input_files("#id_attachments", FILES / "receipt.pdf")
    page.locator("#draft-files .ccr-file").wait_for()
    press("Review your ticket")(page, world)
    page.get_by_role("heading", name="Check your ticket").wait_for()


def send_ticket(page, world):
    fill_form(page, world)
    press("Send ticket")(page, world)
    page.get_by_role("heading", name="We have your ticket").wait_for()


def write_note(page, world):
    page.get_by_text("Internal note", exact=True).last.click()
    page.get_by_label("Message", exact=True).fill("The warehouse has three of these left.")


def move_wrongly(page, world):
    page.get_by_text("Change the status").click()
    page.get_by_label("Move to").select_option(label="Resolved")
    press("Move the ticket")(page, world)
    page.locator("#move_resolution_error").wait_for()


def write_endless_rule(page, world):
    page.get_by_label("Name").fill("Round and round")
    page.get_by_label("What happens").select_option(label="The status changes")
    page.get_by_label("Move to").select_option(label="In progress")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("This would set the rule off again").wait_for()


def leave_half_the_hours_out(page, world):
    page.get_by_label("Quiet from").fill("22:00")
    press("Save notifications")(page, world)
    page.locator("#id_quiet_until_error").wait_for()


def type_no_code(page, world):
    page.get_by_label("Mobile number").fill("+44 7400 654321")
    press("Send me a code")(page, world)
    press("Get SMS at this number")(page, world)
    page.locator("#errors").wait_for()


def choose_agent(page, world):
    row = page.locator("#unassigned tbody tr").first
    row.get_by_role("combobox").select_option(index=1)
    row.get_by_role("button", name="Assign").click()
    page.get_by_text("Do you really want to assign").wait_for()


def decline(page, world):
    page.get_by_role("link", name="Decline").first.click()
    press("Yes, decline")(page, world)


def open_menus(page, world):
    for summary in page.locator("summary:visible").all():
        summary.click()


PAGES = [
    Page("landing", "/"),
    Page("login", "/account/login/"),
    Page("login-errors", "/account/login/", act=press("Sign in")),
    Page("signup", "/account/signup/"),
    Page("signup-errors", "/account/signup/", act=press("Create account")),
    Page("code", "/account/signup/", act=sign_up),
    Page("password-reset", "/account/password/reset/"),
    Page("password-change", "/account/password/change/", NADIA),
    Page("profile", "/account/", NADIA),
    Page("profile-edit", "/account/edit/", NADIA),
    Page("addresses", "/account/addresses/", NADIA),
    Page("address-errors", "/account/addresses/add/", NADIA, press("Save address")),
    Page("email-change", "/account/email/", NADIA),
    Page("notifications", "/account/notifications/", NADIA),
    Page("notifications-errors", "/account/notifications/", NADIA, leave_half_the_hours_out),
    Page("number-errors", "/account/notifications/number/", AMARA, press("Send me a code")),
    Page("number-code-errors", "/account/notifications/number/", NOOR, type_no_code),
    Page("bell", "/notifications/", AMARA),
    Page("bell-empty", "/notifications/", "idris@example.com"),
    Page("told", "/workspace/tickets/{open}/told/", "open_agent"),
    Page("work", "/account/work/", PRIYA),
    Page("waiting", "/account/waiting/", "ines.jovanovic@example.com"),
    Page("list-empty", "/tickets/", NADIA),
    Page("list", "/tickets/?tab=all", AMARA),
    Page("list-turn", "/tickets/", AMARA),
    Page("raise", "/tickets/new/", NOOR),
    Page("raise-errors", "/tickets/new/", NOOR, send_wrong_form),
    Page("raise-stranger", "/tickets/new/"),
    Page("review", "/tickets/new/", "helen.brandt@example.com", fill_form),
    Page("done", "/tickets/new/", "kofi.asante@example.com", send_ticket),
    Page("ticket-new", "/tickets/{new}/", AMARA),
    Page("ticket-open", "/tickets/{open}/", AMARA, open_menus),
    Page("ticket-waiting", "/tickets/{waiting}/", AMARA),
    Page("ticket-hold", "/tickets/{hold}/", "hold_requester"),
    Page("ticket-resolved", "/tickets/{resolved}/", AMARA),
    Page("ticket-closed", "/tickets/{closed}/", NOOR),
    Page("rate", "{rate}"),
    Page("stop-mails", "{stop_mails}"),
    Page("stopped-mails", "{stop_mails}", act=press("Stop these mails")),
    Page("rate-errors", "{rate}", act=press("Send feedback")),
    Page("concerns", "/concerns/", AMARA, press("Send")),
    Page("ratings", "/workspace/ratings/", "tomas.silva@example.com"),
    Page("suggest", "/workspace/tickets/{open}/suggestion/", "open_agent", press("Keep it")),
    Page("ticket-withdrawn", "/tickets/{withdrawn}/", "withdrawn_requester"),
    Page("ticket-close", "/tickets/{open}/#close", AMARA),
    Page("workspace", "/workspace/", PRIYA),
    Page("workspace-empty", "/workspace/", "idris@example.com"),
    Page("workspace-unassigned", "/workspace/?view=unassigned", PRIYA),
    Page("workspace-none-match", "/workspace/?view=mine&q=nothing+like+this", PRIYA),
    Page("workspace-ticket", "/workspace/tickets/{open}/", "open_agent"),
    Page("workspace-note", "/workspace/tickets/{open}/", "open_agent", write_note),
    Page("workspace-move-errors", "/workspace/tickets/{open}/", "open_agent", move_wrongly),
    Page("workspace-menus", "/workspace/tickets/{hold}/", "hold_agent", open_menus),
    Page("workspace-closed", "/workspace/tickets/{closed}/", "closed_agent"),
    Page("workspace-pool", "/workspace/tickets/{new}/", "lena.fischer@example.com"),
    Page("workspace-case", "/workspace/tickets/{graded}/", "graded_agent", open_menus),
    Page("ticket-case", "/tickets/{graded}/", "graded_requester"),
    Page("workspace-link", "/workspace/tickets/{open}/link/", "open_agent", press("Link")),
    Page("workspace-merge", "/workspace/tickets/{open}/merge/", "open_agent", press("Merge")),
    Page("workspace-split", "/workspace/tickets/{open}/split/", "open_agent", press("Split")),
    Page("problems", "/workspace/problems/", PRIYA),
    Page("problem", "/workspace/problems/{problem_pk}/", RUTH),
    Page("problem-mend", "/workspace/problems/{problem_pk}/mend/", RUTH),
    Page("admin", "/admin/", RUTH),
    Page("admin-assign", "/admin/", RUTH, choose_agent),
    Page("admin-decline", "/admin/", RUTH, decline),
    Page("admin-tickets", "/admin/tickets/ticket/", RUTH),
    Page("admin-ticket", "/admin/tickets/ticket/{open_pk}/change/", RUTH),
    Page("admin-rules", "/admin/tickets/rule/", RUTH),
    Page("admin-rule", "/admin/tickets/rule/{rule_pk}/change/", RUTH),
    Page("admin-rule-wrong", "/admin/tickets/rule/add/", RUTH, write_endless_rule),
    Page("admin-rule-try", "/admin/tickets/rule/{rule_pk}/try/", RUTH),
    Page("admin-requests", "/admin/accounts/application/", RUTH),
    Page("admin-people", "/admin/accounts/user/", RUTH),
    Page("admin-concerns", "/admin/tickets/concern/", RUTH),
    Page("admin-suggestions", "/admin/tickets/suggestion/", RUTH),
    Page("admin-mailbox", "/admin/messaging/mailbox/add/", RUTH, press("Save")),
    Page("admin-mailboxes", "/admin/messaging/mailbox/", RUTH),
    Page("admin-mailbox-state", "/admin/messaging/mailbox/{box_pk}/change/", RUTH),
    Page("admin-mail-in", "/admin/messaging/inboundmail/", RUTH),
    Page("admin-mail-in-one", "/admin/messaging/inboundmail/{mail_pk}/change/", RUTH),
    Page("admin-category", "/admin/tickets/category/1/change/", RUTH),
    Page("admin-webhook", "/admin/notifications/webhook/add/", RUTH, press("Save")),
    Page("admin-short-messages", "/admin/notifications/shortmessage/", RUTH),
    Page("admin-doctor", "/admin/doctor/", RUTH),
    Page("admin-outbox", "/admin/notifications/outgoingmail/", RUTH),
    Page("admin-troubled-addresses", "/admin/notifications/addresstrouble/", RUTH),
    Page("admin-mail-server", "/admin/notifications/circuit/", RUTH),
    Page("404", "/tickets/CCR-2020-99999/", AMARA),
    Page("403", "/admin/", AMARA),
]


@pytest.mark.parametrize("look", PAGES, ids=lambda look: look.name)
def test_page_is_accessible_and_fits(visitor, world, look):
    someone = visitor(viewport={"width": 1440, "height": 900})
    if look.who:
        someone.sign_in(world.get(look.who, look.who))
    page = someone.go(look.path.format(**world)).page
    if look.act:
        look.act(page, world)

    findings = [finding for view in VIEWS for finding in look_at(page, look.name, *view)]

    assert findings == []
    assert [width for width in WIDTHS if page_width(page, width) > width] == []


def test_a_mail_fits_whatever_it_says(visitor, registry):
    page = visitor().page
    mail = registry.manage("mail_templates", "show", "message", "--html")

    page.set_content(mail.replace("Good news", "https://shop.example/" + "news" * 80))

    assert "newsnews" in page.inner_text("body")
    assert [width for width in WIDTHS if page_width(page, width) > width] == []
    assert page.locator(".card").bounding_box()["width"] == 600


def page_width(page, width) -> int:
    """How wide the page is in a window of ``width``. A list of the console scrolls by itself."""
    resize(page, width, 640)
    return page.evaluate(
        "const list = document.querySelector('#changelist .results');"
        "document.documentElement.scrollWidth + (list ? list.scrollWidth - list.clientWidth : 0)"
    )


# Not ``wait_for_function``: what it asks a second time, the page's own policy refuses (no eval).
RESIZED = """width => new Promise(drawn => {
    const look = () => requestAnimationFrame(
        () => innerWidth === width ? requestAnimationFrame(drawn) : look());
    look();
})"""


def resize(page, width, height):
    """The window has its new size some time after it was asked for, and media queries one frame
    after that."""
    page.set_viewport_size({"width": width, "height": height})
    page.evaluate(RESIZED, width)


def look_at(page, name, width, theme) -> list[str]:
    """The axe findings; a picture is taken."""
    page.emulate_media(color_scheme=theme)
    resize(page, width, HEIGHTS[width])
    page.screenshot(
        path=SCREENS / f"{name}-{width}-{theme}.png", full_page=True, animations="disabled"
    )
    return [
        f"{width} {theme} {found['id']}: {node['target']} {node['failureSummary']}"
        for found in Axe().run(page, options=AXE).response["violations"]
        for node in found["nodes"]
    ]
