"""A person who left a different unmistakable word in every place that can hold one.

Each is ``zq<place>zq``. ``found_in_database`` and ``found_in_files`` say which are still there.
"""

import re
import uuid

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import exports
from accounts.models import (
    AccountEvent,
    Address,
    Application,
    Invitation,
    KnownDevice,
    LoginRecord,
    SignUp,
)
from accounts.records import note
from accounts.sessions import SessionStore
from accounts.tests.factories import make_admin, make_agent, make_user
from messaging.actions import post_message, post_note
from messaging.inbound import ledger
from messaging.models import Fate, InboundMail
from notifications.mail import outbox
from notifications.models import (
    Notification,
    OutgoingMail,
    Preference,
    PushSubscription,
    Reaching,
    ShortMessage,
)
from notifications.tests.telephones import NUMBER
from tickets import actions, fields
from tickets.improvement import feedback
from tickets.models import Attachment, TicketDraft, TicketEvent
from tickets.parties import calls
from tickets.tests.factories import make_question, make_ticket
from tickets.workflow import ResolutionKind, Status

WORD = re.compile(r"zq[a-z]+zq", re.IGNORECASE)
# Numbers can't be words.
NUMBERS = {
    "1134960777": "phone",
    "113 496 0777": "phone",
    "1134960888": "contactphone",
    "113 496 0888": "contactphone",
    "1134960999": "callphone",
    "113 496 0999": "callphone",
    "7400123456": "smsnumber",
    "7400 123456": "smsnumber",
    "203.0.113.77": "network",
}
EMAIL = "zqmailzq@example.org"

# What the person gets in their archive.
THEIRS = {
    "first", "last", "mail", "second", "phone", "network", "device", "browser", "google",
    "why", "refusal", "reason", "label", "street", "extra", "postal", "city", "region", "country",
    "subject", "description", "against", "contactphone", "message", "answer", "resolution",
    "comment", "filename", "answerfile", "draft", "waitingname", "livesubject", "binnedsubject",
    "invited", "callphone", "wish", "spoken",
    "improvement", "ratinganswer", "detail", "concern", "concernanswer", "mailsubject",
    "smsnumber", "pushbrowser",
}  # fmt: skip
# What is personal and nobody gets: secrets, notes of staff, what others wrote in the logs.
NOT_THEIRS = {
    "note", "notefile", "secret", "session", "signup", "logged", "owed", "told", "answered",
    "pushaddress", "smscode", "again", "suggestion", "tag", "staffdetail", "heldsubject",
}  # fmt: skip
FILES = {"photo", "bill", "reply", "waitingfile", "rawmail"}
FILE_NAMES = {"filename", "answerfile", "waitingname"}  # stand in an archive as they are
NOTE_FILES = {"notebill", "heldmail"}  # and mails that only claim to be theirs


def words(*places) -> str:
    return " ".join(f"zq{place}zq" for place in places)


