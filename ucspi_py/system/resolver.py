"""Questions to the name servers, each with a deadline. Never judges an answer."""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import NamedTuple

from ..core import dns_message
from ..core.dns_message import Answer, Failed, Question, TellAnswer, Truncated
from ..core.dns_servers import Server
from .chance import random_number
from .dns_reader import read
from .server_list import ServerList
from .sockaddr import family, sockaddr
from .udp_pool import TIMED_OUT, TOO_LONG, UNREACHABLE, UdpPool

#: Seconds to wait for one server, round after round; the deadline of the whole question comes first.
_PATIENCE = (2.0, 4.0, 8.0, 16.0, 32.0)


class _Asking(NamedTuple):
    """A question on its way from server to server. turns: who is asked next, and with how many seconds of patience.

    failures: what the servers of this round have said.
    """

    asked: Question
    deadline: float
    tell: TellAnswer
    turns: Iterator[tuple[Server, UdpPool, float]]
    failures: list[Failed]


class Resolver:
    """Asks name servers over UDP, and over TCP where an answer does not fit.

    current: gives the name servers, in order, at a second of the monotonic clock; the same object as long as they are
    the same.
    """

    def __init__(self, current: Callable[[float], tuple[Server, ...]]) -> None:
        self._current = current
        self._known: tuple[Server, ...] = ()
        self._pools: list[tuple[Server, UdpPool]] = []
        self._fetching: set[asyncio.Task[Answer]] = set()

    def ask(self, name: bytes, kind: int, deadline: float, tell: TellAnswer) -> None:
        """Have told the records of one type (A, AAAA, TXT, PTR) of a dotted name.

        deadline: in seconds of the monotonic clock; then the answer is Failed. Server after server is asked,
        round after round; it is over at once when every server has answered that it cannot say.
        """
        try:
            asked = dns_message.question(name, kind)
        except ValueError:
            tell(Failed("protocol error"))
            return
        failures: list[Failed] = []
        self._go_on(_Asking(asked, deadline, tell, self._turns(failures), failures))

    def _turns(self, failures: list[Failed]) -> Iterator[tuple[Server, UdpPool, float]]:
        for patience in _PATIENCE:
            for server, pool in self._servers():
                yield server, pool, patience
            if TIMED_OUT not in failures:
                return
            failures.clear()

    def _go_on(self, asking: _Asking) -> None:
        turn = next(asking.turns, None)
        if turn is None:
            asking.tell(asking.failures[-1] if asking.failures else TIMED_OUT)
            return
        server, pool, patience = turn
        until = min(time.monotonic() + patience, asking.deadline)
        pool.ask(asking.asked, until, partial(self._take, asking, server, until))

    def _take(self, asking: _Asking, server: Server, until: float, answer: Answer) -> None:
        if answer is TOO_LONG:
            self._fetch(asking.asked, server, until, partial(self._take, asking, server, until))
        elif not isinstance(answer, Failed):
            asking.tell(answer)
        elif time.monotonic() >= asking.deadline:
            asking.tell(TIMED_OUT)
        else:
            asking.failures.append(answer)
            self._go_on(asking)

    def _fetch(self, asked: Question, server: Server, until: float, tell: TellAnswer) -> None:
        """Ask over TCP."""

        def fetched(task: asyncio.Task[Answer]) -> None:
            self._fetching.discard(task)
            if not task.cancelled():
                tell(task.result())

        task = asyncio.create_task(_ask_over_tcp(server, asked, until))
        self._fetching.add(task)
        task.add_done_callback(fetched)

    def close(self) -> None:
        """Close every socket, each after its last answer."""
        for _, pool in self._pools:
            pool.close()

    def _servers(self) -> list[tuple[Server, UdpPool]]:
        servers = self._current(time.monotonic())
        if servers is not self._known:
            self._known = servers
            loop = asyncio.get_running_loop()
            known = dict(self._pools)
            self._pools = [
                (server, known.pop(server) if server in known else UdpPool(loop, server, read))
                for server in dict.fromkeys(servers)
            ]
            for pool in known.values():
                pool.close()
        return self._pools


async def _ask_over_tcp(server: Server, asked: Question, until: float) -> Answer:
    try:
        async with asyncio.timeout_at(until):
            return await _over_tcp(server, asked)
    except TimeoutError:
        return TIMED_OUT
    except (OSError, asyncio.IncompleteReadError, Truncated):
        return UNREACHABLE


async def _over_tcp(server: Server, asked: Question) -> Answer:
    number = random_number()
    packet = asked.packet(number)
    async with _tcp_stream(server) as (reader, writer):
        writer.write(len(packet).to_bytes(2, "big") + packet)
        size = int.from_bytes(await reader.readexactly(2), "big")
        packet = await reader.readexactly(size)
    if not dns_message.is_answer(packet, number, asked):
        return Failed("protocol error")
    return read(packet, asked)


@contextlib.asynccontextmanager
async def _tcp_stream(server: Server) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    connection = socket.socket(family(server.ip), socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, sockaddr(*server))
        reader, writer = await asyncio.open_connection(sock=connection)
    except BaseException:
        connection.close()
        raise
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


def from_environment() -> Resolver:
    """The resolver that $DNSCACHEIP or /etc/resolv.conf wants. Raises AskedWrongly where $DNSCACHEIP means nothing."""
    return Resolver(ServerList(os.environ.get("DNSCACHEIP", "")).current)
