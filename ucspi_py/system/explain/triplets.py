"""The triplets of a gate, only looked at: what a visit would come to, and no record of it. Never changes one."""

from typing import TypeVar

from ...core.greylist.triplet.changes import TRIPLETS
from ...core.store.change import Change, Script
from ..store import look, scripts

T = TypeVar("T")


class Looking:
    """Stands in for Records. place: as there."""

    def __init__(self, place: str) -> None:
        self._place = place

    async def open(self) -> None:
        """Look whether the store can be read. Raises Failure."""
        await look.record(self._place, TRIPLETS, "0" * 32)

    async def play(self, script: Script[T], _otherwise: T) -> T:
        """Tell what a script would come to. Raises Failure."""
        return await scripts.play(script, self._look)

    async def _look(self, key: str, change: Change[T]) -> T:
        return change.apply(await look.record(self._place, change.tenant, key)).result

    async def close(self) -> None:
        """Nothing is kept open."""
