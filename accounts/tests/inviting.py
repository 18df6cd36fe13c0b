"""An administrator invites somebody, and what the pages say."""

import re

from accounts import invitations

IDA = {"email": "ida@example.org", "first_name": "Ida", "last_name": "Iles", "role": "agent"}


def invite(by, **changes):
    return invitations.invite(**IDA | changes, by=by)


def link_in(mail):
    return re.search(r"http://localhost:8000(/account/invitation/\S+/)", mail.text)[1]


def words_of(answer):
    return re.search(r"<main.*</main>", answer.text, re.DOTALL)[0]


def is_gone(answer):
    return answer.status_code == 404 and "This invitation can’t be used" in words_of(answer)
