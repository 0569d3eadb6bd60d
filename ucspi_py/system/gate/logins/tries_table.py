"""Wrong passwords, counted in memory that all workers share. Never decides how many are too many.

It lasts as long as the service does: a SIGHUP keeps it, and a restart forgets who has logged in before.
"""

import struct
import time
from collections.abc import Callable
from typing import NamedTuple

from ....core.auth import tries
from ....core.auth.answer import Verdict
from ....core.auth.tries import Bucket, Limit, TooMany
from ...accept.client_table import ClientTable, Fields

#: Networks and users that are counted at once, and users that are known in a network: 20 bytes each.
_PLACES = 1 << 14
_ENTRY = struct.Struct("=QLLL")


class Trial(NamedTuple):
    """A try that was counted. taken: of whom. pair: the user and the network. is_known: the pair has its own count."""

    taken: tuple[int, ...]
    pair: int
    is_known: bool


class LoginTries:
    """Counts wrong passwords. clock: seconds that never go back, above 0."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tries = ClientTable(_ENTRY, _PLACES)
        self._pairs = ClientTable(_ENTRY, _PLACES)

    def begin(self, user: bytes, ip: bytes, *, is_known: bool = False) -> Trial | TooMany:
        """Count a try before anybody is asked. A user who has logged in from there before has a count of its own.

        user: as the client says it. ip: canonical. is_known: that user has, as others know.
        """
        network, user = tries.network_of(ip), user.lower()
        of_network, of_user, pair = key(network), key(b"", user), key(network, user)
        if is_known or self._is_known(pair):
            return Trial((pair,), pair, True) if self._take(self._pairs, pair, tries.OF_PAIR) else TooMany.PAIR
        if not self._take(self._tries, of_network, tries.OF_NETWORK):
            return TooMany.NETWORK
        if not self._take(self._tries, of_user, tries.OF_USER):
            self._give_back(self._tries, of_network)
            return TooMany.USER
        return Trial((of_network, of_user), pair, False)

    def is_known(self, user: bytes, ip: bytes) -> bool:
        """Whether a user has logged in from there within 30 days. user, ip: as of begin()."""
        return self._is_known(key(tries.network_of(ip), user.lower()))

    def end(self, trial: Trial, verdict: Verdict) -> None:
        """Take a try back that was no wrong password, and remember who has logged in from where."""
        if verdict is not Verdict.NO:
            for key in trial.taken:
                self._give_back(self._pairs if trial.is_known else self._tries, key)
        if verdict is Verdict.YES:
            self._change(self._pairs, trial.pair, lambda bucket, now: (bucket._replace(known=now), None))

    def _is_known(self, pair: int) -> bool:
        """Nobody is forgotten for whoever is looked for."""

        def looked(ways: list[Fields]) -> tuple[int, Fields, bool]:
            place = tries.place(list(map(Bucket._make, ways)), pair)
            found = Bucket._make(ways[place])
            return place, found, found.key == pair and tries.is_known(found, self._now())

        return self._pairs.change(pair, looked)

    def _take(self, table: ClientTable, key: int, limit: Limit) -> bool:
        def taken(bucket: Bucket, now: int) -> tuple[Bucket, bool]:
            after = tries.take(bucket, limit, now)
            return after or bucket, after is not None

        return bool(self._change(table, key, taken))

    def _give_back(self, table: ClientTable, key: int) -> None:
        self._change(table, key, lambda bucket, _now: (tries.give_back(bucket), None))

    def _change(
        self, table: ClientTable, key: int, change: Callable[[Bucket, int], tuple[Bucket, bool | None]]
    ) -> bool | None:
        def changed(ways: list[Fields]) -> tuple[int, Fields, bool | None]:
            buckets = list(map(Bucket._make, ways))
            place = tries.place(buckets, key)
            found = buckets[place] if buckets[place].key == key else Bucket(key)
            return place, *change(found, self._now())

        return table.change(key, changed)

    def _now(self) -> int:
        return int(self._clock()) + 1


def key(network: bytes, user: bytes = b"") -> int:
    """Make the key of a network, or of a user in one; of a user alone the network is b"".

    hash() is salted at every start, so that nobody can choose a key that is another's.
    """
    return hash((network, user)) & ((1 << 64) - 1) or 1
