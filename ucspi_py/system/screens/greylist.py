"""The greylist in service: asks its records, and lets everybody in while the store cannot be asked. Never decides."""

import socket
import time
from collections.abc import Mapping

from ...core.greylist import loglines
from ...core.greylist import network as greylist
from ...core.greylist.settings import GreylistSettings
from ...core.greylist.triplet import script
from ...core.greylist.triplet.changes import CLIENTS
from ...core.greylist.visit import TENANT
from ...core.metrics.asked import HeardOfOne, unheard_of_one
from ...core.smtp.verdict import Accept, Outcome
from ...core.store import url
from ..report.log import Log
from ..store.records import Records, keeper


class Greylist:
    """One greylist of one process, which must not fork after the first client. heard: how each question went."""

    def __init__(self, settings: GreylistSettings, log: Log, heard: HeardOfOne = unheard_of_one) -> None:
        self.settings = settings
        self._log = log
        self._records = Records(settings.store, (TENANT, CLIENTS), self._complain, settings.max_size, heard)

    async def open(self) -> None:
        """Open the store before the first client comes, so that what is wrong with it is logged."""
        await self._records.open()

    async def judge(self, environment: Mapping[bytes, bytes], _client: socket.SocketType | None, /) -> Outcome:
        """Ask the records about the client that the environment describes; whoever is exempt is not asked about."""
        network = greylist.network(environment.get(b"TCPREMOTEIP", b""), self.settings.network)
        if network is None:
            return Outcome(Accept(), Accept())
        verdict = await self._records.play(script.visit(network, int(time.time()), self.settings), Accept())
        return Outcome(verdict, verdict)

    async def close(self) -> None:
        """Give everything back."""
        await self._records.close()

    def _complain(self, reason: str) -> None:
        self._log.warn(loglines.store_failed(url.shown(self.settings.store), reason))


def import_library(settings: GreylistSettings) -> None:
    """Import what the store needs. Raises ImportError where it is missing."""
    keeper(settings.store)
