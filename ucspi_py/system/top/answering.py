"""The process that tells who is inside: whoever connects gets one snapshot, as JSON, to its end.

It is no worker and not the master, so nobody waits for one who reads slowly, and it waits for no worker: all that it
tells is in memory that they share, whether they are busy, stopped or being relieved.
"""

import asyncio
import contextlib
import json
import os
import socket
import struct
from collections.abc import Callable

from .snapshot import Snapshots

#: Connections that may wait to be accepted, and those that are answered at once.
BACKLOG, _AT_ONCE = 32, 8
#: Seconds that one has for all of the answer, and between two looks at the sums.
_SECONDS, _LOOKS = 10.0, 1.0
#: Seconds for which a snapshot is good enough for the next one who asks.
_FRESH = 0.2
_CREDENTIALS = struct.Struct("=3i")


class Answering:
    """Tells snapshots to root and to this process's own user."""

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots
        self._asking = 0
        self._text, self._made = b"", 0.0

    def run(self, listener: socket.socket, death: int) -> None:
        """Answer until the master is gone. listener: where. death: ends with the master."""
        asyncio.run(self._run(listener, death))

    async def _run(self, listener: socket.socket, death: int) -> None:
        over, loop = asyncio.Event(), asyncio.get_running_loop()
        loop.add_reader(death, over.set)
        async with await asyncio.start_unix_server(self._meet, sock=listener, backlog=BACKLOG):
            while not over.is_set():
                self._snapshots.note()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LOOKS):
                        await over.wait()

    async def _meet(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._asking += 1
        try:
            if self._asking <= _AT_ONCE and _may_ask(writer.get_extra_info("socket")):
                async with asyncio.timeout(_SECONDS):
                    await self._tell(writer)
        except (OSError, TimeoutError):
            pass  # whoever reads too slowly has no answer
        finally:
            self._asking -= 1
            writer.transport.abort()

    async def _tell(self, writer: asyncio.StreamWriter) -> None:
        writer.transport.set_write_buffer_limits(0)  # so that nothing is left when it is aborted
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
