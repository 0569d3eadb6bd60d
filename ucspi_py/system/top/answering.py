"""The process that tells who is inside: whoever connects gets one snapshot, as JSON, to its end.

It is no worker and not the master, so nobody waits for one who reads slowly, and it waits for no worker: all that it
tells is in memory that they share, whether they are busy, stopped or being relieved.
"""

import asyncio
import json
import os
import socket
import struct
from collections.abc import Callable

from ..stream.one_answer import Limits, OneAnswer, until_gone
from .snapshot import Snapshots

#: Connections that may wait to be accepted.
BACKLOG = 32
_LIMITS = Limits(BACKLOG, at_once=8, seconds=10.0, request=1)
#: Seconds between two looks at the sums.
_LOOKS = 1.0
#: Seconds for which a snapshot is good enough for the next one who asks.
_FRESH = 0.2
_CREDENTIALS = struct.Struct("=3i")


class Answering:
    """Tells snapshots to root and to this process's own user."""

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots
        self._text, self._made = b"", 0.0

    def run(self, listener: socket.socket, death: int) -> None:
        """Answer until the master is gone. listener: where. death: ends with the master."""
        asyncio.run(self._run(listener, death))

    async def _run(self, listener: socket.socket, death: int) -> None:
        async with await OneAnswer(self._answer, _LIMITS).serve(listener):
            await until_gone(death, self._snapshots.note, _LOOKS)

    async def _answer(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if _may_ask(writer.get_extra_info("socket")):
            writer.write(self._fresh(asyncio.get_running_loop().time))
            await writer.drain()

    def _fresh(self, clock: Callable[[], float]) -> bytes:
        if not self._text or self._made + _FRESH <= clock():
            self._text = json.dumps(self._snapshots.take(), ensure_ascii=False).encode() + b"\n"
            self._made = clock()
        return self._text


def _may_ask(asking: socket.socket) -> bool:
    """Whether one who asks is root or our own user, however it has come by the socket's path."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True  # the socket's mode says so
    said = asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, _ = _CREDENTIALS.unpack(said)
    return uid in (0, os.getuid())
