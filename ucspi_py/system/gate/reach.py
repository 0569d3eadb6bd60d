"""Connects to a server of the operator's that the gate asks. Never says anything to it."""

import asyncio
import posixpath
import socket
import time
from collections.abc import Callable
from typing import TypeVar

from ...core.address import literal
from ...core.dns.message import AAAA, A, Ask, Found
from ...core.gate.server import Server, UnixServer
from ..lookup.futures import answer_to

#: Seconds until another try where a backlog is full.
_PAUSE = 0.02

Protocol = TypeVar("Protocol", bound=asyncio.Protocol)

#: hosts(5): what no name server has to be asked about.
_LOCALHOST = ("127.0.0.1", "::1")


class NoAddress(Exception):
    """A server's name has no address. sentence: for the log."""

    def __init__(self, host: str) -> None:
        self.sentence = f"{host} has no address"
        super().__init__(self.sentence)


async def connected(
    make: Callable[[], Protocol], server: Server, directory: str, ask: Ask, deadline: float
) -> Protocol:
    """Connect -> the protocol at our end, as make makes it.

    directory: what the path of a socket is relative to. ask: queries records, where the server has a name. deadline:
    monotonic second, of those queries alone. Raises OSError and NoAddress.
    """
    loop = asyncio.get_running_loop()
    if isinstance(server, UnixServer):
        return (await loop.create_unix_connection(make, posixpath.join(directory, server.path)))[1]
    failure: OSError | NoAddress = NoAddress(server.host)
    for ip in await _addresses(server.host, ask, deadline):
        try:
            return (await loop.create_connection(make, ip, server.port))[1]
        except OSError as error:
            failure = error
    raise failure


async def connected_socket(server: Server, directory: str, ask: Ask, deadline: float) -> socket.socket:
    """Connect -> the socket, which waits for nothing.

    deadline: monotonic second, of all of it: TimeoutError then. directory, ask, errors: as of connected().
    """
    if isinstance(server, UnixServer):
        return await _over_unix(posixpath.join(directory, server.path), deadline)
    failure: OSError | NoAddress = NoAddress(server.host)
    async with asyncio.timeout_at(deadline):
        for ip in await _addresses(server.host, ask, deadline):
            try:
                return await _over_inet(ip, server.port)
            except OSError as error:
                failure = error
    raise failure


async def _over_unix(path: str, deadline: float) -> socket.socket:
    connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        while not _is_connected(connected, path):
            if time.monotonic() > deadline:
                raise TimeoutError
            await asyncio.sleep(_PAUSE)
    except BaseException:
        connected.close()
        raise
    return connected


def _is_connected(connected: socket.socket, path: str) -> bool:
    """Whether there was room in the backlog: unlike TCP, nothing tells when there is (unix(7), EAGAIN)."""
    try:
        connected.connect(path)
    except BlockingIOError:
        return False
    return True


async def _over_inet(ip: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    connected = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(connected, (ip, port))
    except BaseException:
        connected.close()
        raise
    return connected


async def _addresses(host: str, ask: Ask, deadline: float) -> tuple[str, ...]:
    if host.lower() == "localhost":
        return _LOCALHOST
    if literal(host):
        return (host,)
    found = []
    for kind, family in ((A, socket.AF_INET), (AAAA, socket.AF_INET6)):
        answer = await answer_to(ask, host.encode("ascii"), kind, deadline)
        records = answer.records if isinstance(answer, Found) else ()
        found += [socket.inet_ntop(family, record) for record in records]
    return tuple(found)
