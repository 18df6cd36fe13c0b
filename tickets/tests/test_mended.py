"""D0-27: once a problem is mended, the customers of all its tickets are told."""

from datetime import timedelta
from functools import partial

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts import erasure
from accounts.tests.factories import make_user
from messaging.actions import post_message
from notifications.models import Notification
from tickets import actions, history, tasks
from tickets.improvement import problems
from tickets.models import Problem, Ticket
from tickets.relations import merging
from tickets.signals import problem_mended
from tickets.tests.factories import make_problem, make_ticket
from tickets.tests.racing import race
from tickets.workflow import Status, TicketRefusal

from .reading import text, told

pytestmark = pytest.mark.django_db
WORDS = "Kettles sold from today on are fine. Bring yours to any shop."


def url_of(name, about):
    return reverse(f"tickets:{name}", args=[getattr(about, "reference", about.pk)])


def said(ticket):
    """The words of the lines that tell the customer."""
    return list(ticket.events.filter(kind="mended").values_list("text", flat=True))


def owed():
    mails = Notification.objects.filter(kind="mended").order_by("pk")
    return list(mails.values_list("recipient__first_name", "event__ticket__reference"))


def test_whose_tickets_have_it_are_told_once_it_is_mended(login, bob, alice, carol, cold, another):
    """On the ticket, in the words of the registry, and by mail."""
    live, closed = another(alice), another(carol, status=Status.CLOSED)
    due_at = live.due_at
    question = login(bob).get(url_of("mend_problem", cold))
    assert "2 customers are told, on their tickets and by email, each once." in question.text
    assert not said(live)

    answer = login(bob).post(url_of("mend_problem", cold), {"text": WORDS}, follow=True)
    tasks.tell_of_mended_problems()

    assert told(answer) == ["Mended. Its customers are being told."]
    cold.refresh_from_db()
    assert (cold.mended_by, cold.mended_text) == (bob, WORDS)
    assert cold.mended_at is not None
    assert cold.told_at is not None
    assert said(live) == said(closed) == [WORDS]
    assert owed() == [("Alice", live.reference), ("Carol", closed.reference)]
    for ticket, status in ((live, Status.OPEN), (closed, Status.CLOSED)):
        ticket.refresh_from_db()
        assert ticket.status == status
    assert live.due_at == due_at
    line = live.events.get(kind="mended")
    assert (line.actor, line.audience, line.data) == (None, "everyone", {"problem": cold.pk})
    page = login(alice).get(live.get_absolute_url())
    assert "What you told us about has been mended." in page.text
    assert f"The registry{line.at:%H:%M} {WORDS}" in text(page, "#log")
    assert list(history.problems(Ticket.objects.all())) == []


def test_the_question_says_how_many_people_not_tickets(login, bob, alice, cold, another):
    def asked():
        return text(login(bob).get(url_of("mend_problem", cold)), "main")

    assert "It has no tickets, so nobody is told." in asked()
    another(alice)
    another(alice)
    assert "One customer is told" in asked()


def test_words_are_needed(login, bob, cold):
    answer = login(bob).post(url_of("mend_problem", cold), {"text": " "})

    cold.refresh_from_db()
    assert answer.status_code == 422
    assert "Tell the customers what was mended" in answer.text
    assert not cold.is_mended


def test_one_person_gets_one_mail_for_all_their_tickets(bob, alice, cold, another):
    """Two mails for one cause would be one too many; each ticket has the words."""
    first, second = another(alice), another(alice)

    problems.mend(cold, by=bob, text=WORDS)

    assert problems.tell() == 2
    assert said(first) == said(second) == [WORDS]
    assert owed() == [("Alice", first.reference)]


@pytest.fixture
def untold(bob, ada, alice, carol, kettles, another):
    """Tickets with the problem whose customers hear nothing of it."""
    withdrawn = another(alice, status=Status.WITHDRAWN)
    binned = another(alice)
    actions.bin_ticket(binned, by=ada)
    merged = another(alice)
    Ticket.objects.filter(pk=merged.pk).update(merged_into=another(carol))
    erased = another(make_user("Una"), status=Status.CLOSED)
    erasure.ask(erased.requester, by=ada, at_once=True)
    erasure.erase_due()
    taken_off = another(alice)
    problems.unlink(taken_off, by=bob)
    return [withdrawn, binned, merged, erased, taken_off]


def test_nobody_is_told_on_what_was_withdrawn_deleted_merged_or_erased(bob, cold, untold):
    problems.mend(cold, by=bob, text=WORDS)

    assert problems.tell() == 1
    assert [said(ticket) for ticket in untold] == [[]] * 5
    assert [name for name, _ticket in owed()] == ["Carol"]
    assert Problem.objects.get().told_at


def test_what_was_merged_is_told_where_it_goes_on(bob, ada, alice, kettles, cold, another):
    home = make_ticket(alice, bob, by=ada, category=kettles)
    merged = another(alice)
    merging.merge(merged, into=home, by=bob)
    problems.mend(cold, by=bob, text=WORDS)

    assert problems.tell() == 1
    assert (said(home), said(merged)) == ([WORDS], [])
    assert owed() == [("Alice", home.reference)]


