"""A ticket that is about two things, made two; and one raised again after the end."""

import uuid
from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from messaging import actions as messaging
from messaging.tests.talking import reply, talk
from notifications.models import Notification
from tickets import actions, erasure, history, removal
from tickets.models import Attachment, Ticket, TicketDraft, TicketLink
from tickets.parties import participants
from tickets.relations import merging, splitting
from tickets.tests.factories import make_category, make_ticket
from tickets.tests.files import file
from tickets.workflow import Status, TicketRefusal

from .raising import form_of, send, write
from .reading import problems, text, texts, typed


def split_url(ticket):
    return reverse("tickets:split", args=[ticket.reference])


def form(category, *numbers, subject="The lid is broken"):
    return {
        "numbers": numbers, "subject": subject, "category": category.pk, "key": str(uuid.uuid4()),
    }  # fmt: skip


@pytest.fixture
def lids(db):
    return make_category("Lids", team_name="Lid team")


@pytest.fixture
def story(login, alice, bob, ticket):
    """Two things in one ticket, the second with a file."""
    reply(login(alice), ticket, "And the lid is broken.", files=[file()])
    messaging.post_note(ticket, by=bob, body="The canary sings.")
    talk(ticket, bob, "Which lid?")
    return ticket


def split(ticket, by, *numbers, category=None, **more):
    more = {"subject": "The lid", "category": category or ticket.category} | more
    return splitting.split(ticket, numbers=list(numbers), by=by, **more)


# --- Splitting ------------------------------------------------------------------------------


def test_splitting_by_the_form(login, alice, bob, lids, story):
    """The new ticket begins with a quote of the messages, and takes over what the old one has."""
    Notification.objects.all().delete()
    page = login(bob).get(split_url(story))
    labels = texts(page, "label")
    assert any("And the lid is broken." in words for words in labels)
    assert "canary" not in page.text

    answer = login(bob).post(split_url(story), form(lids, 4, 6))

    new = Ticket.objects.get(subject="The lid is broken")
    assert answer.url == new.workspace_url
    assert (new.requester, new.category, new.kind, new.priority, new.status, new.assignee) == (
        alice, lids, story.kind, story.priority, "new", None,
    )  # fmt: skip
    assert new.due_at
    first = new.events.get(number=1)
    said = story.events.get(number=4)
    assert first.text.startswith("Alice Archer, ")
    assert f"{timezone.localtime(said.at):%H:%M}:\n> And the lid is broken.\n\n" in first.text
    assert first.text.endswith("> Which lid?")
    assert first.data["channel"] == "web"
    line = story.events.order_by("-number").first()
    assert (line.kind, line.audience) == ("split", "everyone")
    assert line.data == {"from": story.pk, "to": new.pk, "lines": [4, 6]}
    owed = Notification.objects.filter(recipient=alice).values_list("kind", "event__ticket")
    assert list(owed) == [("ticket_raised", new.pk)]
    assert list(history.problems(Ticket.objects.all())) == []


def test_files_are_copied_for_good(settings, ada, bob, story):
    """Removing one ticket leaves the other whole."""
    new = split(story, bob, 4)
    (old_file,) = Attachment.objects.filter(event__ticket=story)
    (copy,) = Attachment.objects.filter(event__ticket=new)
    assert (copy.name, copy.sha256, copy.uploader) == (
        old_file.name, old_file.sha256, old_file.uploader,
    )  # fmt: skip
    assert copy.file.name != old_file.file.name

    actions.bin_ticket(story, by=ada)
    with time_machine.travel(timezone.now() + timedelta(days=settings.BIN_DAYS, minutes=1)):
        removal.remove_for_good(story, by=ada)

    with copy.file.open() as kept:
        assert kept.read()
    assert not TicketLink.objects.exists()
    assert not Ticket.objects.filter(pk=story.pk).exists()


