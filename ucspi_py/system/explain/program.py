"""What stands in for the program behind the gate: it takes what it is told, and keeps it. Never starts one."""

import asyncio
import os
import socket
from collections.abc import Callable

from ...core.smtp.reply import reply

#: What the program says is its own affair; that it takes what the gate lets pass is assumed.
WORDS = b"as the program says"
_TAKES, _GO_ON, _READY, _BYE = reply(250, WORDS), reply(354, WORDS), reply(220, WORDS), reply(221, WORDS)
#: Bytes of a line that are read.
_LINE = 1 << 24
#: No process has it.
_PID = 0


class StandIn:
    """The program of one session.

    environment: what it was started with; None = it was not. content: of the message, as it came; None = none came.
    """

    def __init__(self) -> None:
        self.environment: dict[bytes, bytes] | None = None
        self.content: bytes | None = None
        self._running: set[asyncio.Task[None]] = set()

    async def start(self, environment: dict[bytes, bytes], fd: int, on_end: Callable[[int], None]) -> int:
        """Begin to answer, as Start has it.

        environment: the program's. fd: a descriptor, its 0 and 1. on_end: called with its wait status.
        """
        self.environment = environment
        running = asyncio.ensure_future(self._serve(socket.socket(fileno=os.dup(fd)), on_end))
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        return _PID

    async def close(self) -> None:
        """End what still runs."""
        for task in tuple(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _serve(self, connected: socket.socket, on_end: Callable[[int], None]) -> None:
        reader, writer = await asyncio.open_connection(sock=connected, limit=_LINE)
        try:
            writer.write(_READY.wire)
            while line := await reader.readline():
                verb = line[:4].upper().strip()
                if verb == b"DATA":
                    writer.write(_GO_ON.wire)
                    self.content = await _content(reader)
                writer.write((_BYE if verb == b"QUIT" else _TAKES).wire)
        except OSError:
            pass
        finally:
            writer.close()
            on_end(0)


async def _content(reader: asyncio.StreamReader) -> bytes | None:
    """Read content up to the final dot; None where that does not come."""
    lines: list[bytes] = []
    while line := await reader.readline():
        if line == b".\r\n":
            return b"".join(lines)
        lines.append(line)
    return None