class Canary:
    """The ``person``, and the staff who had to do with them."""

    def __init__(self):
        self.admin, self.agent = make_admin("Ada"), make_agent("Bob")
        self.person = make_user(
            "Zqfirstzq", last_name="Zqlastzq", email=EMAIL, phone="+441134960777"
        )
        self._profile()
        self._records()
        self._logs()
        self._tickets()
        self._mails()
        self._mails_in()
        self._sessions()

    def _mails_in(self):
        """One became their words, one only claims to be theirs."""
        line = TicketEvent.objects.filter(ticket__requester=self.person).order_by("pk").first()
        became = {"fate": Fate.TICKETED, "event": line, "subject": words("mailsubject")}
        claims = {"fate": Fate.HELD, "subject": words("heldsubject")}
        for place, facts in (("rawmail", became), ("heldmail", claims)):
            mail = ledger.store(words(place).encode(), source="pipe")
            mails = InboundMail.objects.filter(pk=mail.pk)
            mails.update(person=self.person, sender=EMAIL, fingerprint=place, **facts)

    def _profile(self):
        self.person.photo.save("", ContentFile(words("photo").encode()))
        EmailAddress.objects.create(user=self.person, email="zqsecondzq@example.org")
        Address.objects.create(
            user=self.person, label=words("label"), street=words("street"), extra=words("extra"),
            postal_code=words("postal"), city=words("city"), region=words("region"),
            country=words("country"),
        )  # fmt: skip
        Authenticator.objects.create(
            user=self.person, type="totp", data={"secret": words("secret")}
        )
        SocialAccount.objects.create(
            user=self.person, provider="google", uid="1", extra_data={"name": words("google")}
        )

    def _records(self):
        LoginRecord.objects.create(
            user=self.person, kind="signed_in", ip="203.0.113.77", device=words("device")
        )
        KnownDevice.objects.create(user=self.person, token_hash="0" * 64)
        SignUp.objects.create(
            email=EMAIL, first_name=words("again"), role="customer", secret_at=timezone.now()
        )
        Application.objects.create(
            applicant=self.person, role="agent", why=words("why"), reason=words("refusal"),
            decision="declined", decided_at=timezone.now(), decided_by=self.admin,
        )  # fmt: skip
        Application.objects.create(applicant=self.person, role="agent", why=words("why"))
        Invitation.objects.create(
            email=EMAIL, first_name=words("invited"), token_hash="1" * 64, role="agent",
            invited_by=self.admin, expires_at=timezone.now(), accepted_at=timezone.now(),
            accepted_by=self.person,
        )  # fmt: skip
        kind = AccountEvent.Kind.SUSPENDED
        note(self.person, kind, by=self.admin, reason=words("reason"))
        note(self.person, AccountEvent.Kind.REACTIVATED, by=self.admin)

    def _logs(self):
        about = {"user": self.admin, "action_flag": CHANGE}
        people = ContentType.objects.get_for_model(self.person)
        LogEntry.objects.create(
            content_type=people, object_id=self.person.pk, object_repr=str(self.person),
            change_message=words("logged"), **about,
        )  # fmt: skip
        LogEntry.objects.create(
            content_type=people, object_id=self.agent.pk, object_repr="Bob",
            change_message=f"After {self.person} ({EMAIL}) complained.", **about,
        )  # fmt: skip

    def _tickets(self):
        ticket = make_ticket(
            self.person, self.agent, by=self.admin, subject=words("subject"),
            description=words("description"), against=words("against"),
            contact_phone="+441134960888",
        )  # fmt: skip
        for label, is_for_requester in (("detail", True), ("staffdetail", False)):
            question = make_question(ticket.category, label, is_for_requester=is_for_requester)
            fields.answer(ticket, by=self.agent, answers={question: words(label)})
        same = {"priority": ticket.priority, "category": ticket.category}
        actions.classify(ticket, by=self.agent, tags=[words("tag")], **same)
        self._say(post_message, ticket, self.person, "message", "filename", "bill")
        self._say(post_message, ticket, self.agent, "answer", "answerfile", "reply")
        self._say(post_note, ticket, self.agent, "note", "notefile", "notebill")
        calls.ask_for_call(ticket, by=self.person, phone="+441134960999", wish=words("wish"))
        calls.log_call(ticket, by=self.agent, text=words("spoken"))
        actions.change_status(
            ticket, Status.RESOLVED, by=self.agent, text=words("resolution"),
            resolution=ResolutionKind.REPLACED,
        )  # fmt: skip
        rating = actions.rate(
            ticket, by=self.person, rating=2, comment=words("comment"),
            improvement=words("improvement"),
        )  # fmt: skip
        feedback.answer(rating, by=self.agent, text=words("ratinganswer"))
        feedback.raise_concern(by=self.agent, ticket=ticket, text=words("suggestion"))
        concern = feedback.raise_concern(by=self.person, text=words("concern"))
        feedback.settle(concern, by=self.admin, answer=words("concernanswer"))
        self.ticket = ticket
        self.live = make_ticket(
            self.person, self.agent, by=self.admin, subject=words("livesubject")
        )
        self.binned = make_ticket(self.person, subject=words("binnedsubject"))
        actions.bin_ticket(self.binned, by=self.admin)
        draft = TicketDraft.objects.create(owner=self.person, fields={"subject": words("draft")})
        self._file(self.person, draft.key, "waitingname", "waitingfile")

    def _say(self, say, ticket, by, body, name, content):
        key = uuid.uuid4()
        self._file(by, key, name, content)
        say(ticket, by=by, body=words(body), key=key)

    def _file(self, by, key, name, content):
        Attachment.objects.create(
            uploader=by, draft_key=key, name=f"{words(name)}.txt", content_type="text/plain",
            size=4, file=ContentFile(words(content).encode(), name="x"),
        )  # fmt: skip

    def _mails(self):
        """Of everything that happened so far, some sent and some still owed."""
        outbox.drain()
        OutgoingMail.objects.filter(recipient=self.person).update(last_answer=words("answered"))
        OutgoingMail.objects.create(
            recipient=self.person, email=EMAIL, content={"text": words("owed")}
        )
        OutgoingMail.objects.create(recipient=None, email=EMAIL, subject=words("told"))
        Preference.objects.create(user=self.person, kind=Notification.Kind.MESSAGE, is_wanted=False)
        self._telephones()
        exports.ask_for(self.person, by=self.person)
        exports.make_due()

    def _telephones(self):
        """A browser with push, and a code that is not sent yet."""
        Reaching.objects.create(user=self.person, sms_number=NUMBER)
        PushSubscription.objects.create(
            user=self.person, endpoint=words("pushaddress"), browser=words("pushbrowser")
        )
        ShortMessage.objects.create(
            channel="sms", recipient=self.person, number=NUMBER, text=words("smscode"),
            expires_at=timezone.now(),
        )  # fmt: skip

    def _sessions(self):
        """Signed in with a browser that says its name, and a sign-up that was begun in another."""
        self.browser = Client()
        self.browser.force_login(self.person)
        session = self.browser.session
        session["kept"] = words("session")
        session.save()
        UserSession.objects.create(
            user=self.person, ip="203.0.113.77", user_agent=words("browser"),
            session_key=session.session_key,
        )  # fmt: skip
        begun = SessionStore()
        begun["sign_up"] = {"email": EMAIL, "name": words("signup")}
        begun.save()


def names_in(text: str) -> set[str]:
    found = {word[2:-2].lower() for word in WORD.findall(text)}
    return found | {place for number, place in NUMBERS.items() if number in text}


def found_in_database() -> set[str]:
    """In every column of every table, and in what sessions hold once decoded."""
    found = set()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
            for row in cursor.fetchall():
                found |= names_in(" ".join(map(_text, row)))
    for session in Session.objects.all():
        found |= names_in(str(session.get_decoded()))
    return found


def _text(value) -> str:
    if isinstance(value, memoryview | bytes):
        return bytes(value).decode(errors="replace")
    return str(value)


def found_in_files() -> set[str]:
    """In the contents and names of everything kept beside the database."""
    found = set()
    for folder in (settings.MEDIA_ROOT, settings.EXPORT_DIR):
        for path in folder.rglob("*"):
            found |= names_in(str(path.relative_to(folder)))
            found |= (
                names_in(path.read_bytes().decode(errors="replace")) if path.is_file() else set()
            )
    return found
