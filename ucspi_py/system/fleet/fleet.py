"""The limits of a client held over several hosts: their store is asked once, and told who has left. Never decides.

While the store cannot be asked, the limits of this host hold alone. Every connection that is let in is renewed there:
so those count as well that came meanwhile, and those of a host that is gone count no more after a while.
"""

import asyncio
import contextlib
import os
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from ...core.client.limits import ClientLimits, Excess
from ...core.errors import Failure
from ...core.fleet import asking, loglines, scripts
from ...core.fleet.asking import Question
from ...core.metrics.asked import HeardOfOne
from ...core.store import url
from ..report.log import Log
from ..report.tasks import Tasks
from ..store.attempts import Attempts
from ..store.reason import reason
from .leases import Lease, Leases
from .tries import FleetTries, Run

if TYPE_CHECKING:
    from ..store.server.redis_server import RedisServer

#: Seconds that it has to answer whoever looks whether it can be used.
_PATIENCE_OF_A_LOOK = 5.0
#: Renewals in the time for which a connection counts: one may fail, and another come late.
_RENEWALS = 3
#: Looks for what is to be renewed, from one renewal to the next.
_LOOKS = 30
#: Connections that have ended, and of which the store is still to hear; older ones are left to expire there.
_MOST_LEFT = 10_000

#: Starts a program, as Backends.start does -> its process id, None where that failed.
Start = Callable[..., Awaitable[int | None]]


class Fleet:
    """One worker's way to the store.

    place: its URL. log: has one line a minute while it cannot be asked. heard: how each question about a client went.
    life: milliseconds for which a connection counts without a renewal. tries: passwords that clients try.
    """

    def __init__(self, place: str, tasks: Tasks, log: Log, heard: HeardOfOne, life: int = asking.LIFE) -> None:
        self._place = place
        self._tasks = tasks
        self._log = log
        self._life = life
        self._attempts = Attempts(place, self._complain, heard)
        self._server: RedisServer | None = None
        self.tries = FleetTries(self._attempts, self._run)
        worker = f"{os.uname().nodename}:{os.getpid()}:{os.urandom(3).hex()}"
        self._members = (f"{worker}:{number}" for number in count())
        self._seconds = life / 1000 / _RENEWALS
        self._leases = Leases(self._seconds)
        self._left: deque[Lease] = deque(maxlen=_MOST_LEFT)
        self._is_telling = False
        # Who has left is not to be renewed behind that.
        self._turn = asyncio.Lock()

    def begin(self) -> None:
        """Open the store before the first client comes, so that what is wrong with it is logged, and go on renewing."""
        self._tasks.take_on(self._open())
        self._tasks.keep_going(self._keep)

    async def enter(self, limits: ClientLimits, ip: bytes, row: int) -> Excess | None:
        """Find the limit that a client is over with what it has at all hosts; None = it is in.

        limits: its own, which it keeps here. ip: its canonical address. row: of its place; it is to be said when it
        leaves it.
        """
        member = next(self._members)
        question = asking.question(limits, ip, member, self._life)
        if question is None:
            return None
        excess = await self._attempts.ask(partial(self._asked, limits, question), None)
        if excess is None and question.leases:
            self._leases.begin(row, question.leases, member)
        return excess

    async def start(self, start: Start, connection: Any, fd: int, row: int) -> None:
        """Start the program of a client, whose connection counts then until that ends. row: of its place.

        start, connection, fd: Backends.start, and what it takes.
        """
        lease = self._leases.of(row)
        if lease is None:
            await start(connection, fd)
            return
        ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        if await start(connection, fd, ended.set_result) is not None:
            self._leases.hand_over(row)
            self._tasks.take_on(self._until_ended(lease, ended))

    def left(self, row: int) -> None:
        """Say that a client has left its place. row: of that."""
        lease = self._leases.leave(row)
        if lease:
            self._give_back(lease)

    async def close(self) -> None:
        """Give the connections to the store back."""
        if self._server is not None:
            await self._server.close()

    async def _open(self) -> None:
        await self._attempts.insist(lambda: _try_out(self._way().run), None)

    def _asked(self, limits: ClientLimits, question: Question) -> Awaitable[Excess | None]:
        return _understood(limits, self._run(scripts.ENTER, question.keys, question.arguments))

    async def _until_ended(self, lease: Lease, ended: asyncio.Future[int]) -> None:
        await ended
        self._leases.end(lease)
        self._give_back(lease)

    def _give_back(self, lease: Lease) -> None:
        self._left.append(lease)
        if len(self._left) == 1:
            self._tasks.take_on(self._say_who_left())

    async def _say_who_left(self) -> None:
        """Tell the store, until it fails; those of whom it has not heard then are told at the next look."""
        if self._is_telling:
            return
        self._is_telling = True
        while self._left:
            lease = self._left.popleft()
            async with self._turn:
                is_told = await self._attempts.tell(partial(self._run, scripts.LEAVE, lease.keys, (lease.member,)))
            if not is_told:
                self._left.appendleft(lease)
                break
        self._is_telling = False

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self._seconds / _LOOKS)
            await self._renew_all()
            await self._say_who_left()

    async def _renew_all(self) -> None:
        for lease in self._leases.due():
            async with self._turn:
                if not lease.is_over and not await self._is_renewed(lease):
                    break

    async def _is_renewed(self, lease: Lease) -> bool:
        arguments = (str(self._life), lease.member)
        is_renewed = await self._attempts.tell(partial(self._run, scripts.RENEW, lease.keys, arguments))
        if is_renewed:
            self._leases.renew(lease)
        return is_renewed

    def _run(self, script: str, keys: Sequence[str], arguments: Sequence[str]) -> Awaitable[Any]:
        return self._way().run(script, keys, arguments)

    def _way(self) -> "RedisServer":
        """Find the way to the store. What is loaded or made ready for it is no time of the store's."""
        if self._server is None:
            from ..store.server.redis_server import RedisServer

            self._server = RedisServer(self._place, patience=None)
        return self._server

    def _complain(self, why: str) -> None:
        self._log.warn(loglines.alone(url.shown(self._place), why))


async def _understood(limits: ClientLimits, answer: Awaitable[Any]) -> Excess | None:
    return asking.excess(limits, await answer)


async def _try_out(run: Run) -> None:
    """Have nobody come and leave: a server that only answers is of no use, as one that has been demoted."""
    await run(scripts.ENTER, asking.NOBODY.keys, asking.NOBODY.arguments)
    await run(scripts.LEAVE, asking.NOBODY.leases, asking.NOBODY.arguments[-1:])


async def look(place: str) -> None:
    """Look whether a store can be used, and we may do there what we have to; nothing of it stays.

    place: its URL. Raises Failure.
    """
    try:
        from ..store.server.redis_server import RedisServer

        server = RedisServer(place)
        try:
            async with asyncio.timeout(_PATIENCE_OF_A_LOOK):
                await _try_out(server.run)
        finally:
            await server.close()
    except Exception as error:  # the library has its own
        raise Failure(f"unable to use {url.shown(place)}: {reason(error)}") from None


def import_library() -> None:
    """Import what the store needs, while we may still read whatever root may; what is missing is told of later."""
    with contextlib.suppress(ImportError):
        from ..store.server import redis_server  # noqa: F401
