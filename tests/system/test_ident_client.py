"""Who owns a connection, asked of ident servers that do not behave, in this process."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.support.stalls import watched
from ucspi_py.core.client.connection import Endpoints
from ucspi_py.core.client.ident import LINE_LIMIT
from ucspi_py.system.lookup import ident_client
from ucspi_py.system.process.loop import new_loop

CLIENT = Endpoints(b"127.0.0.1", b"25", b"127.0.0.1", b"4321")


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Where the ident server of every client listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(ident_client, "_PORT", server.getsockname()[1])
        yield server


async def asked(seconds: float) -> tuple[bytes | None, float]:
    """The answer, and the longest time in which nobody else in the loop had a turn."""
    async with watched() as stalls:
        answer = await ident_client.ask(CLIENT, time.monotonic() + seconds)
    return answer, stalls.longest


def poured(listener: socket.socket, flood: bytes) -> int:
    """Send the one who asks a flood until it hangs up; the number of its bytes that were sent before."""
    client, _ = listener.accept()
    sent = 0
    with client:
        try:
            while sent < 1 << 30:
                sent += client.send(flood)
        except OSError:
            pass
    return sent


@pytest.mark.parametrize(
    "flood", [b" " * 65536, b"x" * 65536, b"a:b:c:" + b"\t" * 65536], ids=lambda flood: repr(flood[:8])
)
def test_who_pours_without_end_is_left(listener: socket.socket, flood: bytes) -> None:
    """No answer, long before the time is over, and everybody else in the loop is served meanwhile."""
    sent: list[int] = []
    server = threading.Thread(target=lambda: sent.append(poured(listener, flood)))
    server.start()
    loop = new_loop()
    start = time.monotonic()
    try:
        answer, longest = loop.run_until_complete(asked(30))
    finally:
        loop.close()
    server.join()

    assert answer is None
    assert time.monotonic() - start < 10
    assert longest < 1
    assert sent[0] < 1 << 30


def test_who_drips_has_no_more_than_the_time(listener: socket.socket) -> None:
    """A byte now and then, never a line."""

    def drip() -> None:
        client, _ = listener.accept()
        with client:
            try:
                for _ in range(LINE_LIMIT):
                    client.send(b" ")
                    time.sleep(0.001)
            except OSError:
                pass

    server = threading.Thread(target=drip)
    server.start()
    loop = new_loop()
    try:
        answer, _ = loop.run_until_complete(asked(0.2))
    finally:
        loop.close()
    server.join()

    assert answer is None
