"""The ledger in service: a client that has a grant may relay; nobody may while it cannot be asked. Never refuses."""

import os
import socket
import time
from collections.abc import Mapping

from ...core.ledger import loglines, relay
from ...core.ledger.settings import RelaySettings
from ...core.metrics.asked import HeardOfOne, unheard_of_one
from ...core.smtp.verdict import Outcome
from ...core.store import url
from ..ledger.reader import LedgerReader, reader
from ..report.log import Log


class RelayCheck:
    """One process's look at the ledger, which must not fork after the first client. heard: how each went."""

    def __init__(self, settings: RelaySettings, log: Log, heard: HeardOfOne = unheard_of_one) -> None:
        self._settings = settings
        self._log = log
        self._ledger = LedgerReader(settings.store, self._complain, heard)

    async def open(self) -> None:
        """Open the ledger before the first client comes, so that what is wrong with it is logged."""
        await self._ledger.open()

    async def judge(self, environment: Mapping[bytes, bytes], _client: socket.SocketType | None, /) -> Outcome:
        """Ask the ledger about the client that the environment describes."""
        grants = await self._ledger.grants(environment.get(b"TCPREMOTEIP", b""))
        return relay.outcome(environment, grants, int(time.time()), os.getpid())

    async def close(self) -> None:
        """Give everything back."""
        await self._ledger.close()

    def _complain(self, reason: str) -> None:
        self._log.warn(loglines.store_failed(url.shown(self._settings.store), reason))


def import_library(settings: RelaySettings) -> None:
    """Import what the store needs. Raises ImportError where it is missing."""
    reader(settings.store)
