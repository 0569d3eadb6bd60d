"""Who talks before it is greeted, over a socketpair: what it said is still there for its program."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.support.held import Ends, connected
from ucspi_py.system.process.loop import new_loop
from ucspi_py.system.stream.pregreet import talks_first


@pytest.fixture
def ends() -> Iterator[Ends]:
    """A connection."""
    with connected() as both:
        yield both


def watch(ends: Ends, seconds: float) -> bool:
    """Whether the client talks first; nothing is watched afterwards."""

    async def play() -> bool:
        talks = await talks_first(ends.server, seconds)
        assert not asyncio.get_running_loop().remove_reader(ends.server)
        return talks

    with closing(new_loop()) as loop:
        return loop.run_until_complete(play())


def test_who_talks_is_found_at_once_and_nothing_is_taken(ends: Ends) -> None:
    """The seconds are only how long it is waited for."""
    ends.client.send(b"HELO x\r\n")

    assert watch(ends, 3600)
    assert ends.server.recv(100) == b"HELO x\r\n"


def test_who_is_silent_has_said_nothing(ends: Ends) -> None:
    """It has been watched for so long."""
    assert not watch(ends, 0.005)


def test_who_hangs_up_has_said_nothing(ends: Ends) -> None:
    """At once."""
    ends.client.shutdown(socket.SHUT_WR)

    assert not watch(ends, 3600)


def test_who_resets_has_said_nothing(ends: Ends) -> None:
    """And that is no error of ours."""
    ends.server.send(b"unread")
    ends.client.close()

    assert not watch(ends, 3600)
