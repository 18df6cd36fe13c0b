"""The chain of a ticket's lines, against somebody who writes the database behind our back."""
# ruff: noqa: S608 -- names of tables and columns are ours

from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from threading import Barrier

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from tickets import actions, history
from tickets.models import Ticket, TicketEvent
from tickets.tests.factories import make_ticket
from tickets.workflow import Status


def sql(statement, *values):
    """The model refuses to change a line, so whoever tampers goes past it."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def alter(row, **columns):
    for column, value in columns.items():
        sql(f"UPDATE {row._meta.db_table} SET {column} = %s WHERE id = %s", value, row.pk)


def remove(row):
    """Delete a line or a ticket, and whatever pointed at it points nowhere."""
    for relation in row._meta.get_fields(include_hidden=True):
        if not relation.one_to_many:
            continue
        table, column = relation.related_model._meta.db_table, relation.field.column
        sql(f"UPDATE {table} SET {column} = NULL WHERE {column} = %s", row.pk)
    sql(f"DELETE FROM {row._meta.db_table} WHERE id = %s", row.pk)


def problems():
    return list(history.problems(Ticket.objects.all()))


@pytest.fixture
def lines(ticket, bob, ada):
    """Five lines: raised (with words), assigned, opened, waiting (with words), opened."""
    actions.change_status(ticket, Status.WAITING, by=bob, text="Please send a picture.")
    actions.change_status(ticket, Status.OPEN, by=ada)
    return list(ticket.events.all())


@pytest.fixture
def other_lines(carol, bob, ada, kettles):
    ticket = make_ticket(requester=carol, assignee=bob, category=kettles, by=ada)
    return list(ticket.events.all())


def test_untouched_histories_have_no_problem(lines, other_lines):
    assert problems() == []


@pytest.mark.parametrize("number", [1, 2, 5])
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("kind", "note"),
        ("actor_id", None),
        ("at", "2020-01-01 00:00:00"),
        ("audience", "staff"),
        ("data", '{"forged": true}'),
        ("words_hash", "0" * 64),
        ("digest", "0" * 64),
    ],
)
def test_an_altered_line_is_found(lines, number, column, value):
    line = lines[number - 1]

    alter(line, **{column: value})

    assert problems() == [f"{line.ticket}: line {number} was altered."]


@pytest.mark.parametrize(
    "change",
    [
        {"text": "We refuse."},
        {"text": ""},
        {"salt": "0" * 32},
        {"text": "", "salt": ""},
    ],
)
def test_words_that_were_changed_or_emptied_are_found(lines, change):
    alter(lines[3], **change)

    assert problems() == [f"{lines[3].ticket}: the words of line 4 were altered."]


def test_words_put_where_none_stood_are_found(lines):
    alter(lines[1], text="Assigned as a favour.")

    assert problems() == [f"{lines[1].ticket}: the words of line 2 were altered."]


def test_words_with_a_new_hash_are_found(lines):
    """Salt and hash need no key, but the digest covers the hash."""
    alter(lines[3], text="We refuse.", words_hash=history.words_hash(lines[3].salt, "We refuse."))

    assert problems() == [f"{lines[3].ticket}: line 4 was altered."]


@pytest.mark.parametrize("number", [1, 2, 4])
def test_a_removed_line_is_found(lines, number):
    remove(lines[number - 1])

    assert problems() == [f"{lines[0].ticket}: line {number} is missing."]


def test_a_removed_line_is_found_when_the_others_close_the_gap(lines):
    remove(lines[1])
    for line in lines[2:]:
        alter(line, number=line.number - 1)

    assert problems() == [f"{lines[0].ticket}: line 2 was altered."]


def test_a_missing_last_line_is_found(lines):
    remove(lines[4])

    assert problems() == [f"{lines[0].ticket}: the last lines are missing, or the count is wrong."]


def test_a_ticket_without_any_line_is_found(lines):
    for line in lines:
        remove(line)

    assert problems() == [f"{lines[0].ticket}: all lines are missing."]


def test_an_added_line_is_found(lines):
    sql(
        "INSERT INTO tickets_ticketevent"
        " (ticket_id, number, kind, actor_id, at, audience, data, text, salt, words_hash, digest)"
        " SELECT ticket_id, 6, kind, actor_id, at, audience, data, text, salt, words_hash, digest"
        " FROM tickets_ticketevent WHERE id = %s",
        lines[4].pk,
    )

    assert problems() == [f"{lines[0].ticket}: line 6 was altered."]


def test_swapped_lines_are_found(lines):
    alter(lines[1], number=1000)
    alter(lines[2], number=2)
    alter(lines[1], number=3)

    assert problems() == [f"{lines[0].ticket}: line 2 was altered."]


def test_a_renumbered_line_is_found(lines):
    alter(lines[4], number=6)

    assert problems() == [f"{lines[0].ticket}: line 5 is missing."]


def test_a_line_moved_to_another_ticket_is_found_on_both(lines, other_lines):
    alter(lines[4], ticket_id=other_lines[0].ticket_id, number=4)

    assert problems() == [
        f"{lines[0].ticket}: the last lines are missing, or the count is wrong.",
        f"{other_lines[0].ticket}: line 4 was altered.",
    ]


@pytest.mark.parametrize(("column", "value"), [("event_count", 4), ("head_digest", "0" * 64)])
def test_a_changed_count_or_head_of_the_ticket_is_found(lines, column, value):
    alter(lines[0].ticket, **{column: value})

    assert problems() == [f"{lines[0].ticket}: the last lines are missing, or the count is wrong."]


def test_another_key_proves_nothing(lines, settings):
    settings.HISTORY_KEY = "somebody else's key"

    assert problems() == [f"{lines[0].ticket}: line 1 was altered."]


def test_histories_are_read_in_batches(lines, other_lines, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(history, "BATCH", 1)

    with django_assert_num_queries(5):  # tickets and lines for each, then no ticket is left
        assert problems() == []


def test_the_model_refuses_to_change_or_remove_a_line(lines):
    with pytest.raises(TypeError):
        lines[0].save()
    with pytest.raises(TypeError):
        lines[0].delete()
    with pytest.raises(TypeError):
        TicketEvent.objects.filter(pk=lines[0].pk).update(text="")
    with pytest.raises(TypeError):
        TicketEvent.objects.filter(pk=lines[0].pk).delete()

    assert problems() == []


def verify(*args):
    out = StringIO()
    try:
        call_command("verify_history", *args, stdout=out)
    except CommandError as error:
        return f"{out.getvalue()}{error}\n"
    return out.getvalue()


def test_the_command_says_that_all_is_well(lines, other_lines):
    assert verify() == "The history of 2 tickets is complete and unaltered.\n"


def test_the_command_fails_with_every_problem(lines, other_lines):
    alter(lines[1], kind="note")
    alter(other_lines[0], text="")

    with pytest.raises(CommandError) as failure:
        call_command("verify_history", stdout=StringIO())

    assert failure.value.returncode == 1
    assert verify() == (
        f"{lines[0].ticket}: line 2 was altered.\n"
        f"{other_lines[0].ticket}: the words of line 1 were altered.\n"
        "2 problems in the history of 2 tickets.\n"
    )


def test_the_command_looks_at_the_named_tickets_only(lines, other_lines):
    alter(lines[1], kind="note")

    assert verify(other_lines[0].ticket.reference) == (
        "The history of 1 tickets is complete and unaltered.\n"
    )
    assert verify("CCR-1999-00001") == "No such ticket: CCR-1999-00001\n"


@pytest.mark.django_db(transaction=True)
def test_eight_at_once_write_lines_without_gaps(ticket, bob):
    start = Barrier(8)

    def write_five(_):
        start.wait()
        mine = Ticket.objects.get(pk=ticket.pk)
        for _ in range(5):
            with transaction.atomic():
                history.lock(mine)
                history.write(mine, TicketEvent.Kind.NOTE, by=bob, text="Called.")
        connection.close()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write_five, range(8)))

    assert list(ticket.events.values_list("number", flat=True)) == list(range(1, 3 + 40 + 1))
    assert problems() == []


# --- Words erased by law ----------------------------------------------------------------


@pytest.fixture
def erased(lines, ada):
    """Lines 1 and 4 had words; line 6 says that they were erased."""
    ticket = lines[0].ticket
    with transaction.atomic():
        history.lock(ticket)
        history.erase_words(ticket, by=ada)
    return list(ticket.events.all())


@pytest.mark.plan("SEC-H2")
def test_erased_words_leave_the_chain_whole(erased):
    last = erased[-1]

    assert problems() == []
    assert [line.text + line.salt for line in erased] == [""] * 6
    assert (last.number, last.kind, last.audience) == (6, "erased", "staff")
    assert last.data == {"lines": [1, 4]}


def test_words_written_and_erased_later_are_covered_by_a_later_line(erased, bob):
    ticket = Ticket.objects.get()
    for words in ("Once more.", "And again."):
        with transaction.atomic():
            history.lock(ticket)
            history.write(ticket, TicketEvent.Kind.NOTE, by=bob, text=words)
            history.erase_words(ticket, by=None)

    assert [line.data for line in ticket.events.filter(kind="erased")] == [
        {"lines": [1, 4]},
        {"lines": [7]},
        {"lines": [9]},
    ]
    assert problems() == []


def test_other_words_in_an_erased_line_are_found(erased):
    alter(erased[3], text="We refuse.")

    assert problems() == [f"{erased[0].ticket}: the words of line 4 were altered."]


def test_words_that_were_only_emptied_are_found_beside_an_erasure(erased, bob):
    """The erasure covers the lines it names, and none that came after it."""
    ticket = Ticket.objects.get()
    with transaction.atomic():
        history.lock(ticket)
        history.write(ticket, TicketEvent.Kind.NOTE, by=bob, text="Kept.")
    alter(ticket.events.last(), text="", salt="")

    assert problems() == [f"{ticket}: the words of line 7 were altered."]


@pytest.mark.parametrize("number", [2, 6])
def test_an_erasure_that_was_made_up_is_found(erased, number):
    """Who writes the database alone can't claim that the law asked for it."""
    alter(erased[number - 1], kind="erased", data='{"lines": [1, 2, 3, 4, 5]}')

    assert problems() == [f"{erased[0].ticket}: line {number} was altered."]
