"""Many invitations from one file: good rows are invited, bad ones are named with their reason."""

import csv
import io
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.translation import gettext as _

from . import invitations
from .forms.invitations import InviteForm
from .models import Invitation, Role, User

MAX_BYTES = 1024 * 1024
MAX_ROWS = 1000
COLUMNS = ("email", "first_name", "last_name", "role")
NEEDED = {"email", "first_name"}


class FileRefused(Exception):
    """Nothing of this file can be used; the text says why."""


@dataclass(frozen=True)
class Row:
    line: int  # where it begins in the file
    fields: dict[str, str]
    is_torn: bool  # by a comma or a quotation mark that means something else


@dataclass(frozen=True)
class BadRow:
    line: int
    email: str
    reasons: list[str]


@dataclass
class Outcome:
    invited: list[Invitation] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)


@transaction.atomic
def invite_all(content: bytes, *, by: User) -> Outcome:
    """Invite everybody in the file that can be. A row is invited wholly or not at all.

    Raises FileRefused when it is no such file, or too long.
    """
    outcome = Outcome()
    seen = set()
    for row in _read(content):
        email = row.fields["email"].lower()
        form = InviteForm(row.fields, by=by)
        if reasons := _reasons(row, form, email in seen):
            outcome.bad.append(BadRow(row.line, email, reasons))
        else:
            outcome.invited.append(invitations.invite(**form.cleaned_data, by=by))
        seen.add(email)
    return outcome


def _reasons(row, form, is_seen) -> list[str]:
    """Why ``row`` can't be invited."""
    if row.is_torn:
        return [_("Check the commas and quotation marks of this line")]
    if is_seen and row.fields["email"]:
        return [_("This address stands further up already")]
    return [str(error) for errors in form.errors.values() for error in errors]


def _read(content) -> list[Row]:
    """The rows of a CSV file as Excel, LibreOffice and others write it."""
    if len(content) > MAX_BYTES:
        raise FileRefused(_("This file is larger than 1 MB"))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileRefused(_("Save the file as CSV in UTF-8, then choose it again")) from error
    header = text.partition("\n")[0]
    delimiter = max(",;", key=header.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return _rows(lines)
    except csv.Error as error:
        words = _("Line %(n)s can’t be read. Check its quotation marks")
        raise FileRefused(words % {"n": lines.line_num}) from error


def _rows(lines):
    names = [_plain(name) for name in next(lines, [])]
    if not NEEDED.issubset(names) or any(names.count(name) > 1 for name in COLUMNS):
        raise FileRefused(
            _("The first line must name the columns: email, first_name, last_name, role")
        )
    rows = []
    begin = lines.line_num + 1
    for cells in lines:
        if any(cell.strip() for cell in cells):
            rows.append(_row(begin, names, cells))
        if len(rows) > MAX_ROWS:
            raise FileRefused(_("This file has more than 1,000 people"))
        begin = lines.line_num + 1
    return rows


def _row(line, names, cells):
    cells = [cell.strip() for cell in cells]
    found = dict(zip(names, cells, strict=False))
    fields = {name: found.get(name, "") for name in COLUMNS}
    is_torn = any(cells[len(names) :]) or any("\n" in cell for cell in cells)
    return Row(line, fields | {"role": _role_called(fields["role"])}, is_torn)


def _plain(name):
    """First Name, first-name and FIRST_NAME are one column."""
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def _role_called(word) -> str:
    """The role by its stored value or by its name; what is no role stays, to be refused."""
    by_name = {role.label.lower(): role.value for role in Role}
    return by_name.get(word.lower(), word.lower()) or Role.AGENT
