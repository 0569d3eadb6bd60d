"""Our end of a backend's socket, by itself: who waits until all is taken, and what is the last of it."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import closing

from tests.support.waiting import PATIENCE
from ucspi_py.system.gate.backend.backend_socket import BackendSocket
from ucspi_py.system.process.loop import new_loop

#: More than the kernel keeps for a backend.
MUCH = bytes(1 << 20)

Story = Callable[[BackendSocket, socket.socket], Awaitable[None]]


def play(story: Story) -> list[bytes]:
    """Play a story with our end, and that of a backend: what was heard of it."""
    heard: list[bytes] = []
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)

    async def whole() -> None:
        backend = BackendSocket(loop, ours, heard.append, lambda: None)
        try:
            async with asyncio.timeout(PATIENCE):
                await story(backend, theirs)
        finally:
            backend.close()

    with closing(theirs), closing(new_loop()) as loop:
        loop.run_until_complete(whole())
    return heard


async def taken(theirs: socket.socket, size: int) -> None:
    """Take so many bytes as a backend does."""
    while size:
        size -= len(await asyncio.get_running_loop().sock_recv(theirs, size))


def test_it_is_emptied_when_the_last_byte_is_taken() -> None:
    """Not before, however long that takes."""

    async def story(backend: BackendSocket, theirs: socket.socket) -> None:
        backend.send(MUCH)
        emptied = asyncio.create_task(backend.emptied())
        await taken(theirs, len(MUCH) // 2)
        assert backend.is_full
        assert not emptied.done()
        await taken(theirs, len(MUCH) - len(MUCH) // 2)
        await emptied
        assert not backend.is_full

    play(story)


def test_where_nothing_waits_nobody_does() -> None:
    """It is empty from the start, and behind what is taken at once."""

    async def story(backend: BackendSocket, theirs: socket.socket) -> None:
        await backend.emptied()
        backend.send(b"a")
        await backend.emptied()
        await taken(theirs, 1)

    play(story)


def test_what_is_dropped_is_emptied() -> None:
    """Whoever waits goes on, and nothing of it is kept."""

    async def story(backend: BackendSocket, _theirs: socket.socket) -> None:
        backend.send(MUCH)
        emptied = asyncio.create_task(backend.emptied())
        await asyncio.sleep(0)
        backend.drop()
        await emptied
        backend.send(b"more")
        assert not backend.is_full
        assert not backend._pieces

    play(story)


def test_behind_the_last_comes_the_end() -> None:
    """What a backend says then is not heard, and it is told no more."""

    async def story(backend: BackendSocket, theirs: socket.socket) -> None:
        backend.send(b"QUIT")
        backend.finish()
        backend.send(b"more")
        theirs.send(b"bye")
        for _ in range(3):
            await asyncio.sleep(0)
        assert theirs.recv(100) == b"QUIT"
        assert theirs.recv(100) == b""

    assert play(story) == []


def test_what_a_backend_says_is_heard_to_its_end() -> None:
    """A piece as it comes, and the end once."""

    async def story(_backend: BackendSocket, theirs: socket.socket) -> None:
        theirs.send(b"220")
        await asyncio.sleep(0)
        theirs.shutdown(socket.SHUT_WR)
        for _ in range(3):
            await asyncio.sleep(0)

    assert play(story) == [b"220", b""]
