"""The worker's loop: readers are called straight from the poll, and asyncio does not notice."""

import asyncio
import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from ucspi_py.system.loop import new_loop


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """The loop, closed afterwards."""
    loop = new_loop()
    yield loop
    loop.close()


@pytest.fixture
def pipes() -> Iterator[list[tuple[int, int]]]:
    """Three pipes, of which the first two can be read from."""
    pipes = [os.pipe() for _ in range(3)]
    for _, end in pipes[:2]:
        os.write(end, b"!")
    yield pipes
    for fd in sum(pipes, ()):
        os.close(fd)


def turn(loop: asyncio.AbstractEventLoop) -> None:
    """Let the loop poll once, and then go on for a while."""
    loop.run_until_complete(asyncio.sleep(0.01))


def test_who_can_read_is_called_again_and_again_until_removed(
    loop: asyncio.AbstractEventLoop, pipes: list[tuple[int, int]]
) -> None:
    """As add_reader is documented: with its arguments, as long as there is something, the last callback alone."""
    heard: list[str] = []

    for fd, _ in pipes:
        loop.add_reader(fd, heard.append, "never")
    for (fd, _), name in zip(pipes, ("first", "second", "third"), strict=True):
        loop.add_reader(fd, heard.append, name)
    turn(loop)

    assert set(heard) == {"first", "second"}
    assert heard.count("first") > 1
    assert [loop.remove_reader(fd) for fd, _ in pipes] == [True, True, True]
    assert [loop.remove_reader(fd) for fd, _ in pipes] == [False, False, False]
    heard.clear()
    turn(loop)
    assert heard == []


def test_who_raises_is_told_of_and_keeps_nobody_waiting(
    loop: asyncio.AbstractEventLoop, pipes: list[tuple[int, int]]
) -> None:
    """One client's trouble is not another's."""
    told: list[dict[str, Any]] = []
    heard: list[str] = []
    loop.set_exception_handler(lambda _loop, context: told.append(context))

    def fail() -> None:
        loop.remove_reader(pipes[0][0])
        raise ValueError("trouble")

    loop.add_reader(pipes[0][0], fail)
    loop.add_reader(pipes[1][0], heard.append, "second")
    turn(loop)

    assert [str(context["exception"]) for context in told] == ["trouble"]
    assert heard


def test_a_new_descriptor_does_not_inherit_the_event_of_the_one_that_had_its_number(
    loop: asyncio.AbstractEventLoop, pipes: list[tuple[int, int]]
) -> None:
    """Who is called first closes the other, who is called no more; at once a new client comes that has said nothing."""
    heard: list[str] = []
    silent = pipes[2][0]

    def replace(other: int) -> None:
        heard.append("the first")
        for fd in (pipes[0][0], pipes[1][0]):
            loop.remove_reader(fd)
        os.dup2(silent, other)
        loop.add_reader(other, heard.append, "the silent one")

    for fd, other in (pipes[0][0], pipes[1][0]), (pipes[1][0], pipes[0][0]):
        loop.add_reader(fd, replace, other)
    turn(loop)

    assert heard == ["the first"]


def test_asyncio_goes_on_as_ever(loop: asyncio.AbstractEventLoop, pipes: list[tuple[int, int]]) -> None:
    """Its own sockets, threads and timers, next to readers of ours, one of them with a writer, too."""
    ours, theirs = socket.socketpair()
    heard: list[str] = []
    loop.add_reader(pipes[0][0], heard.append, "ready")

    async def work() -> bytes:
        ours.setblocking(False)
        theirs.setblocking(False)
        loop.add_reader(ours, heard.append, "read")
        loop.add_writer(ours, heard.append, "write")
        await asyncio.to_thread(heard.append, "thread")
        asked = asyncio.ensure_future(loop.sock_recv(theirs, 10))
        await loop.sock_sendall(ours, b"hello")
        loop.remove_writer(ours)
        async with asyncio.timeout(10):
            return await asked

    with ours, theirs:
        said = loop.run_until_complete(work())
        loop.remove_reader(ours)

    assert said == b"hello"
    assert {"ready", "write", "thread"} == set(heard)
