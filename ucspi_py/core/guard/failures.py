"""Wrong passwords counted, so that nobody guesses faster than the limits say. Reads no clock, and asks nobody.

Who guesses at a user must not lock that user out: where a user has logged in from a network, that user of that network
is counted on its own from then on, and asked about whatever others have spent (OWASP calls these device cookies).
"""

from collections import OrderedDict, deque
from collections.abc import Hashable
from typing import Generic, NamedTuple, TypeVar

from ..auth.credentials import Credentials, Peer
from ..client.limits import ClientLimits, Keys, keys
from .settings import GuardLimits

#: A client is an IPv4 address or an IPv6 /64, its network an IPv4 /24 or that /64.
_PREFIXES = ClientLimits()
_UNKNOWN = Keys(0, 0)
_SECOND, _MINUTE = 1.0, 60.0
#: Seconds for which a login is remembered.
_MEMORY = 30 * 86400.0
#: What is remembered at most: users who have logged in, and networks of one of them. The oldest are forgotten.
USERS, NETWORKS = 10_000, 16
#: Keys under which failures are counted at most. All together may fail 20 times a second, within a minute 1,200 times.
KEYS = 20_000

Key = TypeVar("Key", bound=Hashable)


class Attempt(NamedTuple):
    """Whose password is tried. user: the login. client, network: keys of the client's address, and of its network."""

    user: bytes
    client: int
    network: int

    @property
    def pair(self) -> tuple[bytes, int]:
        """The user of the network."""
        return self.user, self.network


def attempt(credentials: Credentials, peer: Peer) -> Attempt:
    """Say whose password is tried. Most checkers take a login in any case, so its case makes no user of its own."""
    found = keys(_PREFIXES, peer.remote_ip) if peer.remote_ip else _UNKNOWN
    return Attempt(credentials.login.lower(), found.client, found.network)


class Failures:
    """What has failed, and who has logged in."""

    def __init__(self, limits: GuardLimits) -> None:
        self._all: _Window[None] = _Window(limits.failures_a_second, _SECOND)
        self._users: _Window[bytes] = _Window(limits.user_failures, _MINUTE)
        self._clients: _Window[int] = _Window(limits.client_failures, _MINUTE)
        self._pairs: _Window[tuple[bytes, int]] = _Window(limits.user_failures, _MINUTE)
        self._logins: OrderedDict[bytes, OrderedDict[int, float]] = OrderedDict()

    def is_known(self, attempt: Attempt, now: float) -> bool:
        """Whether the user has logged in from that network within 30 days.

        now: seconds of a clock that never goes back.
        """
        networks = self._logins.get(attempt.user)
        since = networks.get(attempt.network) if networks else None
        return since is not None and now - since <= _MEMORY

    def excess(self, attempt: Attempt, now: float) -> str | None:
        """Name who has failed too often for one more try to be made, as the log says it; None: it may be made.

        now: as of is_known().
        """
        if self.is_known(attempt, now):
            return None if self._pairs.has_room(attempt.pair, now) else "this user from this network"
        if not self._users.has_room(attempt.user, now):
            return "this user"
        if not self._clients.has_room(attempt.client, now):
            return "this client"
        return None if self._all.has_room(None, now) else "all clients together"

    def note_failure(self, attempt: Attempt, now: float) -> None:
        """Count a wrong password. now: as of is_known()."""
        if self.is_known(attempt, now):
            self._pairs.add(attempt.pair, now)
            return
        self._users.add(attempt.user, now)
        self._clients.add(attempt.client, now)
        self._all.add(None, now)

    def note_login(self, attempt: Attempt, now: float) -> None:
        """Remember who has logged in, and from where. now: as of is_known()."""
        networks = self._logins.setdefault(attempt.user, OrderedDict())
        self._logins.move_to_end(attempt.user)
        networks[attempt.network] = now
        networks.move_to_end(attempt.network)
        if len(networks) > NETWORKS:
            networks.popitem(last=False)
        if len(self._logins) > USERS:
            self._logins.popitem(last=False)


class _Window(Generic[Key]):
    """The last events of each key. limit: events within ``period`` seconds."""

    def __init__(self, limit: int, period: float) -> None:
        self._limit = limit
        self._period = period
        self._times: OrderedDict[Key, deque[float]] = OrderedDict()

    def has_room(self, key: Key, now: float) -> bool:
        """Whether one more event is within the limit."""
        return sum(now - time < self._period for time in self._times.get(key, ())) < self._limit

    def add(self, key: Key, now: float) -> None:
        """Count one event, and forget what is over; only the last ``limit`` of a key matter."""
        self._times.setdefault(key, deque(maxlen=self._limit)).append(now)
        self._times.move_to_end(key)
        while len(self._times) > KEYS or now - next(iter(self._times.values()))[-1] >= self._period:
            self._times.popitem(last=False)
