"""Two tickets about the same thing, made one."""

import re

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse

from messaging import actions as messaging
from messaging.tests.talking import reply, talk, write
from notifications.models import Notification
from tickets import actions, history
from tickets.automation.assignment import with_load
from tickets.improvement import feedback
from tickets.models import Attachment, LinkKind, Participant, Ticket, TicketEvent
from tickets.parties import calls, requesters
from tickets.relations import links, merging
from tickets.workflow import MergedAway, ResolutionKind, Status, TicketRefusal

from .merged import merge, newest, rows, send
from .reading import lines, problems, text, texts, told, typed

SOLVED = {"text": "Replaced it.", "resolution": ResolutionKind.REPLACED}


# --- What it does -------------------------------------------------------------------------


def test_merging_by_the_form(login, alice, bob, ticket, twin):
    """A line on each, a mail to the customer, and nothing else of the merged row changes."""
    Notification.objects.all().delete()
    before = Ticket.objects.filter(pk=twin.pk).values().get()

    page = send(login(bob), "merge", twin, number=ticket.reference)

    assert page.url == ticket.workspace_url
    data = {"from": twin.pk, "to": ticket.pk}
    assert newest(twin) == newest(ticket) == ("merged", "everyone", data)
    owed = Notification.objects.values_list("recipient", "kind", "event__ticket")
    assert list(owed) == [(alice.pk, "merged", ticket.pk)]
    after = Ticket.objects.filter(pk=twin.pk).values().get()
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {
        "merged_into_id", "event_count", "head_digest", "last_event_at", "wakes_at"
    }  # fmt: skip
    assert after["wakes_at"] is None
    assert list(history.problems(Ticket.objects.all())) == []


def test_both_histories_stand_on_the_page_by_time(login, alice, bob, ticket, twin):
    """What is for staff stays for staff, on either."""
    talk(ticket, alice, "First.")
    talk(twin, alice, "Second.")
    messaging.post_note(twin, by=bob, body="The canary sings.")
    talk(ticket, bob, "Third.")
    merge(twin, ticket, bob)
    talk(ticket, bob, "Fourth.")

    page = login(alice).get(f"{ticket.get_absolute_url()}?all=1")
    said = texts(page, ".ccr-msg__text")
    assert said == [
        "The light comes on but the water stays cold.", "It is still cold.",
        "First.", "Second.", "Third.", "Fourth.",
    ]  # fmt: skip
    assert "canary" not in page.text
    by = texts(page, ".ccr-msg__by")
    assert [str(twin) in words for words in by] == [False, True, False, True, False, False]
    assert text(page, "#belongs-title") == "Belongs together"
    assert f"Bob Baker merged {twin} into this ticket." in page.text

    page = login(bob).get(f"{ticket.workspace_url}?all=1")
    assert [words for words in texts(page, ".ccr-copy--note") if "The canary sings." in words]
    assert f"{twin} was merged into this" in text(page, "#links")


def walk_back(client, page, url):
    """The lines of the page and of what its link shows before them."""
    shown, anchors = page.text, []
    while True:
        anchors = re.findall(r'data-line="([^"]+)"', shown) + anchors
        link = re.search(r'hx-get="[^"]+lines/\?before=([^"]+)"', shown)
        if not link:
            return anchors
        shown = client.get(f"{url}lines/?before={link[1]}").text


def test_paging_loses_and_repeats_nothing(login, alice, bob, ticket, twin, one_more):
    third = one_more()
    for number in range(8):
        for each in (twin, third, ticket):
            talk(each, alice, f"{each} {number}")
    merge(third, twin, bob)
    merge(twin, ticket, bob)
    talk(ticket, alice, "Newest.")

    for person in (alice, bob):
        client, url = login(person), ticket.url_for(person)
        whole = walk_back(client, client.get(f"{url}?all=1"), url)
        assert len(whole) == len(set(whole)) > 24
        assert walk_back(client, client.get(url), url) == whole
        own = [anchor for anchor in whole if anchor.isdecimal()]
        assert own == sorted(own, key=int)
        stream = client.get(f"{url}lines/?after={ticket.event_count - 1}")
        assert lines(stream) == [ticket.event_count]


@pytest.mark.parametrize("count", [1, 3])
def test_queries_do_not_grow_with_what_was_merged(
    login, alice, bob, ticket, one_more, django_assert_max_num_queries, count
):
    """P6"""
    for _number in range(count):
        merge(one_more(), ticket, bob)
    client = login(alice)
    client.get(ticket.get_absolute_url())

    with django_assert_max_num_queries(45):
        client.get(f"{ticket.get_absolute_url()}?all=1")


