"""Who a client is to a greylist: its network, or the organisation that its names tell of. Never resolves anything."""

from ...client.limits import Prefixes
from ..attempt import Attempt
from ..network import network
from .organisation import organisation
from .settings import TripletSettings

_ADDRESS = Prefixes(32, 128)


def identity(attempt: Attempt, settings: TripletSettings) -> bytes | None:
    """Tell what its triplets are kept under: a network as in ``192.0.2.0/24``, or a domain; None = no address."""
    by_name = organisation(attempt) if settings.by_name else None
    found = network(attempt.ip, settings.network)
    return by_name or (found.encode("ascii") if found else None)


def client_key(attempt: Attempt, settings: TripletSettings) -> str | None:
    """Tell under which key its passes are counted: that of its network, or its address; None = no address."""
    if settings.counts_networks:
        return network(attempt.ip, settings.network)
    address = network(attempt.ip, _ADDRESS)
    return address.partition("/")[0] if address else None
