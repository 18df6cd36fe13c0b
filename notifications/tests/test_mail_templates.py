"""The operator's own mail templates: used, checked, and no danger when they are broken."""

from html.parser import HTMLParser
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from messaging.actions import post_message
from notifications.mail import composing, outbox, templates
from notifications.mail.samples import NAMES, sample_of
from notifications.mail.template_checks import ask_templates
from notifications.mail.templates import FOLDER, html_of
from notifications.models import Notification, OutgoingMail
from tickets.models import Category, ReferenceCounter, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def own(settings, tmp_path):
    """Writes a template of the operator's own."""
    engine = settings.TEMPLATES[0]
    settings.TEMPLATES = [engine | {"DIRS": [tmp_path, settings.BASE_DIR / "templates"]}]

    def write(name, words):
        path = tmp_path / FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(words, encoding="utf-8")
        return path

    return write


def run(*arguments) -> str:
    told = StringIO()
    call_command("mail_templates", *arguments, stdout=told, stderr=told, skip_checks=False)
    return told.getvalue()


def checked() -> list[str]:
    """What the check finds, without the folder."""
    told = StringIO()
    with pytest.raises(CommandError):
        call_command("mail_templates", "check", stdout=StringIO(), stderr=told)
    return [line.rpartition(f"{FOLDER}/")[2] for line in told.getvalue().splitlines()]


# --- They are used -----------------------------------------------------------------


def mail_of(ticket, by, mailoutbox):
    outbox.drain()
    mailoutbox.clear()
    post_message(ticket, by=by, body="Hello.")
    outbox.drain()
    (mail,) = mailoutbox
    return mail


def test_the_operators_words_go_before_the_products(own, ticket, bob, mailoutbox):
    own("message_message.txt", "{{ actor_name }} of Acme wrote this:")

    mail = mail_of(ticket, bob, mailoutbox)

    assert "\nBob of Acme wrote this:\n" in mail.body
    assert "Bob of Acme wrote this:" in mail.alternatives[0].content


def test_a_frame_of_their_own_has_its_styles_in_its_elements(own, ticket, bob, mailoutbox):
    own("base_message.html", "<style>p { color: red }</style><p>{{ headline }}</p>")

    mail = mail_of(ticket, bob, mailoutbox)

    assert '<p style="color: red;">Bob wrote to you</p>' in mail.alternatives[0].content


LANGUAGES = [("de", "Bob schrieb Ihnen", "de"), ("fr", "Bob wrote to you", "en"),
             ("", "Bob wrote to you", "en")]  # fmt: skip


@pytest.mark.parametrize(("language", "headline", "lang"), LANGUAGES)
def test_a_mail_is_in_its_readers_language(own, ticket, bob, mailoutbox, language, headline, lang):
    """What is not worded in it stays in the registry's own, and says so."""
    own("de/message_subject.txt", "{{ actor_name }} schrieb Ihnen")
    User.objects.filter(pk=ticket.requester_id).update(language=language)

    html = mail_of(ticket, bob, mailoutbox).alternatives[0].content

    assert f">{headline}</h1>" in html
    assert f'<html lang="{lang}" dir="ltr"' in html


def test_a_language_from_right_to_left(own, ticket, bob, mailoutbox):
    own("ar/message_subject.txt", "كتب إليك {{ actor_name }}")
    User.objects.filter(pk=ticket.requester_id).update(language="ar")

    html = mail_of(ticket, bob, mailoutbox).alternatives[0].content

    assert '<html lang="ar" dir="rtl"' in html


BROKEN = {
    "wrong syntax": "{% if actor_name %}{{ actor_name }}",
    "unknown tag": "{% nonsense %}",
    "wrong when filled in": "{% include 'nothing.txt' %}",
}


@pytest.mark.parametrize("words", BROKEN.values(), ids=BROKEN)
def test_a_broken_template_stops_no_mail(own, ticket, bob, mailoutbox, caplog, words):
    own("message_message.txt", words)

    mail = mail_of(ticket, bob, mailoutbox)

    assert "\nBob wrote:\n" in mail.body
    (line,) = [line for line in caplog.messages if "mail template" in line]
    assert line.startswith("The mail template message_message.txt is broken, so ")
    assert "\n" not in caplog.text.strip()


# --- They are checked ------------------------------------------------------------------


def test_all_mails_can_be_written(own):
    """Also where a language has words of its own."""
    own("de/message_subject.txt", "{{ actor_name }} schrieb Ihnen")

    assert run("check") == f"All {len(NAMES)} mails can be written, in: en, de\n"


def test_the_check_finds_what_is_wrong_and_where(own):
    own("message_message.txt", "Good\n{% if %}")
    own("closed_subject.txt", "One\nTwo {% include 'nothing.txt' %}")
    own("de/resolved_message.txt", "{{ tickt.subject }} ist fertig")
    own("mesage_message.txt", "Hello")
    own("ruled_message.txt", "{% load nonsense %}")
    own("xx/message_message.txt", "Hello")

    assert sorted(checked()) == [
        "closed_subject.txt:2: There is no template nothing.txt",
        "de/resolved_message.txt:1: Nothing is called tickt.subject here",
        "mesage_message.txt: No mail has a template of this name",
        "message_message.txt:2: Unexpected end of expression in if tag.",
        "ruled_message.txt:1: 'nonsense' is not a registered tag library.",
        "xx/message_message.txt: No language has a folder of this name",
    ]


