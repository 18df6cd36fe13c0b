"""Many invitations from one file (D1-3): good rows are invited, bad rows listed with the reason."""

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts import imports, invitations
from accounts.models import Invitation
from accounts.tests.factories import make_admin

pytestmark = pytest.mark.django_db

IMPORT = reverse("admin:accounts_invitation_import")
HEADER = "email,first_name,last_name,role\n"


def upload(browser, text, encoding="utf-8"):
    content = text if isinstance(text, bytes) else text.encode(encoding)
    return browser.post(IMPORT, {"file": SimpleUploadedFile("people.csv", content)})


def invited():
    rows = Invitation.objects.order_by("pk")
    return [(row.email, row.first_name, row.last_name, row.role) for row in rows]


def bad(answer):
    return [(row.line, row.email, row.reasons) for row in answer.context["outcome"].bad]


IDA = ("ida@example.org", "Ida", "Iles", "agent")
JUN = ("jun@example.org", "Jun", "", "agent")


@pytest.mark.parametrize(
    "text",
    [
        HEADER + "ida@example.org,Ida,Iles,agent\njun@example.org,Jun,,\n",
        HEADER.replace(",", ";") + "ida@example.org;Ida;Iles;Agent\njun@example.org;Jun;;AGENT",
        "Role, Last Name ,FIRST-NAME,Email\r\n"
        "agent,Iles,Ida,IDA@example.org\r\n\r\n,,Jun,jun@example.org\r\n",
        "\ufeff" + HEADER + '"ida@example.org","Ida","Iles","agent"\n jun@example.org , Jun ,,\n',
        "first_name,email,Team,last_name\nIda,ida@example.org,Returns,Iles\nJun,jun@example.org\n",
    ],
    ids=["plain", "semicolons", "any order and case", "mark and quotes", "other columns"],
)
def test_files_as_programs_write_them(login, ada, mails, text):
    answer = upload(login(ada), text)

    assert invited() == [IDA, JUN]
    assert bad(answer) == []
    assert "2 people are invited" in answer.text
    assert [mail.email for mail in mails] == ["ida@example.org", "jun@example.org"]
    words = LogEntry.objects.values_list("user__email", "change_message")
    assert list(words) == [("ada@example.org", "Invited from a file.")] * 2


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",Nora,,", "Enter an email address"),
        ("nora,Nora,,", "Invalid email"),
        ("nora@example.org,,,", "Enter a first name"),
        ("IDA@example.org,Ida,,", "This address stands further up already"),
        ("bob@example.org,Bob,,", "Somebody has this address already"),
        ("olaf@example.org,Olaf,,", "There is an open invitation to this address already"),
        ("nora@example.org,Nora,,admin", "You can’t invite to this role"),
        ("nora@example.org,Nora,,Administrator", "You can’t invite to this role"),
        ("nora@example.org,Nora,,customer", "You can’t invite to this role"),
        ("nora@example.org,Nora,,boss", "You can’t invite to this role"),
        (f"nora@example.org,{'n' * 151},,", "Use 150 characters or less"),
        (f"{'n' * 250}@example.org,Nora,,", "Email address must be 254 characters or less"),
        ("nora@example.org,Nora\x07,,", "Remove the invisible characters"),
        ("nora@example.org,Nora,N,agent,more", "Check the commas and quotation marks of this line"),
        ('nora@example.org,"No\nra",,', "Check the commas and quotation marks of this line"),
    ],
)
def test_a_bad_row_is_left_out_with_its_line_and_reason(login, ada, bob, mails, row, reason):
    """The rows around it are invited."""
    known = {"first_name": "Olaf", "last_name": "", "role": "agent", "by": ada}
    invitations.invite(email="olaf@example.org", **known)
    mails.clear()

    text = f"{HEADER}ida@example.org,Ida,Iles,\n{row}\njun@example.org,Jun,,\n"
    answer = upload(login(ada), text)

    assert invited()[1:] == [IDA, JUN]
    assert [(line, reasons) for line, _email, reasons in bad(answer)] == [(3, [reason])]
    assert reason in answer.text
    assert "1 line was left out" in answer.text
    assert len(mails) == 2


def test_lines_are_counted_as_an_editor_counts_them(login, ada):
    text = HEADER + '\n\nx@example.org,"X\nY",,\n\nnobody,Z,,\n'

    assert [line for line, *_rest in bad(upload(login(ada), text))] == [4, 7]


