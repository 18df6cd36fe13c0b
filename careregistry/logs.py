"""What the log says, and what it does not (SEC-H4)."""

import ipaddress
import logging
import re

# Who is written to: john@example.org, also as a part of an address of the web.
MAIL_ADDRESS = re.compile(
    r"([^\s@%<>()\[\]{},;:\"'=/])[^\s@%<>()\[\]{},;:\"/]{0,99}(@|%40)(?=[\w\[])", re.IGNORECASE
)
NETWORK_ADDRESS = re.compile(
    r"(?<![\w.])(?:"
    r"[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?:[.]\d{1,3}){0,3}(?![\w:]|[.]\d)"
    r"|\d{1,3}(?:[.]\d{1,3}){3}(?!\w|[.]\d))",
    re.IGNORECASE,
)
# What our paths let in by: references are <slug:…>, links from mails and names of photos <str:…>.
SECRET = re.compile(r"<str:(\w+)>")


class NoTracebackOfRefusals(logging.Filter):
    """A refused or unknown page is one line: where our code said no is nobody's trouble."""

    def filter(self, record) -> bool:
        if getattr(record, "status_code", 500) < 500:
            record.exc_info = None
        return True


class DiscreetFormatter(logging.Formatter):
    """Looks at the finished line, so at arguments and tracebacks as well. Links that let somebody
    in are never written out; whose mail or network address it was, unless ``masks_addresses`` is
    off, only so far that one line can be told from another."""

    def __init__(self, *args, masks_addresses: bool, **kwargs):
        super().__init__(*args, **kwargs)
        self.masks_addresses = masks_addresses

    def format(self, record):
        line = without_secrets(super().format(record), getattr(record, "request", None))
        return without_addresses(line) if self.masks_addresses else line


def without_secrets(line: str, request) -> str:
    """``line``, which is about ``request``, without what its path lets in by."""
    match = getattr(request, "resolver_match", None)
    for name in SECRET.findall(match.route) if match else ():
        line = line.replace(match.kwargs[name], "***")
    return line


def without_addresses(line: str) -> str:
    """a***@example.org, 192.0.2.0/24 and 2001:db8:7::/48."""
    return NETWORK_ADDRESS.sub(_network, MAIL_ADDRESS.sub(r"\1***\2", line))


def _network(found) -> str:
    try:
        address = ipaddress.ip_address(found[0])
    except ValueError:  # a time of day, a version
        return found[0]
    address = getattr(address, "ipv4_mapped", None) or address
    if address.is_loopback or address.is_unspecified:  # this machine, and nobody
        return found[0]
    size = 24 if address.version == 4 else 48
    return str(ipaddress.ip_network((address, size), strict=False))
