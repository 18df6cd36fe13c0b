"""What settings may be. Each reader takes the words of a variable and makes of them what is meant,
or raises ValueError; ``MUST_BE`` says what to write instead.

Nothing here repeats a value: it may hold a password.
"""

import re
from email.headerregistry import Address
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import environ
from django.utils.encoding import punycode
from django.utils.ipv6 import is_valid_ipv6_address

MAIL_PORTS = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}
ADDRESS = re.compile(r"([\w.!#$%&'*+/=?^`{|}~-]+)@([^\s\"(),:;<>@[\\\]]+)", re.ASCII)
DATABASES = {"postgres", "postgresql", "sqlite"}
CONFIRMATIONS = {"code", "link", "none"}
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
HOST = re.compile(r"[\w.-]+")
YES, NO = {"1", "true", "on", "yes"}, {"0", "false", "off", "no"}


def is_yes(words: str) -> bool:
    """A word that is neither would be taken for no."""
    word = words.strip().lower()
    if word not in YES | NO:
        raise ValueError
    return word in YES


def count(words: str) -> int:
    """None of our settings has a meaning below 0."""
    if not words.strip().isdecimal():
        raise ValueError
    return int(words)


def site(words: str) -> str:
    if any(sign in words for sign in "@?#"):
        raise ValueError
    url = urlsplit(words.strip().rstrip("/"))
    # The port is asked for as only that refuses one that is no number.
    if url.scheme not in ("http", "https") or not url.hostname or url.port == 0:
        raise ValueError
    return url.geturl()


def sender(words: str) -> str:
    """Like ``"Smith, Ltd" <care@example.org>``: the name in quotes where a header needs them, so
    that everybody who reads the setting finds the same address in it."""
    name, bracket, address = words.strip().rpartition("<")
    name = name.strip()
    if name[:1] == name[-1:] == '"':
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    found = ADDRESS.fullmatch(address.removesuffix(">"))
    if not found or bool(bracket) != address.endswith(">"):
        raise ValueError
    return str(Address(name, found[1], punycode(found[2])))


def address(words: str) -> str:
    """Without the name it may have."""
    return sender(words).rpartition("<")[2].removesuffix(">")


def hosts(words: str) -> list[str]:
    names = [name.strip().lower() for name in words.split(",") if name.strip()]
    if not all(HOST.fullmatch(name) or is_valid_ipv6_address(name) for name in names):
        raise ValueError
    return names


def own_hosts(words: str) -> list[str]:
    """As Django asks for them: IPv6 addresses in brackets, ``*`` for any host."""
    if words.strip() == "*":
        return ["*"]
    names = hosts(words.replace("[", "").replace("]", ""))
    return [f"[{name}]" if ":" in name else name for name in names]


def mail_server(words: str) -> dict:
    """Django's settings. A scheme it does not know would be taken for one without encryption, and
    what follows the port for nothing."""
    url = urlsplit(words)
    if url.scheme not in MAIL_PORTS or not url.hostname:
        raise ValueError
    if url.path.strip("/") or url.query or url.fragment:
        raise ValueError
    server = environ.Env.email_url_config(words, backend="notifications.mail.backends.SmtpBackend")
    return server | {"EMAIL_PORT": url.port or MAIL_PORTS[url.scheme]}


def database(words: str) -> dict:
    """Django's settings."""
    if urlsplit(words).scheme not in DATABASES:
        raise ValueError
    return environ.Env.db_url_config(words)


def confirmation(words: str) -> str:
    if words not in CONFIRMATIONS:
        raise ValueError
    return words


def time_zone(words: str) -> str:
    if words not in available_timezones():
        raise ValueError
    return words


def log_level(words: str) -> str:
    if words.upper() not in LOG_LEVELS:
        raise ValueError
    return words.upper()


MUST_BE = {
    bool: "1 or 0, or one of: true, on, yes, false, off, no",
    int: "a whole number, 0 or more",
    site: "an address that begins with http:// or https://, without a user and without ? and #",
    sender: "a mail address, like Customer Care <care@example.org>",
    address: "a mail address, like care@example.org",
    hosts: "names of hosts without http:// and port, separated by commas",
    own_hosts: "names of hosts without http:// and port, separated by commas",
    mail_server: (
        "like smtp+tls://user:password@host:587, smtp+ssl://… or smtp://…; "
        "in user and password @ # / are written %40 %23 %2F, and nothing follows the port"
    ),
    database: "like postgres://user:password@host:5432/name or sqlite:///path",
    confirmation: "one of: code, link, none",
    time_zone: "the name of a time zone, like Europe/Berlin",
    log_level: f"one of: {', '.join(LOG_LEVELS)}",
}
STRICTER = {bool: is_yes, int: count}
LINE = re.compile(r"\s*(#.*)?|(export )?\w+=.*", re.ASCII)


class Environment(environ.Env):
    """Reads the environment. What can't be meant ends the process with a sentence."""

    @classmethod
    def read_env(cls, env_file, **options):
        """The library would log a line that is no setting, with the password in it."""
        lines = env_file.read_text("utf-8").splitlines() if env_file.exists() else []
        for number, line in enumerate(lines, start=1):
            if not LINE.fullmatch(line):
                said = f"Line {number} of {env_file.name} must be like NAME=value"
                raise SystemExit(f"Not started:\n - {said}, with no space around the name.")
        super().read_env(env_file, **options)

    def get_value(self, var, cast=None, default=environ.Env.NOTSET, parse_default=False):
        """The library's own takes words that begin with ``$`` for the name of another variable.
        Of ours none is that, but keys may begin so."""
        words = self.ENVIRON.get(var, default)
        if words is self.NOTSET:
            raise SystemExit(f"Not started:\n - {var} is missing.")
        if words == "" and default is None:
            return None
        if cast is None or (words == default and not parse_default):
            return words
        try:
            return self.parse_value(words, STRICTER.get(cast, cast))
        except ValueError:
            pass
        # Not raised from the trouble, whose own words may repeat a password.
        raise SystemExit(f"Not started:\n - {var} must be {MUST_BE[cast]}.")
