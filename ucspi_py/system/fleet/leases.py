"""The connections of one worker that count at its fleet's store: until when each does. Never asks the store."""

import time
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Lease:
    """A connection that counts. keys: under which. member: its name there. due: monotonic second of its renewal."""

    keys: tuple[str, ...]
    member: str
    due: float
    is_over: bool = False


class Leases:
    """All of them: by the place of a client that is here, or of one whose program speaks with it.

    seconds: from one renewal to the next.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._here: dict[int, Lease] = {}
        self._running: dict[Lease, None] = {}

    def begin(self, row: int, keys: tuple[str, ...], member: str) -> None:
        """Have a connection count that does so at the store. row: of its place."""
        self._here[row] = Lease(keys, member, time.monotonic() + self._seconds)

    def of(self, row: int) -> Lease | None:
        """Find the lease of the client in a place; None = it has none. row: of the place."""
        return self._here.get(row)

    def hand_over(self, row: int) -> None:
        """Have a connection count for its program from now on, and for its place no more. row: of that."""
        self._running[self._here.pop(row)] = None

    def leave(self, row: int) -> Lease | None:
        """End the lease of the client in a place; None = it has none, or its program has it. row: of the place."""
        lease = self._here.pop(row, None)
        if lease:
            lease.is_over = True
        return lease

    def end(self, lease: Lease) -> None:
        """End the lease of a program."""
        del self._running[lease]
        lease.is_over = True

    def due(self) -> list[Lease]:
        """Those that are to be renewed by now."""
        now = time.monotonic()
        return [lease for lease in self._all() if lease.due <= now]

    def renew(self, lease: Lease) -> None:
        """Have a lease count for its whole time again."""
        lease.due = time.monotonic() + self._seconds

    def _all(self) -> Iterator[Lease]:
        yield from self._here.values()
        yield from self._running
