"""One client of a policy server: its requests, its deadlines, and what goes wrong."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable

from ucspi_py.core.policy.request import Request
from ucspi_py.system.postgrey.connection import Connection, Manner
from ucspi_py.system.process.loop import new_loop
from ucspi_py.system.report.log import VERBOSE, Log

_REQUEST = b"request=smtpd_access_policy\n\n"


class Served:
    """A connection, its client's end, and what was logged."""

    def __init__(self, answer: Callable[[Request], Awaitable[bytes]], *, closes: bool = False) -> None:
        self.log = b""
        self.client, ours = socket.socketpair()
        self.client.setblocking(False)
        ours.setblocking(False)
        loop = asyncio.get_running_loop()
        self.connection = Connection(loop, ours, Manner(answer, Log(VERBOSE, self._write), closes))
        self.task = loop.create_task(self.connection.run())

    async def heard(self) -> bytes:
        """What comes next."""
        return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self.client, 10_000), 10)

    def left(self) -> float:
        """For how many seconds it may stay."""
        return self.connection.stream.deadline - time.monotonic()

    def _write(self, data: bytes) -> int:
        self.log += data
        return len(data)


def _run(work: Callable[[], Awaitable[None]]) -> None:
    loop = new_loop()
    try:
        loop.run_until_complete(work())
    finally:
        loop.close()


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.001)


async def _dunno(_request: Request) -> bytes:
    return b"DUNNO"


def test_a_request_has_less_time_to_come_than_a_client_to_say_nothing() -> None:
    """From its first byte; Postfix hangs up before we do."""

    async def work() -> None:
        served = Served(_dunno)
        assert 300 < served.left() <= 600
        served.client.send(_REQUEST + _REQUEST[:5])
        assert await served.heard() == b"action=DUNNO\n\n"
        began = served.left()
        assert 50 < began <= 100
        served.client.send(_REQUEST[5:9])
        served.client.send(_REQUEST[9:])
        assert await served.heard() == b"action=DUNNO\n\n"
        assert 300 < served.left() <= 600
        served.client.close()
        await served.task

    _run(work)


def test_nothing_more_is_read_while_somebody_waits_for_an_answer() -> None:
    """And the answers come in the order of the requests."""

    async def work() -> None:
        go_on = asyncio.Event()
        asked: list[bytes] = []

        async def answer(request: Request) -> bytes:
            asked.append(request.get(b"number"))
            await go_on.wait()
            return request.get(b"number")

        served = Served(answer)
        served.client.send(b"number=1\n\nnumber=2\n\n")
        await _until(lambda: bool(asked))
        served.client.send(b"number=3\n\n")
        await asyncio.sleep(0.01)
        assert asked == [b"1"]
        go_on.set()
        heard = b""
        while heard.count(b"\n\n") < 3:
            heard += await served.heard()
        assert heard == b"action=1\n\naction=2\n\naction=3\n\n"
        served.client.close()
        await served.task

    _run(work)


def test_who_does_not_read_keeps_us_from_reading() -> None:
    """However much it sends."""

    async def work() -> None:
        served = Served(_dunno)
        try:
            while True:
                served.client.send(b"\n" * 4096)
                await asyncio.sleep(0)
        except BlockingIOError:
            pass
        await _until(lambda: served.connection.stream.is_sending)
        served.client.close()
        await asyncio.wait_for(served.task, 10)

    _run(work)


def test_an_error_that_nobody_expected_ends_the_connection_and_is_told() -> None:
    """Whoever asks knows what to do without an answer."""

    async def work() -> None:
        async def fail(_request: Request) -> bytes:
            raise RuntimeError("boom")

        served = Served(fail)
        served.client.send(_REQUEST)
        assert await served.heard() == b""
        await served.task
        assert served.log == b"warning: internal error: RuntimeError('boom')\n"
        served.client.close()

    _run(work)


def test_draining_ends_who_is_idle_and_lets_an_answer_come() -> None:
    """The answer is the last one."""

    async def work() -> None:
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def answer(_request: Request) -> bytes:
            begun.set()
            await go_on.wait()
            return b"DUNNO"

        idle, asked = Served(answer), Served(answer)
        asked.client.send(_REQUEST)
        await asyncio.wait_for(begun.wait(), 10)
        idle.connection.drain()
        asked.connection.drain()
        assert await idle.heard() == b""
        go_on.set()
        assert await asked.heard() == b"action=DUNNO\n\n"
        assert await asked.heard() == b""
        await asyncio.gather(idle.task, asked.task)
        idle.client.close()
        asked.client.close()

    _run(work)