def test_every_reason_of_a_row_is_named(login, ada):
    (row,) = bad(upload(login(ada), HEADER + "nora,,,boss\n"))

    expected = ["Invalid email", "Enter a first name", "You can’t invite to this role"]
    assert row == (2, "nora", expected)


def test_the_same_file_again_invites_nobody_twice(login, ada, mails):
    browser = login(ada)
    text = HEADER + "ida@example.org,Ida,Iles,\njun@example.org,Jun,,\n"
    upload(browser, text)
    mails.clear()

    answer = upload(browser, text)

    assert invited() == [IDA, JUN]
    reason = ["There is an open invitation to this address already"]
    assert bad(answer) == [(2, "ida@example.org", reason), (3, "jun@example.org", reason)]
    assert mails == []


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", "This file is empty"),
        (b"\n", "The first line must name the columns"),
        (b"name,address\nIda,ida@example.org\n", "The first line must name the columns"),
        (b"email,email,first_name\n", "The first line must name the columns"),
        (HEADER.encode("utf-16"), "Save the file as CSV in UTF-8"),
        (HEADER.encode() + "ida@example.org,Zoë,,\n".encode("latin-1"), "Save the file as CSV"),
        (HEADER.encode() + b'ida@example.org,"' + b"x" * 140_000, "Line 2 can’t be read"),
        (HEADER.encode() + b"x" * imports.MAX_BYTES, "This file is larger than 1 MB"),
        (HEADER.encode() + b"a,b,c,d\n" * 1001, "This file has more than 1,000 people"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "Save the file as CSV in UTF-8"),
    ],
)
def test_what_is_no_such_file_is_refused_whole(login, ada, mails, content, error):
    answer = upload(login(ada), content)

    (words,) = answer.context["form"].errors["file"]
    assert words.startswith(error)
    assert not Invitation.objects.exists()
    assert mails == []


def test_without_a_file(login, ada):
    answer = login(ada).post(IMPORT)

    assert answer.context["form"].errors == {"file": ["Choose a file"]}


def test_as_many_as_are_allowed(login, ada, mails, monkeypatch):
    monkeypatch.setattr(imports, "MAX_ROWS", 30)
    rows = "".join(f"p{n}@example.org,P,,\n" for n in range(30))
    browser = login(ada)

    assert "file" in upload(browser, f"{HEADER}{rows}x@example.org,X,,\n").context["form"].errors
    assert "30 people are invited" in upload(browser, HEADER + rows).text

    assert len(mails) == 30


@pytest.mark.plan("P11")
@pytest.mark.parametrize("name", ["=1+1", '=HYPERLINK("http://evil.example")', "@SUM(A1)", "-2+3"])
def test_cells_that_look_like_formulas_are_names(login, ada, mails, name):
    """Kept as they stand, shown as text."""
    quoted = name.replace('"', '""')
    browser = login(ada)

    upload(browser, f'{HEADER}ida@example.org,"{quoted}",,\n')

    assert invited() == [("ida@example.org", name, "", "agent")]
    assert f"Hello {name}," in mails[0].text
    shown = browser.get(reverse("admin:accounts_invitation_changelist")).text
    assert name.replace('"', "&quot;") in shown


@pytest.mark.plan("P11")
def test_a_cell_with_markup_is_inert(login, ada):
    answer = upload(login(ada), HEADER + "<script>alert(1)</script>,Ida,,\n")

    assert "<script>alert(1)" not in answer.text
    assert "&lt;script&gt;alert(1)" in answer.text


def test_a_row_is_invited_wholly_or_not_at_all(login, ada, mails, monkeypatch):
    """What breaks in the middle leaves nobody invited, and no mail."""
    monkeypatch.setattr(imports.invitations, "_post", lambda *args: 1 / 0)
    browser = login(ada)
    browser.raise_request_exception = False

    assert upload(browser, HEADER + "ida@example.org,Ida,,\n").status_code == 500

    assert not Invitation.objects.exists()
    assert not LogEntry.objects.exists()


@pytest.mark.plan("SEC-A8")
def test_a_superuser_invites_administrators(login, mails):
    root = make_admin("Root", is_superuser=True)

    upload(login(root), HEADER + "ida@example.org,Ida,Iles,Administrator\n")

    assert invited() == [("ida@example.org", "Ida", "Iles", "admin")]
