"""Where other programs run."""

from ipaddress import ip_address


def is_local(host: str) -> bool:
    """Whether ``host`` names this machine: whatever goes there crosses no network."""
    host = host.lower().strip("[]")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name
        return False
