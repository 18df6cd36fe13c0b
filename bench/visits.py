"""What is measured: pages to read, and what both sides write most."""

from dataclasses import dataclass
from uuid import uuid4

from client import Answer, Visitor


@dataclass(frozen=True)
class Page:
    name: str
    who: str  # customer, agent or admin; empty for a visitor
    path: str  # {longest} is the ticket with 100 messages


PAGES = [
    Page("Landing page", "", "/"),
    Page("Customer's list", "customer", "/tickets/"),
    Page("Customer's ticket", "customer", "/tickets/{longest}/"),
    Page("Customer's ticket, 100 messages", "customer", "/tickets/{longest}/?all"),
    Page("Agent's list", "agent", "/workspace/"),
    Page("Agent's ticket", "agent", "/workspace/tickets/{longest}/"),
    Page("Agent's ticket, 100 messages", "agent", "/workspace/tickets/{longest}/?all"),
    Page("Administrator's dashboard", "admin", "/admin/"),
    Page("Administrator's ticket list", "admin", "/admin/tickets/ticket/"),
]


class Yardstick:
    """The bare write, again and again."""

    def __init__(self, visitor: Visitor):
        self.visitor = visitor
        self.token = visitor.get("/yardstick/").csrf_token

    def write(self) -> Answer:
        return self.visitor.post("/yardstick/write/", {"csrfmiddlewaretoken": self.token})


class Raising:
    """A ticket from the form to the sending; the sending is what is timed."""

    name = "Raising a ticket"

    def __init__(self, visitor: Visitor, category: int):
        self.visitor = visitor
        form = visitor.get("/tickets/new/")
        self.token = {"csrfmiddlewaretoken": form.csrf_token}
        self.words = {
            "category": category,
            "subject": "Kettle stopped heating after two weeks",
            "description": "The light comes on but the water stays cold. " * 5,
            "priority": "normal",
        }

    def write(self) -> Answer:
        self.visitor.post("/tickets/new/", self.words | self.token)
        draft = self.visitor.get("/tickets/new/review/")
        told = {name: draft.field(name) for name in ("key", "version")}
        return self.visitor.post("/tickets/new/review/", self.token | told)


class Replying:
    """A message of the customer on a ticket of their own."""

    name = "Posting a reply"

    def __init__(self, visitor: Visitor, reference: str):
        self.visitor = visitor
        self.path = f"/tickets/{reference}/reply/"
        self.token = visitor.get(f"/tickets/{reference}/").csrf_token

    def write(self) -> Answer:
        words = {"body": "The number on the back ends in 7.", "key": uuid4()}
        return self.visitor.post(self.path, words | {"csrfmiddlewaretoken": self.token})


class Taking:
    """A new ticket, from the pool to an agent; only the taking is timed."""

    name = "Taking a ticket"

    def __init__(self, visitor: Visitor, raising: Raising):
        self.visitor = visitor
        self.raising = raising
        self.token = {"csrfmiddlewaretoken": visitor.get("/workspace/").csrf_token}

    def write(self) -> Answer:
        self.reference = self.raising.write().headers["Location"].split("/")[2]
        answer = self.visitor.post(f"/workspace/tickets/{self.reference}/take/", self.token)
        assert self.reference in answer.headers["Location"], answer.headers["Location"]
        return answer


class Resolving:
    """The answer that settles a ticket which was just taken; only the answer is timed."""

    name = "Resolving a ticket"

    def __init__(self, taking: Taking):
        self.visitor = taking.visitor
        self.taking = taking

    def write(self) -> Answer:
        self.taking.write()
        words = {"kind": "reply", "body": "A new kettle is on its way.", "then": "resolved",
                 "resolution": "replaced", "key": uuid4()}  # fmt: skip
        path = f"/workspace/tickets/{self.taking.reference}/write/"
        return self.visitor.post(path, words | self.taking.token)
