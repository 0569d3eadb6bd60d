"""Greylisting by triplet in service: asks its records, and lets everybody in while they cannot be asked. Never decides.

To be made in the process that uses it, which must not fork afterwards, and used by its main thread.
"""

import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from ...core.greylist.attempt import Attempt, Deferred, Passed, Verdict
from ...core.greylist.triplet.changes import CLIENTS, TRIPLETS, ClientPass, ClientVisit, TripletVisit
from ...core.greylist.triplet.exemption import spared
from ...core.greylist.triplet.identity import client_key, identity
from ...core.greylist.triplet.key import normalised, triplet_key
from ...core.greylist.triplet.settings import TripletSettings
from ...core.greylist.visit import TENANT as NETWORKS
from ...core.greylist.visit import NetworkKnown
from ...core.store import url
from ...core.store.change import Change
from ..report.complaints import Complaints
from ..store.records import Records
from .whitelists import Whitelists

T = TypeVar("T")

_NO_ADDRESS = Passed(b"no address")
_LISTED = Passed(b"client AWL")
_KNOWN = Passed(b"network known")


class Kept(Protocol):
    """What the Greylister asks: Records, or whoever only looks at them."""

    async def open(self) -> None:
        """Get ready."""

    async def update(self, key: str, change: Change[T], /) -> T:
        """Apply a change to the record of a key -> its result, or the one that it has without a store."""

    async def close(self) -> None:
        """Give everything back."""


class Greylister:
    """One process's way to the triplets.

    tell: gets a sentence about what is wrong, each once a minute. clock: gives seconds since 1970. records: None = of
    the settings' store.
    """

    def __init__(
        self,
        settings: TripletSettings,
        tell: Callable[[str], None],
        clock: Callable[[], float] = time.time,
        records: Kept | None = None,
    ) -> None:
        self.settings = settings
        self._tell = tell
        self._clock = clock
        self._whitelists = Whitelists(settings, Complaints(tell))
        tenants = (TRIPLETS, CLIENTS, NETWORKS) if settings.counts_networks else (TRIPLETS, CLIENTS)
        self._records: Kept = records or Records(settings.store, tenants, self._complain, settings.max_size)

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
        return await self._asked(triplet_key(who, normalised(attempt.sender), attempt.recipient), client)

    async def close(self) -> None:
        """Give everything back."""
        await self._records.close()

    async def _asked(self, key: str, client: str) -> Verdict:
        settings, now = self.settings, int(self._clock())
        if settings.auto_whitelist_clients and await self._records.update(client, ClientVisit(now, settings)):
            return _LISTED
        verdict = await self._records.update(key, TripletVisit(now, settings))
        if isinstance(verdict, Deferred):
            return _KNOWN if await self._is_known(client, now) else verdict
        return verdict if verdict.waited is None else await self._counted(verdict, client, now)

    async def _is_known(self, client: str, now: int) -> bool:
        """Whether pygreylist has let the client's network in: nobody waits twice."""
        settings = self.settings
        return settings.counts_networks and await self._records.update(client, NetworkKnown(now, settings.max_age))

    async def _counted(self, verdict: Passed, client: str, now: int) -> Passed:
        settings = self.settings
        if not (settings.auto_whitelist_clients or settings.counts_networks):
            return verdict
        passes = await self._records.update(client, ClientPass(now, settings))
        return verdict._replace(lists_client=0 < passes == settings.auto_whitelist_clients)

    def _complain(self, reason: str) -> None:
        self._tell(f"unable to use {url.shown(self.settings.store)}: {reason}, everybody is let in")
