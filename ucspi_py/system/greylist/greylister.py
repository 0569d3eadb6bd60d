"""Greylisting by triplet in service: asks its records, and lets everybody in while they cannot be asked. Never decides.

To be made in the process that uses it, which must not fork afterwards, and used by its main thread.
"""

import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from ...core.greylist.attempt import Attempt, Passed, Verdict
from ...core.greylist.triplet import script as scripts
from ...core.greylist.triplet.changes import CLIENTS, NO_STORE, TRIPLETS
from ...core.greylist.triplet.exemption import spared
from ...core.greylist.triplet.identity import client_key, identity
from ...core.greylist.triplet.key import normalised, triplet_key
from ...core.greylist.triplet.settings import TripletSettings
from ...core.greylist.visit import TENANT as NETWORKS
from ...core.metrics.asked import HeardOfOne, unheard_of_one
from ...core.store import url
from ...core.store.change import Script
from ..report.complaints import Complaints
from ..store.records import Records
from .whitelists import Whitelists

T = TypeVar("T")

_NO_ADDRESS = Passed(b"no address")
_WITHOUT_STORE = Passed(NO_STORE)


class TripletRecords(Protocol):
    """What the Greylister asks: Records, or whoever only looks at them."""

    async def open(self) -> None:
        """Get ready."""

    async def play(self, script: Script[T], otherwise: T) -> T:
        """Play a script of changes; its result, or otherwise without a store."""

    async def close(self) -> None:
        """Give everything back."""


class Greylister:
    """One process's way to the triplets.

    tell: gets a sentence about what is wrong, each once a minute. clock: gives seconds since 1970. records: None = of
    the settings' store. heard: how each question to that went.
    """

    def __init__(
        self,
        settings: TripletSettings,
        tell: Callable[[str], None],
        clock: Callable[[], float] = time.time,
        records: TripletRecords | None = None,
        heard: HeardOfOne = unheard_of_one,
    ) -> None:
        self.settings = settings
        self._tell = tell
        self._clock = clock
        self._whitelists = Whitelists(settings, Complaints(tell))
        tenants = (TRIPLETS, CLIENTS, NETWORKS) if settings.counts_networks else (TRIPLETS, CLIENTS)
        self._records: TripletRecords = records or Records(
            settings.store, tenants, self._complain, settings.max_size, heard
        )

    async def open(self) -> None:
        """Read the whitelists and open the store before the first client comes, so that what is wrong is told."""
        self.reload()
        await self._records.open()

    def reload(self) -> None:
        """Read the whitelists again. What is wrong is told; of a file that cannot be read the old lines stay."""
        self._whitelists.read()

    async def judge(self, attempt: Attempt) -> Verdict:
        """Tell what becomes of an attempt, and remember it. Without a store everybody is let in."""
        unasked = (spared(attempt) if self.settings.spares else None) or self._whitelists.passed(attempt)
        if unasked:
            return unasked
        who, client = identity(attempt, self.settings), client_key(attempt, self.settings)
        if who is None or client is None:
            return _NO_ADDRESS
        key = triplet_key(who, normalised(attempt.sender), attempt.recipient)
        script = scripts.attempt(key, client, int(self._clock()), self.settings)
        return await self._records.play(script, _WITHOUT_STORE)

    async def close(self) -> None:
        """Give everything back."""
        await self._records.close()

    def _complain(self, reason: str) -> None:
        self._tell(f"unable to use {url.shown(self.settings.store)}: {reason}, everybody is let in")
