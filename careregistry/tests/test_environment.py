"""What settings may be: each is what it says, or a sentence that names it ends the start."""

from email.utils import parseaddr

import pytest
from django.core.mail import EmailMessage

from careregistry import environment
from careregistry.environment import MUST_BE, Environment
from messaging.actions import post_message
from notifications.mail import outbox
from notifications.models import OutgoingMail
from notifications.tests.smtp import Sink

from .test_checks import GOOD, STARTS, run


@pytest.fixture
def read(monkeypatch):
    """What a setting becomes whose variable has these words."""

    def read(cast, words, **options):
        monkeypatch.setenv("NAME", words)
        return Environment()("NAME", cast=cast, **options)

    return read


SENDERS = {
    "care@desk.example": "care@desk.example",
    "<care@desk.example>": "care@desk.example",
    "Care <care@desk.example>": "Care <care@desk.example>",
    "Müller & Söhne, GmbH <care@desk.example>": '"Müller & Söhne, GmbH" <care@desk.example>',
    '"Smith, Ltd" <care@desk.example>': '"Smith, Ltd" <care@desk.example>',
    r'"The \"Desk\"" <care@desk.example>': r'"The \"Desk\"" <care@desk.example>',
    "Care @ Desk <care@desk.example>": '"Care @ Desk" <care@desk.example>',
    "Care <care@münchen.example>": "Care <care@xn--mnchen-3ya.example>",
    "Care <care@localhost>": "Care <care@localhost>",
}


@pytest.mark.plan("SEC-D10")
@pytest.mark.parametrize(("words", "sender"), SENDERS.items())
def test_the_name_of_a_sender_is_put_in_quotes_where_headers_need_them(read, words, sender):
    assert read(environment.sender, words) == sender


@pytest.mark.plan("SEC-D10")
@pytest.mark.parametrize("words", SENDERS)
def test_an_address_goes_without_its_name(read, words):
    assert read(environment.address, words) == parseaddr(SENDERS[words])[1]


@pytest.mark.parametrize(
    ("words", "server"),
    [
        ("smtp://mail.example", ("mail.example", 25, None, None)),
        ("smtp+tls://mail.example", ("mail.example", 587, True, None)),
        ("smtp+ssl://mail.example", ("mail.example", 465, None, True)),
        ("smtp+tls://care:a%40b@mail.example:2525", ("mail.example", 2525, True, None)),
    ],
)
def test_each_scheme_of_a_mail_server_has_its_port(read, words, server):
    found = read(environment.mail_server, words)

    names = ("EMAIL_HOST", "EMAIL_PORT", "EMAIL_USE_TLS", "EMAIL_USE_SSL")
    assert tuple(found.get(name) for name in names) == server


def test_what_is_meant_is_read(read):
    assert {read(bool, words) for words in ("1", "True", " on ", "YES")} == {True}
    assert {read(bool, words) for words in ("0", "False", " off ", "NO")} == {False}
    assert read(int, " 30 ") == 30
    assert read(environment.site, "https://care.example/") == "https://care.example"
    assert read(environment.hosts, "CRM, ::1,10.0.0.1") == ["crm", "::1", "10.0.0.1"]
    assert read(environment.own_hosts, "Care.example,::1, [::1]") == [
        "care.example",
        "[::1]",
        "[::1]",
    ]
    assert read(environment.own_hosts, " * ") == ["*"]
    assert read(environment.time_zone, "Europe/Berlin") == "Europe/Berlin"
    assert read(environment.log_level, "warning") == "WARNING"
    assert read(environment.database, "postgres://db/name")["HOST"] == "db"
    assert read(environment.confirmation, "link") == "link"
    assert read(environment.mail_server, "", default="") == ""
    assert read(None, "", default=None) is None


@pytest.mark.plan("SEC-I5")
@pytest.mark.parametrize("words", ["$abcsecret", "$HOME", "$NAME", "$$", "\\$", "a$b"])
def test_a_key_may_begin_with_any_letter(read, words):
    """It is the name of no other variable, which would be shown as missing."""
    assert read(None, words) == words
    assert read(None, words, default="") == words
    assert read(list, words, default=[]) == [words]


