"""SEC-A6: a file follows its line, each time it is asked for."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Standing
from messaging.tests.talking import reply, write
from tickets import actions
from tickets.models import Attachment, Expertise
from tickets.tests.factories import make_ticket

from .files import PDF, TXT, download, file

pytestmark = [pytest.mark.django_db, pytest.mark.plan("SEC-A6")]


@pytest.fixture
def bill(login, alice, ticket):
    """Came with Alice's message."""
    reply(login(alice), ticket, "Here is the bill", files=[file("bill.pdf", PDF)])
    return Attachment.objects.get(name="bill.pdf")


@pytest.fixture
def memo(login, bob, ticket):
    """Came with Bob's note."""
    ticket.refresh_from_db()
    write(login(bob), ticket, "For us", kind="note", files=[file("memo.txt", TXT)])
    return Attachment.objects.get(name="memo.txt")


def status_for(login, person, attachment) -> int:
    return download(login(person), attachment).status_code


@pytest.mark.parametrize(
    ("name", "of_the_bill", "of_the_memo"),
    [
        ("alice", 200, 404),
        ("bob", 200, 200),
        ("ada", 200, 200),
        ("carol", 404, 404),
        ("dave", 404, 404),
        ("pete", 403, 403),
    ],
)
def test_who_reads_the_line_has_the_file(
    login, request, bill, memo, name, of_the_bill, of_the_memo
):
    """D1-8, D1-17"""
    person = request.getfixturevalue(name)

    assert status_for(login, person, bill) == of_the_bill
    assert status_for(login, person, memo) == of_the_memo


def test_a_visitor_signs_in_first(client, login, alice, bill):
    url = bill.get_absolute_url()
    client.logout()

    assert client.get(url).headers["Location"] == f"{reverse('account_login')}?next={url}"
    assert status_for(login, alice, bill) == 200


def test_after_a_reassignment_the_new_agent_has_it(login, ticket, bob, dave, ada, bill, memo):
    """SEC-A10"""
    ticket.refresh_from_db()
    actions.assign(ticket, to=dave, by=ada)

    assert [status_for(login, bob, each) for each in (bill, memo)] == [404, 404]
    assert [status_for(login, dave, each) for each in (bill, memo)] == [200, 200]


def test_after_signing_out_it_is_asked_again(login, alice, bill):
    browser = login(alice)
    assert download(browser, bill).status_code == 200

    browser.post(reverse("account_logout"))

    assert download(browser, bill).status_code == 302


@pytest.mark.plan("SEC-C7")
def test_whoever_is_shut_out_has_no_file(login, alice, bill):
    """With the session that is still there."""
    browser = login(alice)
    assert download(browser, bill).status_code == 200
    alice.standing = Standing.SUSPENDED
    alice.save()

    assert download(browser, bill).status_code == 302


def test_the_bin_takes_the_files_along(login, ticket, alice, bob, ada, bill, memo):
    ticket.refresh_from_db()
    actions.bin_ticket(ticket, by=ada)
    assert {status_for(login, person, bill) for person in (alice, bob, ada)} == {404}

    actions.restore_ticket(ticket, by=ada)
    assert {status_for(login, person, bill) for person in (alice, bob, ada)} == {200}


def test_the_pool_reads_files_until_somebody_takes_the_ticket(
    login, alice, bob, dave, ada, kettles
):
    """D1-5: of a category that both know."""
    Expertise.objects.create(agent=bob, category=kettles)
    Expertise.objects.create(agent=dave, category=kettles)
    unassigned = make_ticket(requester=alice, category=kettles)
    reply(login(alice), unassigned, "Here is the bill", files=[file("bill.pdf", PDF)])
    bill = Attachment.objects.get()
    assert [status_for(login, agent, bill) for agent in (bob, dave)] == [200, 200]

    login(bob).post(reverse("tickets:take", args=[unassigned.reference]))

    assert [status_for(login, agent, bill) for agent in (bob, dave)] == [200, 404]


def test_a_file_that_waits_is_sent_by_nobody_else(login, alice, carol, ticket, kettles):
    """SEC-A2: the key of somebody's form is no key to their files."""
    login(alice).post(reverse("tickets:draft_files"), {"attachments": [file("bill.pdf", PDF)]})
    waiting = Attachment.objects.get()
    carols = make_ticket(requester=carol, category=kettles)

    reply(login(carol), carols, "Mine", key=waiting.draft_key)
    reply(login(carol), carols, "", key=waiting.draft_key, remove=waiting.pk)

    waiting.refresh_from_db()
    assert waiting.event is None
    assert carols.events.filter(text="Mine").get().attachments.count() == 0
    assert status_for(login, alice, waiting) == 200
    assert status_for(login, carol, waiting) == 404


@pytest.mark.plan("SEC-B7")
def test_no_browser_runs_it_and_none_keeps_it(login, alice, bill):
    answer = download(login(alice), bill)

    assert answer.body == PDF
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="bill.pdf"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer.headers["Cache-Control"] == "private, no-store"


@pytest.mark.plan("SEC-I4")
@pytest.mark.parametrize(
    "place",
    [
        "/files/{}", "/media/{}", "/data/{}", "/data/files/{}", "/static/{}", "/static/files/{}",
        "/static/../files/{}", "/static/..%2f..%2ffiles/{}", "/tickets/files/{}",
        "/tickets/files/{}/", "/{}",
    ],
)  # fmt: skip
def test_there_is_no_way_around_by_its_place(login, alice, ada, bill, place):
    """Neither for its owner nor for an administrator: only the page that asks first serves it."""
    path = place.format(bill.file.name)
    for answer in [Client().get(path), login(alice).get(path), login(ada).get(path)]:
        assert answer.status_code in (302, 404), path
        assert PDF not in answer.getvalue()
    assert download(login(alice), bill).body == PDF
