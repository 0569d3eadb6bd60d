"""What the lines about the grants of a client tell, as events. Never writes them."""

from ..log.event import Event
from .grant import Grant


def relays(ip: bytes, pid: int, grant: Grant, now: int) -> Event:
    """See loglines. seconds: for so many more."""
    left = grant.expires - now
    return Event("relay", {"ip": ip, "pid": pid, "user": grant.user, "how": grant.how, "seconds": left})