def test_its_page_leads_to_where_it_goes_on(login, alice, bob, carol, dave, ada, ticket, twin):
    """Old links too; and 404 for whoever may not see that one."""
    merge(twin, ticket, bob)

    for person in (alice, bob, ada):
        for url in (twin.get_absolute_url(), twin.workspace_url):
            page = login(person).get(url)
            if person == alice and url == twin.workspace_url:
                assert page.status_code == 403
            else:
                assert page.url == ticket.url_for(person)
    for person in (carol, dave):
        assert login(person).get(twin.get_absolute_url()).status_code == 404
    assert login(dave).get(twin.workspace_url).status_code == 404
    for url in (twin.get_absolute_url(), twin.workspace_url):
        assert login(bob).get(f"{url}lines/?after=0").status_code in (403, 404)
    page = login(ada).get(reverse("admin:tickets_ticket_changelist"), {"q": str(twin)})
    assert str(twin) in page.text


def test_who_had_only_the_merged_one_sees_it_no_more(login, bob, dave, ada, ticket, one_more):
    """And who has the other reads its files and notes."""
    twin = one_more(assignee=dave)
    file = Attachment.objects.create(
        uploader=dave, name="a.txt", content_type="text/plain", size=1, file="x",
        event=messaging.post_note(twin, by=dave, body="Look."),
    )  # fmt: skip
    assert Attachment.objects.visible_to(dave).get() == file

    merge(twin, ticket, ada)

    assert login(dave).get(twin.workspace_url).status_code == 404
    assert not Attachment.objects.visible_to(dave).exists()
    assert not TicketEvent.objects.visible_to(dave).filter(ticket=twin).exists()
    assert Attachment.objects.visible_to(bob).get() == file
    assert TicketEvent.objects.visible_to(bob).filter(ticket=twin, kind="note").exists()


def test_it_is_in_no_list_and_no_count(login, alice, bob, ada, ticket, twin):
    """The same lists show it before, and after the merging is undone."""

    def shown():
        console = reverse("admin:tickets_ticket_changelist")
        pages = [
            (alice, reverse("tickets:list")),
            (alice, reverse("tickets:list") + "?tab=all"),
            (bob, reverse("tickets:workspace")),
            (ada, reverse("tickets:workspace") + "?view=all"),
            (ada, console),
            (ada, console + "?status=live"),
        ]
        found = [str(twin)[4:] in login(person).get(url).text for person, url in pages]
        agents = with_load(type(bob).objects.filter(pk=bob.pk))
        return [
            *found,
            agents.get().open_count == 2,
            Ticket.objects.live().filter(pk=twin.pk).exists(),
            Ticket.objects.visible_to(alice).filter(pk=twin.pk).exists(),
            Ticket.objects.assigned_to(bob).filter(pk=twin.pk).exists(),
        ]

    assert all(shown())

    merge(twin, ticket, bob)
    assert not any(shown())

    merging.unmerge(twin, by=bob)
    assert all(shown())


def test_nothing_is_written_to_it(alice, bob, ada, dave, kettles, ticket, twin):
    merge(twin, ticket, bob)
    before = rows()

    for verb in (
        lambda: messaging.post_message(twin, by=alice, body="Hello?"),
        lambda: messaging.post_note(twin, by=bob, body="Hm."),
        lambda: actions.change_status(twin, Status.RESOLVED, by=bob, **SOLVED),
        lambda: actions.change_status(twin, Status.CLOSED, by=alice),
        lambda: actions.assign(twin, to=dave, by=ada),
        lambda: actions.classify(twin, by=bob, priority="urgent", category=kettles),
        lambda: calls.ask_for_call(twin, by=alice, phone="+441134960000"),
        lambda: calls.log_call(twin, by=bob, text="Spoke."),
        lambda: actions.bin_ticket(twin, by=ada),
        lambda: links.link(twin, to=ticket, kind=LinkKind.RELATED, by=bob),
    ):
        with pytest.raises(MergedAway, match=f"{twin} goes on in {ticket}."):
            verb()

    assert rows() == before


def test_what_was_typed_there_is_kept_and_shown_where_it_goes_on(login, alice, bob, ticket, twin):
    client, staff = login(alice), Client()
    staff.force_login(bob)
    merge(twin, ticket, bob)

    page = reply(client, twin, "One more thing.")
    assert page.status_code == 409
    assert f"{twin} goes on in {ticket}." in text(page, "#composer")
    assert typed(page, "body") == "One more thing."
    assert reverse("messaging:reply", args=[ticket.reference]) in page.text
    page = write(staff, twin, "An answer.")
    assert (page.status_code, typed(page, "body")) == (409, "An answer.")

    reply(client, ticket, "One more thing.")
    assert ticket.events.filter(text="One more thing.").exists()


