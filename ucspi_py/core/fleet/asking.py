"""What is asked of a fleet's store about a client, and which limit its answer breaks. Never asks and never counts."""

from typing import NamedTuple

from ..client.limits import NETWORK, ClientLimits, Excess, Presence, exceeded_by_client
from .names import names

#: Milliseconds that a connection counts for, unless that is renewed: a host that is gone takes its own with it.
LIFE = 90_000
_UNLIMITED = -1
_MICRO = 1_000_000


class Question(NamedTuple):
    """What ENTER is run with. leases: those of its keys under which the connection is counted while it is there."""

    keys: tuple[str, ...]
    arguments: tuple[str, ...]
    leases: tuple[str, ...]


_KEYS = names(b"0.0.0.0", NETWORK)
#: About a client that nobody is, and that counts for a millisecond: with all limits, so that all we do there is tried.
NOBODY = Question(_KEYS, ("1", "1", "1000", "1000", "1", "-"), _KEYS[1:])


def question(limits: ClientLimits, ip: bytes, member: str, life: int = LIFE) -> Question | None:
    """Ask about a client; None where none of its limits is shared.

    limits: its own. ip: its canonical address. member: the name of its connection, unique among all hosts. life:
    milliseconds.
    """
    most = (limits.per_client, limits.per_network, limits.arrivals)
    if most == (None, None, None):
        return None
    keys = names(ip, limits.network)
    leases = [key for key, limit in zip(keys[1:], most, strict=False) if limit is not None]
    worth = max(1, limits.period * _MICRO // limits.arrivals) if limits.arrivals else 0
    numbers = (*(_UNLIMITED if limit is None else limit for limit in most), worth, life)
    return Question(keys, (*map(str, numbers), member), tuple(leases))


def excess(limits: ClientLimits, answer: object) -> Excess | None:
    """Find the limit that the client is over with what it has at all hosts; None where it is over none.

    limits: those that were asked with. answer: of ENTER. Raises ValueError for what is none.
    """
    if not isinstance(answer, list) or len(answer) != 3 or not all(isinstance(number, int) for number in answer):
        raise ValueError("the answer of the store is none")
    found = exceeded_by_client(limits, Presence(*answer))
    return found and found._replace(reason=found.reason + b" on all hosts")
