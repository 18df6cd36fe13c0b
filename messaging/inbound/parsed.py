"""What a mail says, once it is read. No Django here: a child process makes it, see ``child``."""

import base64
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True)
class Limits:
    """What one mail may cost. See ``settings.MAIL_LIMITS``."""

    levels: int = 20
    parts: int = 200
    addresses: int = 100
    cpu_seconds: int = 10
    memory_bytes: int = 1024**3


@dataclass(frozen=True)
class File:
    name: str
    content: bytes


@dataclass(frozen=True)
class Bounce:
    """A server says that a mail of ours did not arrive. It may still try: then it is not final."""

    message_id: str = ""
    recipients: list[str] = field(default_factory=list)  # the one it went to, and on to
    status: str = ""
    is_final: bool = False
    answer: str = ""  # what the refusing server said, if the report repeats it


@dataclass
class Parsed:
    sender: str = ""
    sender_name: str = ""
    has_several_senders: bool = False  # ``sender`` is the first of them
    subject: str = ""
    message_id: str = ""
    answers: list[str] = field(default_factory=list)  # Message-IDs, the nearest first
    recipients: list[str] = field(default_factory=list)
    text: str = ""
    new: int = 0  # where nothing follows but quoted text and signature
    own: str = ""  # the sender's own words, and no line that may be quoted
    # A quoted line and the own one right below it: if both were said together, a program wrapped
    # what it quoted, and the mark is missing.
    wrapped: list[tuple[str, str]] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    automatic: str = ""  # the header that shows that no person wrote it
    bounce: Bounce | None = None
    is_spam: bool = False
    failed_authentication: bool = False

    def to_json(self) -> dict:
        facts = asdict(self)
        for file in facts["files"]:
            file["content"] = base64.b64encode(file["content"]).decode()
        return facts

    @classmethod
    def from_json(cls, facts: dict) -> "Parsed":
        facts["files"] = [
            File(file["name"], base64.b64decode(file["content"])) for file in facts["files"]
        ]
        facts["bounce"] = facts["bounce"] and Bounce(**facts["bounce"])
        return cls(**facts)


class Unreadable(Exception):
    """The mail breaks a limit, or broke its reader. The child names the limit, the Reader puts it
    into words."""
