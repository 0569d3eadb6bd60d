"""Backends over socketpairs: a slot, a program, two lines in the log; and nothing claimed where it does not start."""

import asyncio
import errno
import os
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from typing import Any, cast

import pytest

from tests.support.admission import Lines
from tests.support.held import connected, heard, some_turns
from ucspi_py.core.client.connection import Endpoints, Names
from ucspi_py.core.client.limits import Keys
from ucspi_py.system.accept.scoreboard import Scoreboard
from ucspi_py.system.accept.slots import Slots
from ucspi_py.system.backend.backends import Backends, Connection
from ucspi_py.system.backend.spawn import Launcher, SpawnAttributes
from ucspi_py.system.process.loop import new_loop
from ucspi_py.system.report.connection_log import ConnectionLog

ENDPOINTS = Endpoints(b"127.0.0.1", b"25", b"192.0.2.1", b"4000")
HOW = SpawnAttributes((), None, (), ())
PARROT = ("sh", "-c", 'echo "$WORD"; read line; echo "$line"')


def connection(**environment: str) -> Connection:
    """A connection whose program gets these variables, and $PATH."""
    variables = {name.encode(): value.encode() for name, value in environment.items()}
    return Connection(ENDPOINTS, Names(None, None, None), Keys(1, 2), {b"PATH": os.environb[b"PATH"]} | variables)


class Bench:
    """The backends of one worker whose program may be any."""

    def __init__(self, launcher: Launcher, *, limit: int = 2, reserve: int = 0, in_bursts: bool = False) -> None:
        self.log = Lines()
        self.board = Scoreboard(limit, 1)
        self.slots = Slots(self.board, reserve, self._on_change)
        self.rests = 0
        log = ConnectionLog(self.log, self.board, limit)
        self.backends = Backends(self.slots, launcher, log, self._rest, in_bursts=in_bursts)

    @property
    def free(self) -> int:
        """Slots that may be claimed."""
        return self.board.free(self.board.slots)

    async def start(self, wanted: Connection) -> int | None:
        """Start a backend that has one end of a socketpair for as long as that takes."""
        with connected() as ends:
            return await self.backends.start(wanted, ends.server.fileno())

    def _on_change(self) -> None:
        asyncio.get_running_loop().call_soon(self.slots.serve_waiting)

    def _rest(self) -> None:
        self.rests += 1


