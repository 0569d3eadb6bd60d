"""Watching a client before it is greeted. Never reads a byte: they are the program's."""

import asyncio
import socket


async def talks_first(client: socket.SocketType, seconds: float) -> bool:
    """Whether the client says something within so many seconds; one that hangs up says nothing."""
    loop = asyncio.get_running_loop()
    spoken: asyncio.Future[None] = loop.create_future()
    loop.add_reader(client, _note, spoken)
    try:
        async with asyncio.timeout(seconds):
            await spoken
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(client)
    return _has_said_something(client)


def _note(spoken: asyncio.Future[None]) -> None:
    if not spoken.done():
        spoken.set_result(None)


def _has_said_something(client: socket.SocketType) -> bool:
    try:
        return bool(client.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    except OSError:
        return False
