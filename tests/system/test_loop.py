"""The worker's loop: readers are called straight from the poll, and asyncio does not notice."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

import pytest

from ucspi_py.system.process.loop import add_bulk_reader, end_of_turn, new_loop, watch_edges


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


def test_bulk_gives_way(loop: asyncio.AbstractEventLoop) -> None:
    """In each turn whatever else is ready comes first, and then one of the bulk, each in its turn."""
    pairs = [socket.socketpair() for _ in range(12)]
    heard: list[str] = []
    for number, (ours, theirs) in enumerate(pairs):
        theirs.send(b"!")
        if number < 10:
            add_bulk_reader(loop, ours, partial(heard.append, f"bulk {number}"))
        else:
            loop.add_reader(ours, heard.append, "other")

    for _ in range(10):
        loop.call_soon(loop.stop)
        loop.run_forever()

    turns = " ".join(heard).split("other other")
    assert len(turns) == 11
    assert turns[0] == ""
    assert all(turn.count("bulk") == 1 for turn in turns[1:])
    assert len(set(heard)) == 11
    assert all(loop.remove_reader(ours) for ours, _ in pairs)
    assert not any(loop.remove_reader(ours) for ours, _ in pairs)
    for each in sum(pairs, ()):
        each.close()


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
        async with asyncio.timeout(10):
            while "write" not in heard:
                await asyncio.sleep(0)
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


#: Every way in which asyncio itself waits for a socket to be readable.
WAYS: dict[str, Callable[[asyncio.AbstractEventLoop, socket.socket], Awaitable[object]]] = {
    "sock_recv": lambda loop, ours: loop.sock_recv(ours, 10),
    "sock_recv_into": lambda loop, ours: loop.sock_recv_into(ours, bytearray(10)),
    "sock_recvfrom": lambda loop, ours: loop.sock_recvfrom(ours, 10),
    "sock_recvfrom_into": lambda loop, ours: loop.sock_recvfrom_into(ours, bytearray(10)),
    "transport": lambda _loop, ours: _read_by_stream(ours),
}


async def _read_by_stream(ours: socket.socket) -> bytes:
    reader, writer = await asyncio.open_connection(sock=ours.dup())
    try:
        return await reader.read(10)
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("way", WAYS)
def test_a_number_that_asyncio_has_read_from_is_free_for_the_next(loop: asyncio.AbstractEventLoop, way: str) -> None:
    """Its own waiting, with and without an end, leaves nothing behind that the next socket of that number meets."""

    async def read_ten() -> list[int]:
        numbers = []
        for patience in (2, 0.001) * 5:
            ours, theirs = socket.socketpair()
            with ours, theirs:
                numbers.append(ours.fileno())
                ours.setblocking(False)
                if patience > 1:
                    loop.call_soon(theirs.send, b"hello")
                try:
                    async with asyncio.timeout(patience):
                        await WAYS[way](loop, ours)
                except TimeoutError:
                    assert patience < 1
        return numbers

    assert len(set(loop.run_until_complete(read_ten()))) == 1


def test_a_listener_that_asyncio_waited_on_leaves_its_number_free(loop: asyncio.AbstractEventLoop) -> None:
    """sock_accept, given up, and then a client comes to the next listener."""

    async def listen(comes: bool) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.setblocking(False)
            address = listener.getsockname()
            if comes:
                loop.call_soon(lambda: socket.create_connection(address).close())
            async with asyncio.timeout(2 if comes else 0.001):
                accepted, _ = await loop.sock_accept(listener)
            accepted.close()

    for _ in range(3):
        with pytest.raises(TimeoutError):
            loop.run_until_complete(listen(comes=False))
    loop.run_until_complete(listen(comes=True))


def test_what_asyncio_has_seen_is_true_after_our_calls(loop: asyncio.AbstractEventLoop) -> None:
    """A call of ours closes a socket that asyncio can write to; whoever gets its number is not taken for it."""
    heard: list[str] = []
    trigger, pull = socket.socketpair()
    old, new = socket.socketpair(), socket.socketpair()
    sockets = [trigger, pull, *old, *new]

    def replace() -> None:
        trigger.recv(10)
        loop.remove_writer(old[0].fileno())
        os.dup2(new[0].fileno(), old[0].fileno())
        loop.add_writer(old[0].fileno(), heard.append, "new")

    loop.add_reader(trigger, replace)
    loop.add_writer(old[0], heard.append, "old")
    pull.send(b"!")
    turn(loop)
    loop.remove_reader(trigger)
    loop.remove_writer(old[0])
    for one in sockets:
        one.close()

    assert "new" in heard


def test_a_descriptor_that_was_closed_while_watched_is_no_secret(loop: asyncio.AbstractEventLoop) -> None:
    """Whoever gets its number would wait in silence for ever; as with asyncio's own readers, it is an error."""
    reader, writer = os.pipe()
    loop.add_reader(reader, print)
    os.close(reader)
    again = os.dup(writer)
    assert again == reader

    with pytest.raises(FileNotFoundError):
        loop.add_reader(again, print)
    for fd in (writer, again):
        os.close(fd)


def test_who_waits_for_what_comes_is_called_once_for_it(
    loop: asyncio.AbstractEventLoop, pipes: list[tuple[int, int]]
) -> None:
    """And again for what comes later, though the first is still there; not after remove_reader."""
    reader, writer = pipes[0]
    heard: list[str] = []

    assert watch_edges(loop, reader, lambda: heard.append("came")) is True
    turn(loop)
    assert heard == ["came"]
    os.write(writer, b"!")
    turn(loop)
    assert heard == ["came", "came"]
    assert loop.remove_reader(reader)
    os.write(writer, b"!")
    turn(loop)
    assert heard == ["came", "came"]


def test_a_loop_of_asyncio_has_no_way_to_wait_for_what_comes(pipes: list[tuple[int, int]]) -> None:
    """It says so, and watches nothing."""
    loop = asyncio.SelectorEventLoop()
    try:
        assert watch_edges(loop, pipes[0][0], print) is False
        assert not loop.remove_reader(pipes[0][0])
    finally:
        loop.close()


# The end of a turn


def test_the_end_of_a_turn_comes_behind_all_that_is_ready(
    loop: asyncio.AbstractEventLoop, pipes: list[tuple[int, int]]
) -> None:
    """And before the next poll, in the order of those who wait."""
    order: list[str] = []

    async def waiting(name: str) -> None:
        loop.add_reader(pipes[0][0], read)
        await end_of_turn()
        order.append(name)

    async def story() -> None:
        both = asyncio.gather(waiting("one"), waiting("two"))
        loop.call_soon(order.append, "ready")
        await both

    def read() -> None:
        order.append("read")
        loop.remove_reader(pipes[0][0])

    loop.run_until_complete(story())
    turn(loop)
    assert order == ["ready", "one", "two", "read"]


def test_whoever_is_cancelled_before_the_end_of_a_turn_does_not_go_on(loop: asyncio.AbstractEventLoop) -> None:
    """The others do."""

    async def story() -> None:
        waiting = [asyncio.ensure_future(end_of_turn()) for _ in range(2)]
        loop.call_soon(waiting[0].cancel)
        await asyncio.wait(waiting)
        assert [one.cancelled() for one in waiting] == [True, False]

    loop.run_until_complete(story())


def test_where_the_loop_is_asyncios_own_the_end_of_a_turn_is_now() -> None:
    """Who waits goes on."""
    asyncio.run(end_of_turn())
