"""The rows of a proxy: what its header costs, clients that are allowed and denied. Never screens anybody."""

from effort import Effort
from findings import Finding
from workshop import ALLOWED_NET, DENIED_NET, Workshop

from .beside import Asked, beside

_ASKED = Asked(
    "proxied",
    "by a proxy",
    ("--proxy-from", f"{ALLOWED_NET},{DENIED_NET}"),
    ("-p",),
    "without a header, which also costs its sender a packet, on the same processors",
)


def headers(workshop: Workshop, effort: Effort) -> list[Finding]:
    """Clients a second that come by a proxy, beside those that come themselves."""
    return beside(workshop, effort, _ASKED)