def test_a_button_of_an_old_page_says_where_it_goes_on(login, alice, ticket, twin, bob):
    merge(twin, ticket, bob)

    for name in ("messaging:close", "messaging:withdraw"):
        page = login(alice).post(reverse(name, args=[twin.reference]), follow=True)
        assert told(page) == [f"{twin} goes on in {ticket}."]
        assert page.redirect_chain[-1][0] == ticket.get_absolute_url()


def test_a_merged_ticket_can_not_be_rated_by_the_mail(client, bob, ticket, one_more):
    """Its number of rounds and its ratings stay as they are."""
    twin = one_more(status=Status.RESOLVED)
    link = feedback.path_to_rate(twin)
    assert client.get(link).status_code == 200

    merge(twin, ticket, bob)

    assert client.get(link).status_code == 404


def test_the_call_that_was_asked_for_there_is_seen_here(login, alice, bob, ticket, twin):
    calls.ask_for_call(twin, by=alice, phone="+441134960000")

    merge(twin, ticket, bob)

    assert "+44 113 496 0000" in text(login(bob).get(ticket.workspace_url), "#ticket-facts")
    calls.log_call(ticket, by=bob, text="Spoke.")
    assert ticket.waiting_call() is None


# --- What is refused ------------------------------------------------------------------------


def test_into_itself_or_across_customers(login, bob, carol, ticket, twin, one_more):
    """Refused with the reason beside the field, nothing half-done; the lawful one works."""
    foreign = one_more(carol)
    merge(one_more(), twin, bob)
    old = Ticket.objects.get(merged_into=twin)
    before = rows()

    for number, words in (
        (ticket, "A ticket can’t be merged into itself."),
        (foreign, f"{ticket} and {foreign} are of different customers."),
        (old, f"{old} goes on in {twin}."),
        ("CCR-2026-99999", "You see no ticket with this number"),
        ("", "Enter a number"),
    ):
        page = send(login(bob), "merge", ticket, number=str(number))
        assert (page.status_code, problems(page)[0]) == (422, [words])
        assert typed(page, "number") == str(number)
    assert rows() == before

    assert send(login(bob), "merge", ticket, number=str(twin)).url == twin.workspace_url


def test_what_goes_on_is_not_merged_into_what_has_ended(alice, bob, ticket, twin):
    """D0-6: its customer could write nowhere. The other way round nothing is lost."""
    actions.change_status(ticket, Status.WITHDRAWN, by=alice)

    with pytest.raises(TicketRefusal, match="has ended"):
        merging.merge(twin, into=ticket, by=bob)
    merging.merge(ticket, into=twin, by=bob)

    assert Ticket.objects.get(pk=twin.pk).is_live


@pytest.mark.plan("SEC-A13")
def test_who_takes_part_in_one_only_is_named(bob, carol, ticket, twin):
    """They would read what was said in the other."""
    for has_carol in (ticket, twin):
        row = Participant.objects.create(ticket=has_carol, person=carol)
        with pytest.raises(TicketRefusal, match="has as participant: Carol Cole"):
            merging.merge(twin, into=ticket, by=bob)
        assert not Ticket.objects.exclude(merged_into=None).exists()
        if has_carol == ticket:
            row.delete()

    Participant.objects.create(ticket=ticket, person=carol)
    merging.merge(twin, into=ticket, by=bob)


@pytest.mark.plan("SEC-A1")
def test_only_who_works_on_both_merges(login, bob, dave, ada, ticket, one_more):
    theirs = one_more(assignee=dave)

    # As he has one of Alice, he sees it; working on it is another thing.
    page = send(login(bob), "merge", ticket, number=theirs.reference)
    assert problems(page)[0] == [f"You do not work on {theirs}."]
    for by in (bob, dave):
        with pytest.raises(PermissionDenied):
            merging.merge(ticket, into=theirs, by=by)
    merging.merge(ticket, into=theirs, by=ada)
    with pytest.raises(PermissionDenied):
        merging.unmerge(ticket, by=bob)
    merging.unmerge(ticket, by=dave)


def test_the_customer_of_a_ticket_with_merged_ones_stays(bob, carol, ticket, twin):
    """The others would show what somebody else said."""
    merge(twin, ticket, bob)
    corrected = {"requester": carol.email, "first_name": "", "by": bob}

    with pytest.raises(TicketRefusal, match=f"{twin} was merged into {ticket}. Undo that first."):
        requesters.correct_requester(ticket, **corrected)

    merging.unmerge(twin, by=bob)
    assert requesters.correct_requester(ticket, **corrected)
