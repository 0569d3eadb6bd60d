"""Totals of the screens' verdicts, of all workers together. Never decides."""

import asyncio
import struct
from collections.abc import Sequence
from typing import NamedTuple

from ...core.smtp.verdict import Accept, Verdict
from ..process.shared_memory import SharedMemory
from ..process.timer import Timer

_LAYOUT = struct.Struct("=3Q")
#: Seconds after which what one worker has counted is shared; a lock for every client would cost more than it.
_SHARING = 0.25


class Totals(NamedTuple):
    """Clients by verdict. accepted: let through. refused: temporarily, 451. bounced: permanently, 553."""

    accepted: int = 0
    refused: int = 0
    bounced: int = 0

    def and_one(self, verdict: Verdict) -> "Totals":
        """Count one more client by its verdict."""
        if isinstance(verdict, Accept):
            return Totals(self.accepted + 1, self.refused, self.bounced)
        if verdict.code < 500:
            return Totals(self.accepted, self.refused + 1, self.bounced)
        return Totals(self.accepted, self.refused, self.bounced + 1)


class SharedTotals:
    """The totals of the whole service, in shared memory, by kind of screen. kinds: the totals_name of each."""

    def __init__(self, kinds: Sequence[bytes]) -> None:
        self._places = {kind: place * _LAYOUT.size for place, kind in enumerate(kinds)}
        self._shared = SharedMemory(max(1, len(kinds)) * _LAYOUT.size)  # none has no memory

    def add(self, kind: bytes, more: Totals) -> None:
        """Add the totals that one worker has counted since it last did. kind: the totals_name of the screens."""
        with self._shared as memory:
            _LAYOUT.pack_into(memory, self._places[kind], *map(sum, zip(self.read(kind), more, strict=True)))

    def read(self, kind: bytes) -> Totals:
        """The totals so far. kind: the totals_name of the screens."""
        return Totals(*_LAYOUT.unpack_from(self._shared.memory, self._places[kind]))


class WorkerTotals:
    """What the screens of one worker have decided, shared with the other workers four times a second."""

    def __init__(self, shared: SharedTotals) -> None:
        self._shared = shared
        self._totals: dict[bytes, Totals] = {}
        self._sharing = Timer(_SHARING, self.share)

    def note(self, kind: bytes, verdict: Verdict) -> None:
        """Count the verdict of a screen. kind: its totals_name."""
        self._totals[kind] = self._totals.get(kind, Totals()).and_one(verdict)
        self._sharing.ask(asyncio.get_running_loop())

    def share(self) -> None:
        """Add to the shared totals what was counted here since the last time."""
        totals, self._totals = self._totals, {}
        for kind, more in totals.items():
            self._shared.add(kind, more)
