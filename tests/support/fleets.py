"""Hosts of a fleet in this process, and a store that may be slow."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from tests.support.admission import Lines
from ucspi_py.core.client.limits import ClientLimits
from ucspi_py.core.fleet import asking
from ucspi_py.core.metrics.asked import Went
from ucspi_py.system.fleet.fleet import Fleet
from ucspi_py.system.report.tasks import Tasks

IP = b"192.0.2.7"


class Host:
    """One worker of a host, within a running loop; to be closed. life: milliseconds, as of Fleet.

    went: how many questions went how. slowest: seconds that a client has waited at most.
    """

    def __init__(self, url: str, life: int = asking.LIFE) -> None:
        self.log = Lines()
        self.went: Counter[Went] = Counter()
        self.slowest = 0.0
        self._tasks = Tasks(asyncio.get_running_loop(), pytest.fail, lambda: None)
        self.fleet = Fleet(url, self._tasks, self.log, self._hear, life)
        self.fleet.begin()
        self._rows = 0

    async def enter(self, limits: ClientLimits, ip: bytes = IP) -> bool:
        """Have a client come, in a place of its own -> whether it is in."""
        self._rows += 1
        loop = asyncio.get_running_loop()
        since = loop.time()
        excess = await self.fleet.enter(limits, ip, self._rows)
        self.slowest = max(self.slowest, loop.time() - since)
        return excess is None

    async def close(self) -> None:
        """End what goes on for ever, and await the rest."""
        self._tasks.stop()
        while self._tasks:
            await asyncio.sleep(0.001)
        await self.fleet.close()

    def _hear(self, went: Went, _seconds: float) -> None:
        self.went[went] += 1


@asynccontextmanager
async def hosts(url: str, number: int = 1, life: int = asking.LIFE) -> AsyncIterator[list[Host]]:
    """So many hosts that share a store."""
    made = [Host(url, life) for _ in range(number)]
    try:
        yield made
    finally:
        for host in made:
            await host.close()


class Slow:
    """A proxy before a server on a running loop. delay: seconds by which each piece of an answer comes later."""

    def __init__(self, ip: str, port: int) -> None:
        self._server = (ip, port)
        self.delay = 0.0

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        """Give its URL."""
        async with await asyncio.start_server(self._carry, "127.0.0.1", 0) as listener:
            yield f"redis://127.0.0.1:{listener.sockets[0].getsockname()[1]}/0"

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, ours = await asyncio.open_connection(*self._server)
        try:
            await asyncio.gather(self._pass_on(reader, ours, slowly=False), self._pass_on(theirs, writer, slowly=True))
        finally:
            ours.close()
            writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, slowly: bool) -> None:
        with suppress(OSError):
            while piece := await reader.read(65536):
                await asyncio.sleep(self.delay if slowly else 0)
                writer.write(piece)
                await writer.drain()
        writer.close()
