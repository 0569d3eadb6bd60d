"""Greylisting by triplet in service: asks its records, and lets everybody in while they cannot be asked. Never decides.

To be made in the process that uses it, which must not fork afterwards.
"""

import time
from collections.abc import Callable

from ...core.greylist.attempt import Attempt, Passed, Verdict
from ...core.greylist.triplet.changes import CLIENTS, TRIPLETS, ClientPass, ClientVisit, TripletVisit
from ...core.greylist.triplet.identity import client_key, identity
from ...core.greylist.triplet.key import normalised, triplet_key
from ...core.greylist.triplet.settings import TripletSettings
from ...core.store import url
from ..store.records import Records

_NO_ADDRESS = Passed(b"no address")


class Greylister:
    """One process's way to the triplets.

    tell: gets a sentence about what is wrong, that about a store once a minute. clock: gives seconds since 1970.
    """

    def __init__(
        self, settings: TripletSettings, tell: Callable[[str], object], clock: Callable[[], float] = time.time
    ) -> None:
        self.settings = settings
        self._tell = tell
        self._clock = clock
        self._records = Records(settings.store, (TRIPLETS, CLIENTS), self._complain)

    async def open(self) -> None:
        """Open the store and read the whitelists before the first client comes, so that what is wrong is told."""
        await self._records.open()

    def reload(self) -> None:
        """Read the whitelists again. What is wrong is told; of a file that cannot be read the old lines stay."""

    async def judge(self, attempt: Attempt) -> Verdict:
        """Tell what becomes of an attempt, and remember it. Without a store everybody is let in."""
        who, client = identity(attempt, self.settings), client_key(attempt, self.settings)
        if who is None or client is None:
            return _NO_ADDRESS
        now = int(self._clock())
        if self.settings.auto_whitelist_clients and await self._records.update(client, ClientVisit(now, self.settings)):
            return Passed(b"client AWL")
        key = triplet_key(who, normalised(attempt.sender), attempt.recipient)
        verdict = await self._records.update(key, TripletVisit(now, self.settings))
        if isinstance(verdict, Passed) and verdict.waited is not None:
            return await self._counted(verdict, client, now)
        return verdict

    async def close(self) -> None:
        """Give everything back."""
        await self._records.close()

    async def _counted(self, verdict: Passed, client: str, now: int) -> Passed:
        if not (self.settings.auto_whitelist_clients or self.settings.counts_networks):
            return verdict
        count = await self._records.update(client, ClientPass(now, self.settings))
        return verdict._replace(lists_client=0 < count == self.settings.auto_whitelist_clients)

    def _complain(self, reason: str) -> None:
        self._tell(f"unable to use {url.shown(self.settings.store)}: {reason}, everybody is let in")
