"""Both ends of a refused client's connection, in one process and one loop."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple


class Ends(NamedTuple):
    """server: ours. client: theirs, which never waits."""

    server: socket.socket
    client: socket.socket


@contextmanager
def connected() -> Iterator[Ends]:
    """A connection with little room on its way."""
    server, client = socket.socketpair()
    with server, client:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        client.setblocking(False)
        yield Ends(server, client)


def clog(ends: Ends) -> int:
    """Send the client, who does not read, as much as there is room for; the number of bytes."""
    sent = 0
    try:
        while True:
            sent += ends.server.send(b"." * 1000, socket.MSG_DONTWAIT)
    except BlockingIOError:
        return sent


async def heard(client: socket.socket, size: int) -> bytes:
    """What the client reads until it has so many bytes, or the end."""
    data = b""
    async with asyncio.timeout(10):
        while len(data) < size and (piece := await asyncio.get_running_loop().sock_recv(client, size - len(data))):
            data += piece
    return data


async def eventually(condition: Callable[[], bool]) -> None:
    """Let the loop go on until something is true."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0)


async def some_turns() -> None:
    """Let the loop do whatever it has to do."""
    for _ in range(10):
        await asyncio.sleep(0)