def test_it_is_mended_once_and_may_be_mended_again(login, bob, dave, alice, cold, another):
    """It came back: it is opened again, and the next mending tells everybody anew."""
    ticket = another(alice)
    problems.mend(cold, by=bob, text=WORDS)
    problems.tell()

    again = login(dave).post(url_of("mend_problem", cold), {"text": "No!"}, follow=True)
    assert told(again) == ["“Batch B-17 stays cold” has been mended."]
    late = make_ticket(alice, bob)
    with pytest.raises(TicketRefusal):
        problems.link(late, cold, by=bob)
    opened = login(dave).post(url_of("reopen_problem", cold), follow=True)
    assert told(opened) == ["Open again. Mend it once more to tell the customers."]
    cold.refresh_from_db()
    assert (cold.mended_at, cold.mended_by, cold.told_at) == (None, None, None)
    assert cold.mended_text == ""
    problems.link(late, cold, by=bob)
    assert problems.tell() == 0
    problems.mend(cold, by=dave, text="This time for good.")

    assert problems.tell() == 2
    assert said(ticket) == [WORDS, "This time for good."]
    assert said(late) == ["This time for good."]
    assert [name for name, _ticket in owed()] == ["Alice", "Alice"]


def test_opened_again_before_the_worker_came_tells_nobody(bob, alice, cold, another):
    ticket = another(alice)
    problems.mend(cold, by=bob, text=WORDS)
    problems.reopen(cold, by=bob)

    assert (problems.tell(), said(ticket), owed()) == (0, [], [])


def test_a_worker_that_was_killed_leaves_the_rest(bob, alice, cold, another, monkeypatch):
    """The row is the promise: the sweep goes on where it stopped, and nobody hears it twice."""
    monkeypatch.setattr(problems, "BATCH", 2)
    tickets = [another(alice) for _number in range(5)]
    problems.mend(cold, by=bob, text=WORDS)
    problems._tell_next(cold.pk, 0)
    assert [len(said(ticket)) for ticket in tickets] == [1, 1, 0, 0, 0]

    assert problems.tell() == 3

    assert [len(said(ticket)) for ticket in tickets] == [1] * 5
    assert problems.tell() == 0


def test_one_ticket_that_fails_does_not_keep_the_others(bob, alice, carol, cold, another):
    tickets = [another(alice), another(carol), another(make_user("Una"))]
    problems.mend(cold, by=bob, text=WORDS)

    def fail(sender, ticket, **kwargs):
        if ticket == tickets[0]:
            raise ZeroDivisionError

    problem_mended.connect(fail)
    try:
        assert problems.tell() == 2
    finally:
        problem_mended.disconnect(fail)
    assert [len(said(ticket)) for ticket in tickets] == [0, 1, 1]
    assert Problem.objects.get().told_at is None

    assert problems.tell() == 1
    assert [len(said(ticket)) for ticket in tickets] == [1, 1, 1]
    assert Problem.objects.get().told_at


def test_a_bell_calls_the_worker(bob, cold, monkeypatch, django_capture_on_commit_callbacks):
    rung = []
    monkeypatch.setattr("accounts.bells._ring", rung.append)

    with django_capture_on_commit_callbacks(execute=True):
        problems.mend(cold, by=bob, text=WORDS)

    assert rung == ["tickets.tasks.tell_of_mended_problems"]


def test_what_customers_were_told_goes_with_their_account(bob, ada, alice, cold, another):
    ticket = another(alice, status=Status.CLOSED)
    problems.mend(cold, by=bob, text=WORDS)
    problems.tell()

    erasure.ask(alice, by=ada, at_once=True)
    erasure.erase_due()

    ticket.refresh_from_db()
    assert said(ticket) == [""]
    assert ticket.problem == cold
    assert list(history.problems(Ticket.objects.all())) == []


def test_a_live_ticket_goes_on(bob, alice, cold, another):
    ticket = another(alice)
    problems.mend(cold, by=bob, text=WORDS)
    problems.tell()

    ticket.refresh_from_db()
    assert post_message(ticket, by=alice, body="Thank you!").number == ticket.event_count


# --- At the same moment -------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_each_customer_hears_it_once(bob, alice, carol, cold, another, settings):
    """SEC-E3: however many bells ring."""
    settings.TICKETS_PER_HOUR = 1000
    people = [make_user() for _number in range(30)]
    tickets = [another(person) for person in (*people, alice, alice, carol)]
    problems.mend(cold, by=bob, text=WORDS)

    done = race(*[problems.tell] * 3)

    assert sum(done) + problems.tell() == len(tickets)
    assert [said(ticket) for ticket in tickets] == [[WORDS]] * len(tickets)
    assert len(owed()) == 32
    assert Problem.objects.get().told_at
    assert list(history.problems(Ticket.objects.all())) == []


@pytest.mark.django_db(transaction=True)
def test_a_ticket_linked_while_it_is_mended_is_told_or_refused(bob, ada, alice, kettles):
    for _round in range(10):
        problem = make_problem(bob)
        ticket = make_ticket(alice, bob, by=ada, category=kettles)

        linked, _mended = race(
            partial(problems.link, ticket, problem, by=bob),
            partial(problems.mend, problem, by=ada, text=WORDS),
        )
        problems.tell()

        ticket.refresh_from_db()
        assert isinstance(linked, TicketRefusal) == (ticket.problem is None)
        assert said(ticket) == ([WORDS] if ticket.problem else [])
        assert timezone.now() - Problem.objects.get(pk=problem.pk).told_at < timedelta(minutes=1)
