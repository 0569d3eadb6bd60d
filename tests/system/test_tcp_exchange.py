"""An answer that does not fit into UDP: asked for over TCP, and held against the question as any other."""

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable

import pytest

from tests.support import answering
from ucspi_py.core.dns.message import PROTOCOL_ERROR, TXT, UNREACHABLE, Absent, Answer, Found, question
from ucspi_py.core.dns.servers import Server
from ucspi_py.system.lookup.futures import answer_to
from ucspi_py.system.lookup.resolver import Resolver
from ucspi_py.system.lookup.tcp_exchange import TcpExchange

ASKED = question(b"a.example", TXT)
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def framed(packet: bytes) -> bytes:
    """RFC 1035, 4.2.2: a message behind its length."""
    return len(packet).to_bytes(2, "big") + packet


def text(packet: bytes, size: int = 9) -> bytes:
    """A TXT record of strings that are so long together."""
    strings = b"".join(b"\xff" + b"x" * 255 for _ in range(size // 256)) or b"\x09over TCP!"
    record = b"\xc0\x0c\0\x10\0\1\0\0\0\x3c" + len(strings).to_bytes(2, "big") + strings
    return packet[:2] + b"\x81\x80\0\1\0\1" + packet[8:] + record


LIES: dict[str, tuple[Callable[[bytes], bytes], Answer]] = {
    "the truth": (lambda packet: framed(text(packet)), Found((b"over TCP!",), 60)),
    "60 KB of it": (lambda packet: framed(text(packet, 60000)), Found((b"x" * 255 * 234,), 60)),
    "more than was promised": (lambda packet: framed(text(packet)) + b"more", Found((b"over TCP!",), 60)),
    "nobody": (lambda packet: framed(answering.nobody(packet) or b""), Absent()),
    "another id": (lambda packet: framed(b"\0\0" + text(packet)[2:] if packet[:2] != b"\0\0" else b""), PROTOCOL_ERROR),
    "another name": (lambda packet: framed(text(packet).replace(b"\1a", b"\1b", 1)), PROTOCOL_ERROR),
    "another type": (lambda packet: framed(text(packet).replace(b"\0\0\x10", b"\0\0\1", 1)), PROTOCOL_ERROR),
    "the question itself": (framed, PROTOCOL_ERROR),
    "nothing": (lambda _packet: b"\0\0", PROTOCOL_ERROR),
    "too little": (lambda packet: framed(text(packet))[:-1], UNREACHABLE),
    "half a length": (lambda _packet: b"\0", UNREACHABLE),
    "an end": (lambda _packet: b"", UNREACHABLE),
    "truncated again": (lambda packet: framed(answering.truncation(packet) or b""), UNREACHABLE),
}


@pytest.mark.parametrize(("lie", "expected"), LIES.values(), ids=LIES)
@pytest.mark.parametrize("piece", [1 << 16, 7], ids=["whole", "in pieces"])
def test_an_answer_over_tcp_is_held_against_the_question(
    lie: Callable[[bytes], bytes], expected: Answer, piece: int
) -> None:
    """Its id, its name, its type and its length."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        size = int.from_bytes(await reader.readexactly(2), "big")
        said = lie(await reader.readexactly(size))
        for at in range(0, min(len(said), 100 * piece), piece):
            writer.write(said[at : at + piece])
            await writer.drain()
        writer.write(said[100 * piece :])
        writer.close()

    assert answering.run(answer_over_tcp(serve)) == expected


def test_where_nobody_listens_it_is_unreachable() -> None:
    """At once."""

    async def work() -> Answer:
        with answering.serving(answering.nobody) as (server,):
            return await fetched(server.server)

    assert answering.run(work()) == UNREACHABLE


def test_who_is_closed_says_nothing_any_more() -> None:
    """The deadline of the question is over; the connection goes with it."""

    async def work() -> None:
        connected = asyncio.Event()
        heard: list[Answer] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connected.set()
            await reader.read()  # to the end, which is the end of the connection
            writer.close()
            connected.clear()

        async with listening(serve) as server:
            before = len(os.listdir("/proc/self/fd"))
            exchange = TcpExchange(asyncio.get_running_loop(), server, ASKED, heard.append)
            await connected.wait()
            exchange.close()
            while connected.is_set():
                await asyncio.sleep(0.005)
            assert len(os.listdir("/proc/self/fd")) == before
        assert heard == []

    answering.run(work())


def test_the_resolver_asks_over_tcp_and_has_one_deadline_for_both() -> None:
    """A server that truncates is well, though its TCP says nothing."""

    async def work() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        loop = asyncio.get_running_loop()
        with answering.serving(answering.truncation) as (udp,):
            tcp = await asyncio.start_server(serve, *udp.server)
            async with tcp:
                with contextlib.closing(Resolver(lambda _now: (udp.server,))) as resolver:
                    start = loop.time()
                    answer = await answer_to(resolver.ask, b"a.example", TXT, start + 0.3)
                    assert answer.reason == "timed out"  # type: ignore[union-attr]
                    assert loop.time() - start < 1
                    assert resolver._standings.is_well(resolver._upstreams[0])
                await asyncio.sleep(0)

    answering.run(work())


@contextlib.asynccontextmanager
async def listening(serve: Serve):  # type: ignore[no-untyped-def]
    """A TCP server in this loop."""
    tcp = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with tcp:
        yield Server(*tcp.sockets[0].getsockname())


async def answer_over_tcp(serve: Serve) -> Answer:
    """What comes of one question to such a server."""
    async with listening(serve) as server:
        return await fetched(server)


async def fetched(server: Server) -> Answer:
    """The answer to ASKED."""
    answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    TcpExchange(asyncio.get_running_loop(), server, ASKED, answered.set_result)
    return await answered