def test_both_sides_see_where_it_went_and_came_from(login, alice, bob, story):
    new = split(story, bob, 4)

    client = login(alice)
    page = client.get(story.get_absolute_url())
    assert f"Split into {new} The lid" in text(page, "#ticket-aside")
    assert f"Bob Baker made a ticket of its own of part of this: {new}." in page.text
    assert f"Split off from {story}" in text(client.get(new.get_absolute_url()), "#ticket-aside")
    assert f"Split into {new}" in text(login(bob).get(story.workspace_url), "#links")


def test_who_takes_part_does_so_in_both(bob, carol, story):
    participants.add(story, carol.email, by=bob)

    new = split(story, bob, 4)

    assert new.part_of(carol) == "participant"
    assert Notification.objects.filter(recipient=carol, kind="joined", event__ticket=new).exists()


def test_the_same_key_makes_one_ticket(login, bob, lids, story):
    sent = form(lids, 4)

    answers = [login(bob).post(split_url(story), sent).url for _click in range(2)]

    assert len(set(answers)) == 1
    assert TicketLink.objects.count() == 1


def test_nothing_chosen_or_named_is_told_beside_the_field(login, bob, lids, story):
    page = login(bob).post(split_url(story), form(lids, subject=""))
    assert page.status_code == 422
    assert problems(page)[0] == ["Choose at least one message", "Enter a subject"]

    page = login(bob).post(split_url(story), form(lids, 5, 99, subject="The lid"))
    assert page.status_code == 422  # 5 is a note, 99 is nothing
    assert typed(page, "subject") == "The lid"
    assert Ticket.objects.count() == 1
    with pytest.raises(TicketRefusal):
        split(story, bob, 5)


@pytest.mark.plan("SEC-A1")
def test_only_who_works_on_it_splits(login, alice, dave, bob, story):
    assert login(alice).get(split_url(story)).status_code == 403
    assert login(dave).get(split_url(story)).status_code == 404
    with pytest.raises(PermissionDenied):
        split(story, dave, 4)
    assert split(story, bob, 4)


# --- Undoing --------------------------------------------------------------------------------


def undo(client, source, link):
    return client.post(reverse("tickets:unsplit", args=[source.reference, link.pk]))


def test_undoing_keeps_what_was_said_there(login, alice, bob, story):
    """The link goes, the new ticket is merged back; the source is as it was but for the lines."""
    before = Ticket.objects.filter(pk=story.pk).values().get()
    new = split(story, bob, 4)
    talk(new, alice, "It is the blue one.")

    page = undo(login(bob), story, new.links.get())

    assert page.url == story.workspace_url
    new.refresh_from_db()
    assert new.merged_into == story
    assert not TicketLink.objects.exists()
    after = Ticket.objects.filter(pk=story.pk).values().get()
    assert {name for name in after if after[name] != before[name]} == {
        "event_count", "head_digest", "last_event_at",
    }  # fmt: skip
    page = login(alice).get(f"{story.get_absolute_url()}?all=1")
    assert "It is the blue one." in texts(page, ".ccr-msg__text")


def test_not_under_the_hands_of_a_colleague(login, ada, bob, dave, story):
    new = split(story, bob, 4)
    actions.assign(new, to=dave, by=ada)

    page = login(bob).post(
        reverse("tickets:unsplit", args=[story.reference, new.links.get().pk]), follow=True
    )

    assert "Dave Dunn works on" in page.text
    new.refresh_from_db()
    assert new.merged_into is None
    undo(login(ada), story, new.links.get())
    new.refresh_from_db()
    assert new.merged_into == story


# --- Leaving ----------------------------------------------------------------------------------


def test_words_that_were_quoted_are_erased_with_those_who_said_them(ada, bob, carol, story):
    """And the chain stays whole."""
    participants.add(story, carol.email, by=bob)
    talk(story, carol, "My secret.")
    said = story.events.get(text="My secret.")
    new = split(story, bob, said.number)
    again = split(new, ada, 1, subject="Once more")
    assert "My secret." in again.events.get(number=1).text

    erasure.erase_tickets(sender=None, user=carol, by=bob)

    for each in (story, new, again):
        assert not each.events.filter(text__contains="My secret.").exists()
    assert story.events.get(number=1).text
    assert list(history.problems(Ticket.objects.all())) == []


