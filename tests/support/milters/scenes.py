"""Scenes at a gate with milters, in a loop like a worker's."""

import asyncio
from collections.abc import Awaitable, Callable

from tests.support import gate_room
from tests.support.gate_room import Guest, Room
from ucspi_py.core.dns.message import Absent, Answer
from ucspi_py.system.gate.lists.lookups import Ways

MESSAGE = b"Subject: x\r\n\r\n..dot\r\nbody\r\n.\r\n"
Scene = Callable[[Room], Awaitable[None]]


def absent(_name: bytes, _kind: int, _deadline: float, callback: Callable[[Answer], None]) -> None:
    """Answer as a name server that knows nobody."""
    callback(Absent())


def ways() -> Ways:
    """No name server knows anybody."""
    return Ways(absent, absent)  # type: ignore[arg-type]


def play(room: Room, scene: Scene) -> None:
    """Play a scene, behind which the gate gives its connections back."""

    async def closed(at: Room) -> None:
        try:
            await scene(at)
        finally:
            for guest in at.guests:
                guest.socket.close()
                await guest.gone()
            await at.gate.close()
            for _ in range(3):  # what is closed is given back in the next turns
                await asyncio.sleep(0)

    gate_room.play(room, closed)


async def message(guest: Guest, content: bytes = MESSAGE) -> bytes:
    """What a client hears of a message."""
    assert (await guest.ask(b"DATA")).startswith(b"354 ")
    await guest.say(content)
    return await guest.line()


def sent(room: Room) -> list[bytes]:
    """The content that a backend has got."""
    heard = room.heard
    return heard[heard.index(b"DATA") + 1 : heard.index(b".")]
