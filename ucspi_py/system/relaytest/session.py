"""One client's session with a server, by a script. Never decides what is said."""

import asyncio
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from ...core.relaytest.probes import Probe
from ...core.relaytest.script import STARTTLS, Login, script
from ...core.smtp.backend.replies import ReplyReader
from ...core.smtp.reply import Reply

if TYPE_CHECKING:
    from ssl import SSLContext

#: Seconds for a reply; lists ask name servers meanwhile.
_PATIENCE = 60.0


class Connection(NamedTuple):
    """A connection to a server. name: of the client, for EHLO."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    name: bytes


Connect = Callable[[], AbstractAsyncContextManager[Connection]]


async def answers(connect: Connect, probes: Sequence[Probe], login: Login | None = None) -> dict[Probe, Reply]:
    """Ask a server about probes -> its replies; those that it does not answer are not among them.

    connect: makes a connection. login: None = the client does not log in. A server that hangs up is asked about the
    rest on another one, as long as each connection answers at least one.
    """
    found: dict[Probe, Reply] = {}
    while left := [probe for probe in probes if probe not in found]:
        async with connect() as connection:
            await _speak(script(connection.name, login, left, found.__setitem__), connection)
        if left[0] not in found:
            break
    return found


async def _speak(said: Generator[bytes, Reply, None], connection: Connection) -> None:
    hear = partial(_heard, connection.reader, ReplyReader())
    command = next(said)
    try:
        while True:
            connection.writer.write(command)
            async with asyncio.timeout(_PATIENCE):
                await connection.writer.drain()
                reply = await hear()
                if command == STARTTLS and reply and reply.is_positive:
                    await connection.writer.start_tls(unverified())
            if reply is None:
                return
            command = said.send(reply)
    except (OSError, TimeoutError, StopIteration):
        pass  # what is unanswered stays so


def unverified() -> "SSLContext":
    """Make what TLS is spoken by: whoever it is, nothing secret is said to him."""
    import ssl  # few offer it

    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def _heard(reader: asyncio.StreamReader, replies: ReplyReader) -> Reply | None:
    """Read one reply; None = the server has hung up, or says what is no reply."""
    while (reply := replies.next()) is None and replies.junk is None:
        data = await reader.read(4096)
        if not data:
            return None
        replies.feed(data)
    return reply
