"""The operator's words for proxies -> their networks."""

from ..errors import AskedWrongly
from ..importers.postfix.lines import network
from ..rules.cidr import Network


def networks(text: str) -> tuple[Network, ...]:
    """Parse ``10.0.0.2,2001:db8::/64``. Raises AskedWrongly."""
    return tuple(_network(word) for word in text.split(","))


def _network(word: str) -> Network:
    found = network(word)
    if isinstance(found, str):
        raise AskedWrongly(
            f"--proxy-from takes addresses and networks as 10.0.0.2 and 10.0.0.0/8, not '{word}': {found}"
        )
    if not found.length:
        raise AskedWrongly(f"--proxy-from takes no '{word}': anybody could say that he is anybody")
    return found
