"""How the screens have decided so far, counted by all workers together. Never decides."""

import struct
from typing import NamedTuple

from ...core.settings import GreylistSettings, Kind, ScreenSettings
from ...core.smtp.verdict import Accept, Verdict
from ..process.shared_memory import SharedMemory

_LAYOUT = struct.Struct("=3Q")
#: Where the totals of each kind of screen are.
_PLACES = {kind: place * _LAYOUT.size for place, kind in enumerate((ScreenSettings, GreylistSettings))}


class Totals(NamedTuple):
    """Clients let through, refused for now, refused for good."""

    accepted: int = 0
    refused: int = 0
    bounced: int = 0

    def and_one(self, verdict: Verdict) -> "Totals":
        """These, and one more."""
        if isinstance(verdict, Accept):
            return Totals(self.accepted + 1, self.refused, self.bounced)
        if verdict.code < 500:
            return Totals(self.accepted, self.refused + 1, self.bounced)
        return Totals(self.accepted, self.refused, self.bounced + 1)


class SharedTotals:
    """The totals of the service, for each kind of screen: the type of its settings."""

    def __init__(self) -> None:
        self._shared = SharedMemory(len(_PLACES) * _LAYOUT.size)

    def add(self, kind: Kind, more: Totals) -> None:
        """Add what one worker has counted."""
        with self._shared as memory:
            _LAYOUT.pack_into(memory, _PLACES[kind], *map(sum, zip(self.read(kind), more, strict=True)))

    def read(self, kind: Kind) -> Totals:
        """The totals so far."""
        return Totals(*_LAYOUT.unpack_from(self._shared.memory, _PLACES[kind]))
