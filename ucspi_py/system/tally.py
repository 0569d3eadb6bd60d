"""How the screen has decided so far, counted by all workers together. Never decides."""

import struct
from typing import NamedTuple

from ..core.verdict import Accept, Verdict
from .shared_memory import SharedMemory

_LAYOUT = struct.Struct("=3Q")


class Totals(NamedTuple):
    """Clients let through, refused for now, refused for good."""

    accepted: int
    refused: int
    bounced: int


class Tally:
    """Counts verdicts."""

    def __init__(self) -> None:
        self._shared = SharedMemory(_LAYOUT.size)

    def note(self, verdict: Verdict) -> None:
        """Count one."""
        column = 0 if isinstance(verdict, Accept) else 1 + (verdict.code >= 500)
        with self._shared as memory:
            counts = list(_LAYOUT.unpack_from(memory))
            counts[column] += 1
            _LAYOUT.pack_into(memory, 0, *counts)

    def read(self) -> Totals:
        """The counts so far."""
        return Totals(*_LAYOUT.unpack_from(self._shared.memory))