def test_a_merged_ticket_is_erased_and_removed_with_the_other(settings, alice, ada, bob, ticket):
    twin = make_ticket(alice, bob, by=ada)
    merging.merge(twin, into=ticket, by=bob)
    ticket.refresh_from_db()

    actions.change_status(ticket, Status.CLOSED, by=alice)
    late = timezone.now() + timedelta(days=1)
    assert set(erasure._ended_before(late)) == {ticket, twin}
    actions.bin_ticket(ticket, by=ada)
    with time_machine.travel(timezone.now() + timedelta(days=settings.BIN_DAYS, minutes=1)):
        stone = removal.remove_for_good(ticket, by=ada)

    assert stone.reference == ticket.reference
    assert not Ticket.objects.exists()
    assert list(removal.problems()) == []


# --- Raised again -------------------------------------------------------------------------------


@pytest.fixture
def ended(alice, ticket):
    actions.change_status(ticket, Status.WITHDRAWN, by=alice)
    return ticket


def test_raising_it_again(login, alice, bob, ended):
    """The form knows what it was about; both sides see the link."""
    client = login(alice)
    page = client.get(ended.get_absolute_url())
    url = f"{reverse('tickets:new')}?about={ended}"
    assert url in page.text
    page = client.get(url)
    assert typed(page, "subject") == "Kettle stopped heating"
    assert f"This is about {ended} again" in page.text
    assert not TicketDraft.objects.exists()

    write(client, ended.category, about=str(ended))
    assert f"Again about {ended}" in " ".join(texts(client.get(reverse("tickets:review")), "div"))
    send(client)

    new = Ticket.objects.exclude(pk=ended.pk).get()
    assert (new.links.get().kind, new.links.get().other) == ("follow_up", ended)
    for each in (new, ended):
        line = each.events.order_by("-number").first()
        assert (line.kind, line.audience, line.actor) == ("linked", "staff", alice)
    assert f"Follow-up of {ended}" in text(client.get(new.get_absolute_url()), "#ticket-aside")
    aside = text(client.get(ended.get_absolute_url()), "#ticket-aside")
    assert f"Followed up by {new}" in aside
    assert f"Followed up by {new}" in text(login(bob).get(ended.workspace_url), "#links")


def test_unticked_it_is_about_nothing(login, alice, ended):
    client = login(alice)
    write(client, ended.category)
    send(client)

    assert not TicketLink.objects.exists()


@pytest.mark.plan("SEC-A2")
def test_what_is_not_theirs_or_has_not_ended_is_passed_over(
    login, alice, carol, bob, kettles, ended
):
    """It comes from the browser; and nobody learns whether it exists."""
    live = make_ticket(carol, bob, category=kettles)
    client = login(carol)
    for about in (str(ended), str(live), "CCR-2026-99999", "x" * 500):
        page = client.get(reverse("tickets:new"), {"about": about})
        assert "This is about" not in page.text
        assert typed(page, "subject") == ""
        write(client, kettles, about=about)
        assert "Again about" not in client.get(reverse("tickets:review")).text
        send(client)

    assert Ticket.objects.filter(requester=carol).count() == 5
    assert not TicketLink.objects.exists()


def test_looking_at_the_form_for_it_writes_nothing(login, alice, ended):
    client = login(alice)
    client.post(reverse("tickets:new"), form_of(ended.category, subject="The lamp"))
    draft = TicketDraft.objects.values().get()

    page = client.get(reverse("tickets:new"), {"about": str(ended)})

    assert typed(page, "subject") == "The lamp"  # what somebody wrote is theirs
    assert TicketDraft.objects.values().get() == draft
