"""Name servers in the loop of the test itself, which answer as the test wants and note what they were asked."""

import asyncio
import random
import socket
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from ucspi_py.core.dns.servers import Server
from ucspi_py.system.process.loop import new_loop

T = TypeVar("T")


def nobody(packet: bytes) -> bytes | None:
    """RFC 1035, 4.1.1: the question comes back as a response of code 3, no such name."""
    return packet[:2] + b"\x81\x83" + packet[4:]


def silence(_packet: bytes) -> bytes | None:
    """No answer."""
    return None


def refusal(packet: bytes) -> bytes | None:
    """Code 5: this server does not answer us."""
    return packet[:2] + b"\x81\x85" + packet[4:]


def address(packet: bytes) -> bytes | None:
    """127.0.0.2, for a minute."""
    return packet[:2] + b"\x81\x80\0\1\0\1" + packet[8:] + b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\2"


def truncation(packet: bytes) -> bytes | None:
    """To be asked for over TCP."""
    return packet[:2] + b"\x83\x80" + packet[4:]


class NameServer:
    """One at an address of its own, so that its TCP port is free, too.

    answer: what it says to a packet. packets: what it was asked. ports: from which ports.
    """

    def __init__(self, answer: Callable[[bytes], bytes | None] = nobody) -> None:
        self.answer = answer
        self.packets: list[bytes] = []
        self.ports: list[int] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._socket.setblocking(False)
        self._socket.bind((f"127.{random.randrange(1, 250)}.{random.randrange(250)}.{random.randrange(1, 250)}", 0))
        self.server = Server(*self._socket.getsockname())
        asyncio.get_running_loop().add_reader(self._socket, self._receive)

    def names(self) -> list[bytes]:
        """The first label of each name that it was asked about."""
        return [packet[13 : 13 + packet[12]] for packet in self.packets]

    def close(self) -> None:
        """Close the port."""
        if self._socket.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()

    def _receive(self) -> None:
        packet, client = self._socket.recvfrom(512)
        self.packets.append(packet)
        self.ports.append(client[1])
        said = self.answer(packet)
        if said is not None:
            self._socket.sendto(said, client)


@contextmanager
def serving(*answers: Callable[[bytes], bytes | None]) -> Iterator[list[NameServer]]:
    """One name server for each way to answer."""
    servers = [NameServer(answer) for answer in answers]
    try:
        yield servers
    finally:
        for server in servers:
            server.close()


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run it in a loop like a worker's."""
    loop = new_loop()
    try:
        return loop.run_until_complete(asyncio.wait_for(work, 30))
    finally:
        loop.close()