WRONG = [
    (bool, ["enabled", "ture", "2", "-", ""]),
    (int, ["abc", "-1", "1.5", ""]),
    (
        environment.site,
        ["localhost", "localhost:8000", "ftp://care.example", "http://host:abc",
         "https://care.example?a=b", "https://care.example/#top", "https://u:p@care.example"],
    ),
    (
        environment.sender,
        ["", "Care", "Smith, Ltd", "Care <care@>", "Care <a@b@c>", "a@b, c@d", "Care <a@b", "a@b>"],
    ),
    (environment.address, ["foo", "Care <care>", "care@a..b", "care@example.org>", "<a@b>>"]),
    (environment.hosts, ["http://127.0.0.1:80", "crm:80", "crm,a b"]),
    (environment.own_hosts, ["http://127.0.0.1:80", "crm:80", "*, crm", "a b"]),
    (environment.time_zone, ["", "Berlin", "Europe/Atlantis", "../../etc/passwd"]),
    (environment.log_level, ["", "LOUD", "10"]),
    (
        environment.mail_server,
        ["127.0.0.1:8792", "consolemail://", "tls://u:p@host", "smtp://host:abc", "smtp://",
         "smtp://u:p#w@host", "smtp://host:25/abc", "smtp://host?x=1", "smtp://host:25#x",
         "$mtp://u:p@host"],
    ),
    (environment.database, ["nonsense", "postgres://host:abc/name", "mysql://host/name"]),
    (environment.confirmation, ["lnk"]),
]  # fmt: skip


@pytest.mark.plan("P17", "SEC-I5")
@pytest.mark.parametrize(("cast", "words"), [(cast, each) for cast, all_ in WRONG for each in all_])
def test_what_cant_be_meant_is_refused_by_name_and_not_repeated(read, cast, words):
    """It may hold a password."""
    with pytest.raises(SystemExit) as stop:
        read(cast, words)

    assert str(stop.value) == f"Not started:\n - NAME must be {MUST_BE[cast]}."
    assert stop.value.__context__ is None


def test_what_cant_be_meant_is_not_taken_for_the_default(read):
    with pytest.raises(SystemExit):
        read(environment.mail_server, "$mtp://u:p@host", default="")


@pytest.mark.plan("SEC-I5")
@pytest.mark.parametrize(
    "line", ["NO_KEY = hunter2", "hunter2", " NO_KEY=hunter2", "NO-KEY=hunter2"]
)
def test_an_odd_line_is_named_and_not_repeated(tmp_path, caplog, line):
    (tmp_path / ".env").write_text(f"# keys\n\n{line}\n")

    with pytest.raises(SystemExit) as stop:
        Environment.read_env(tmp_path / ".env")

    assert "Line 3 of .env must be like NAME=value" in str(stop.value)
    assert "hunter2" not in f"{stop.value}{caplog.text}"


def test_lines_are_settings_remarks_or_empty(tmp_path, monkeypatch):
    monkeypatch.setattr(Environment, "ENVIRON", {})
    (tmp_path / ".env").write_text("# keys\n\nONE=1 #=\nexport TWO='2 = 2'\nTHREE=\n")

    Environment.read_env(tmp_path / ".env")

    assert Environment.ENVIRON == {"ONE": "1 #=", "TWO": "2 = 2", "THREE": ""}


def test_what_is_missing_is_named():
    with pytest.raises(SystemExit) as stop:
        Environment()("NO_SUCH_NAME")

    assert str(stop.value) == "Not started:\n - NO_SUCH_NAME is missing."


@pytest.mark.plan("P17")
@pytest.mark.parametrize("start", [*STARTS.values(), ("manage.py", "check")])
def test_every_way_to_start_and_the_check_say_it_without_a_traceback(tmp_path, start):
    answer = run(*start, data_dir=tmp_path, **GOOD | {"REPLY_ADDRESS": "foo"})

    sentence = "Not started:\n - REPLY_ADDRESS must be a mail address, like care@example.org.\n"
    assert (answer.returncode, answer.stderr) == (1, sentence)


@pytest.mark.plan("SEC-D10", "P2")
@pytest.mark.django_db
def test_mail_goes_out_whatever_the_name_of_the_desk(read, settings, ticket, bob):
    """Readers see the name, the server hears the address, and an id has our domain."""
    settings.EMAIL_BACKEND = "notifications.mail.backends.SmtpBackend"
    name = "Müller & Söhne, GmbH <care@desk.example>"
    settings.DEFAULT_FROM_EMAIL = read(environment.sender, name)
    with Sink() as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.hostname, server.port
        post_message(ticket, by=bob, body="Hello")
        outbox.drain()
        EmailMessage("An alarm", "Look", to=["ada@example.org"]).send()

    states = OutgoingMail.objects.exclude(state=OutgoingMail.State.DROPPED).values_list("state")
    assert {*states} == {(OutgoingMail.State.SENT,)}
    assert len(server.mails) == len(states) + 1
    assert {mail["From"] for mail in server.mails} == {f'"{name}'.replace(" <", '" <')}
    assert {mail.return_path for mail in server.mails} == {"care@desk.example"}
    ours = {mail["Message-ID"].rpartition("@")[2] for mail in server.mails[:-1]}
    assert ours == {"desk.example>"}