def test_the_check_finds_what_a_template_may_not_call(own):
    """The rest of the mails is looked at all the same."""
    own("_why.txt", "Why:\n{% if ticket %}{{ ticket.delete }}{% endif %}")
    own("closed_subject.txt", "{{ ticket.reference.replace|upper }}")
    own("resolved_subject.txt", "{{ nobody }}")

    assert checked() == [
        "_why.txt:2: It asks for something templates may not call",
        "resolved_subject.txt:1: Nothing is called nobody here",
        "closed_subject.txt:1: It asks for something templates may not call",
    ]


def test_the_check_finds_what_is_included_seldom(own):
    own("closed_subject.txt", "{% if nobody %}\n{% include 'nothing.txt' %}{% endif %}")

    assert checked() == ["closed_subject.txt:2: There is no template nothing.txt"]


def test_a_template_may_include_its_neighbour(own):
    own("message_message.txt", '{% include "./_why.txt" %}')
    own("de/message_message.txt", '{% include "../_why.txt" %}')

    assert run("check") == f"All {len(NAMES)} mails can be written, in: en, de\n"
    assert (ask_templates().level, ask_templates().found) == ("ok", "2 are your own")


def test_a_folder_named_like_a_template_is_told_once(own):
    folder = own("closed_subject.txt", "{{ nobody }}").with_name("closed_message.txt")
    folder.mkdir()

    assert checked() == [
        "closed_message.txt: Is a directory",
        "closed_subject.txt:1: Nothing is called nobody here",
    ]
    assert ask_templates().found == f"{folder}: Is a directory"


def test_the_check_says_what_becomes_of_the_mails(own):
    own("message_message.txt", "{{ nobody }}")

    words = r"^1 found\. .* the product’s own is used; a name that means nothing stays empty\.$"
    with pytest.raises(CommandError, match=words):
        run("check")


def test_the_list_says_what_is_overridden(own):
    path = own("de/message_message.txt", "Hallo")

    told = run("list").splitlines()

    assert f"message\t{path}" in told
    assert "closed" in told


def test_one_mail_is_shown(own):
    own("de/message_message.txt", "{{ actor_name }} schrieb:")

    assert "Subject: [CCR-1999-00482] Kettle stopped heating\n" in run("show", "message")
    assert "\nPriya wrote:\n" in run("show", "message")
    assert "\nPriya schrieb:\n" in run("show", "message", "--language", "de")
    assert "</h1>" in run("show", "digest", "--html")


def test_a_mail_is_shown_that_has_a_broken_template(own, caplog):
    own("message_message.txt", "{% load nonsense %}")

    first, *shown = run("show", "message").splitlines()

    broken = "A template is broken, so the product’s own is used: "
    assert first == f"{broken}'nonsense' is not a registered tag library."
    assert "Priya wrote:" in shown
    assert caplog.messages == []


def test_nothing_of_a_sample_stays(mailoutbox, django_capture_on_commit_callbacks):
    """No row, no number, no mail, and nothing is rung for."""
    models = (User, Ticket, Category, Notification, OutgoingMail, ReferenceCounter)
    before = [list(model.objects.order_by("pk").values()) for model in models]

    with django_capture_on_commit_callbacks() as rung:
        for name in ("message", "mended", "digest", "mail_unreadable"):
            sample_of(name, "en")

    assert [list(model.objects.order_by("pk").values()) for model in models] == before
    assert (mailoutbox, rung) == ([], [])


def test_the_doctor_knows_of_broken_templates(own):
    assert ask_templates().level == "ok"
    own("message_message.txt", "{{ actor_name }} wrote:")
    assert (ask_templates().level, ask_templates().found) == ("ok", "1 is your own")
    path = own("closed_subject.txt", "{% if %}")

    finding = ask_templates()

    assert finding.level == "bad"
    assert finding.found == f"{path}:1: Unexpected end of expression in if tag."
    assert finding.hint.endswith(" own is used. Run: manage.py mail_templates check")


def test_the_doctor_knows_of_templates_that_include_nothing(own):
    """What a template chooses itself is only known when it is filled in."""
    own("message_message.txt", "{% include nobody %}{% include 'base_'|add:nobody %}")
    assert ask_templates().level == "ok"
    path = own("closed_subject.txt", "One\n{% include './nothing.txt' %}")

    finding = ask_templates()

    assert finding.level == "bad"
    assert finding.found == f"{path}:2: There is no template {FOLDER}/nothing.txt"
    own("nothing.txt", "Two")
    assert ask_templates().level != "bad"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("mesage_message.txt", "No mail has a template of this name"),
        ("xx/message_message.txt", "No language has a folder of this name"),
    ],
)
def test_the_doctor_knows_of_templates_nobody_looks_for(own, name, why):
    path = own(name, "Hello")

    finding = ask_templates()

    assert (finding.level, finding.found) == ("warn", f"{path}: {why}")
    assert finding.hint == "Run: manage.py mail_templates check"


# --- The product's frame gets its styles before it is filled in --------------------------


class Elements(HTMLParser):
    """Each element with its attributes, and the words between them, without the order of either
    attributes or styles."""

    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, sorted((name, sorted(value.split(";"))) for name, value in attrs)))

    def handle_endtag(self, tag):
        self.found.append(tag)

    def handle_data(self, data):
        self.found += data.split()


@pytest.mark.parametrize("name", NAMES)
def test_the_frame_reads_as_if_it_were_styled_afterwards(monkeypatch, name):
    """Styled once and then filled in, it is what it would be the other way round."""
    pairs = []

    def both(facts):
        fast = html_of(facts)
        with monkeypatch.context() as patch:
            patch.setattr(templates, "is_products", lambda found: False)
            pairs.append((fast, html_of(facts)))
        return fast

    monkeypatch.setattr(composing, "html_of", both)

    sample_of(name, "en")

    ((fast, slow),) = pairs
    assert "@@" not in fast
    assert Elements(fast).found == Elements(slow).found