class Failing(Launcher):
    """A launcher on a system that says no."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(("smtpd",), HOW)
        self._error = error

    def start(self, _client_fd: int, _environment: dict[bytes, bytes], _more: Sequence[int] = ()) -> int:
        """Nothing."""
        raise self._error


class Pretending(Launcher):
    """A launcher that starts nothing, and says which process ids it would be."""

    def __init__(self) -> None:
        super().__init__(("smtpd",), HOW)
        self.pids = iter(range(4711, 5000))

    def start(self, _client_fd: int, _environment: dict[bytes, bytes], _more: Sequence[int] = ()) -> int:
        """As if."""
        return next(self.pids)


def run(story: Callable[[], Awaitable[None]]) -> None:
    """Play a story."""

    async def play() -> None:
        async with asyncio.timeout(20):
            await story()

    with closing(new_loop()) as loop:
        loop.run_until_complete(play())


def test_a_program_has_the_other_end_of_a_socketpair_on_0_and_1() -> None:
    """And its environment; its slot is its own until its end is told of, and the log has both."""

    async def story() -> None:
        bench = Bench(Launcher(PARROT, HOW))
        with connected() as ends:
            pid = await bench.backends.start(connection(WORD="hello"), ends.server.fileno())
            ends.server.close()
            assert pid
            assert bench.free == 1
            assert list(bench.board.backends()) == [(0, pid)]
            assert bench.board.count_client(1) == bench.board.count_network(2) == 1
            ends.client.send(b"goodbye\n")
            assert await heard(ends.client, 100) == b"hello\ngoodbye\n"
        assert bench.log.lines == [
            b"tcpserver: status: 1/2\n",
            b"tcpserver: pid %d from 192.0.2.1\n" % pid,
            b"tcpserver: ok %d :127.0.0.1:25 :192.0.2.1::4000\n" % pid,
        ]
        bench.log.lines.clear()
        bench.backends.ended(*os.waitpid(pid, 0))
        assert bench.free == 2
        assert bench.log.lines == [b"tcpserver: end %d status 0\n" % pid, b"tcpserver: status: 0/2\n"]

    run(story)


@pytest.mark.parametrize("launcher", [Pretending(), Failing(OSError(errno.ENOENT, "")), Failing(ZeroDivisionError())])
def test_a_client_with_a_place_counts_once(launcher: Launcher) -> None:
    """For its place until its program starts, then for its slot, and for its place again where it does not start."""

    async def story() -> None:
        bench = Bench(launcher)
        place = bench.board.pending.start
        bench.board.name(place, 1, 2)
        with connected() as ends:
            deed = bench.backends.start(connection(), ends.server.fileno(), place=place)
            starting = asyncio.ensure_future(deed)
            while not starting.done():
                assert bench.board.count_client(1) == bench.board.count_network(2) == 1
                await asyncio.sleep(0)
            await asyncio.wait([starting])
            assert (bench.free == 2) == bool(starting.exception() or starting.result() is None)
            assert bench.board.count_client(1) == bench.board.count_network(2) == 1

    run(story)


def test_whoever_asks_is_told_of_the_end_of_a_program() -> None:
    """Once, with its wait status, when its slot is free already."""

    async def story() -> None:
        bench = Bench(Launcher(("sh", "-c", "exit 7"), HOW))
        told: list[tuple[int, int]] = []
        with connected() as ends:
            pid = await bench.backends.start(
                connection(), ends.server.fileno(), lambda status: told.append((status, bench.free))
            )
        assert pid
        _, status = os.waitpid(pid, 0)
        bench.backends.ended(pid, status)
        bench.backends.ended(pid, status)
        assert told == [(7 << 8, 2)]

    run(story)


def test_a_program_is_announced_with_the_socket_that_it_gets() -> None:
    """So the master knows it for what it is, should the worker die just then."""

    async def story() -> None:
        seen: list[tuple[int | None, int]] = []

        class Looking(Pretending):
            def start(self, client_fd: int, environment: dict[bytes, bytes], more: Sequence[int] = ()) -> int:
                announced = bench.board.announced(0)
                seen.append((announced.socket if announced else None, os.fstat(client_fd).st_ino))
                return super().start(client_fd, environment, more)

        bench = Bench(Looking())
        assert await bench.start(connection())
        ((announced, inode),) = seen
        assert announced == inode

    run(story)


@pytest.mark.parametrize(
    ("program", "environment", "why"),
    [
        ("no/such/program", {}, b"no/such/program: file does not exist"),
        ("/", {}, b"/: access denied"),
        ("true", {"A=B": "x"}, b"true: illegal environment variable name"),
    ],
)
def test_a_program_that_cannot_be_run(program: str, environment: dict[str, str], why: bytes) -> None:
    """Its connection is dropped with the reason, and others may go on."""

    async def story() -> None:
        bench = Bench(Launcher((program,), HOW))
        assert await bench.start(connection(**environment)) is None
        assert b"tcpserver: warning: dropping connection, unable to run %s\n" % why in bench.log.lines
        assert bench.log.lines[-1] == b"tcpserver: status: 0/2\n"
        assert bench.free == 2
        assert bench.board.count_client(1) == bench.board.count_network(2) == 0
        assert bench.rests == 0

    run(story)


def test_a_descriptor_that_is_none() -> None:
    """It is the connection's trouble, and costs no slot."""

    async def story() -> None:
        bench = Bench(Pretending())
        assert await bench.backends.start(connection(), -1) is None
        assert bench.free == 2

    run(story)


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.ENOMEM])
def test_no_room_for_another_process(number: int) -> None:
    """Nobody is let in for a while, as asking again at once would be in vain."""

    async def story() -> None:
        bench = Bench(Failing(OSError(number, os.strerror(number))))
        assert await bench.start(connection()) is None
        assert any(
            line.startswith(b"tcpserver: warning: dropping connection, unable to fork: ") for line in bench.log.lines
        )
        assert not any(b" ok " in line for line in bench.log.lines)
        assert (bench.free, bench.rests) == (2, 1)

    run(story)


