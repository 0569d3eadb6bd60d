"""What the lines about the grants of a client tell, as events. Never writes them."""

from ..log.event import Event
from .grant import Grant


def relays(ip: bytes, pid: int, grant: Grant, now: int) -> Event:
    """Tell of a client that may relay by a grant. pid: process id. now: seconds since 1970."""
    left = grant.expires - now
    return Event("relay", {"ip": ip, "pid": pid, "user": grant.user, "how": grant.how, "seconds": left})