@pytest.mark.parametrize("error", [MemoryError(), asyncio.CancelledError()])
def test_an_error_that_nobody_expected(error: BaseException) -> None:
    """It goes on to whoever asked, and the slot is free."""

    async def story() -> None:
        bench = Bench(Failing(error))
        with pytest.raises(type(error)):
            await bench.start(connection())
        assert bench.free == 2

    run(story)


def test_a_connection_waits_for_the_end_of_another() -> None:
    """It is started in the slot that is given back."""

    async def story() -> None:
        bench = Bench(Pretending(), limit=1)
        first = await bench.start(connection())
        assert first
        second = asyncio.create_task(bench.start(connection()))
        await some_turns()
        assert not second.done()
        bench.backends.ended(first, 0)
        assert await second == first + 1
        assert bench.free == 0

    run(story)


def test_a_connection_that_waits_no_more_claims_nothing() -> None:
    """Neither while it waits, nor when it has just been given a slot."""

    async def story() -> None:
        bench = Bench(Pretending(), limit=1)
        first = await bench.start(connection())
        assert first
        for turns in (False, True):
            waiting = asyncio.create_task(bench.start(connection()))
            await some_turns()
            if turns:
                bench.backends.ended(first, 0)
                bench.slots.serve_waiting()
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        await some_turns()
        assert bench.free == 1

    run(story)


def test_reserved_slots_are_for_whoever_may_relay() -> None:
    """RELAYCLIENT in the program's environment says so, also where it is empty."""

    async def story() -> None:
        bench = Bench(Pretending(), limit=2, reserve=1)
        assert await bench.start(connection())
        other = asyncio.create_task(bench.start(connection()))
        await some_turns()
        assert not other.done()
        assert await bench.start(connection(RELAYCLIENT=""))
        other.cancel()

    run(story)


def test_in_a_burst_it_pauses_once_with_its_slot() -> None:
    """All that came together are counted before the first program starts."""
    bench = Bench(Pretending(), in_bursts=True)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        session = cast(Any, bench.backends.start(connection(), ours.fileno()))
        assert session.send(None) is None
        assert bench.free == 1
        assert bench.board.count_client(1) == 1
        assert list(bench.board.backends()) == []
        with pytest.raises(StopIteration) as end:
            session.send(None)
    assert end.value.value == 4711
    assert list(bench.board.backends()) == [(0, 4711)]


def test_programs_of_tasks_start_behind_all_else_and_one_after_the_other() -> None:
    """What starts a program makes the processor forget all else: whoever has only to be answered comes first."""

    class Noting(Pretending):
        """It notes the order."""

        def start(self, _client_fd: int, _environment: dict[bytes, bytes], _more: Sequence[int] = ()) -> int:
            """As if."""
            order.append("start")
            return super().start(_client_fd, _environment, _more)

    order: list[str] = []

    async def starting(bench: Bench) -> None:
        await bench.start(connection())
        order.append("started")

    async def other() -> None:
        order.append("other")

    async def story() -> None:
        bench = Bench(Noting())
        await asyncio.gather(starting(bench), other(), starting(bench), other())

    run(story)

    assert order == ["other", "other", "start", "started", "start", "started"]


def test_whoever_is_cancelled_before_its_program_starts_claims_nothing() -> None:
    """And no program is started."""

    async def story() -> None:
        bench = Bench(Pretending())
        starting = asyncio.create_task(bench.start(connection()))
        await asyncio.sleep(0)
        starting.cancel()
        await asyncio.wait([starting])
        assert bench.free == 2
        assert list(bench.board.backends()) == []

    run(story)


def test_a_burst_that_is_given_up_in_its_pause_claims_nothing() -> None:
    """The session is closed, and its slot is free."""

    async def story() -> None:
        bench = Bench(Pretending(), in_bursts=True)
        session = bench.backends.start(connection(), 0)
        assert session.send(None) is None
        session.close()
        assert bench.free == 2

    run(story)


def test_the_end_of_a_child_that_is_no_backend_frees_nothing() -> None:
    """A daemon that a program left behind has no slot."""

    async def story() -> None:
        bench = Bench(Pretending())
        await bench.start(connection())
        bench.backends.ended(1, 0)
        assert bench.free == 1

    run(story)
