"""The slots of the dead: real processes as orphans, no server."""

import contextlib
import os
import signal
import socket
from collections.abc import Iterator
from functools import partial

import pytest

from tests.support.waiting import until
from ucspi_py.system.accept.scoreboard import Scoreboard
from ucspi_py.system.process import orphans
from ucspi_py.system.process.signals import readable
from ucspi_py.system.report.connection_log import ConnectionLog
from ucspi_py.system.report.log import QUIET, VERBOSE, Log
from ucspi_py.system.service.reaper import Reaper, WithoutMaster


@pytest.fixture
def board() -> Scoreboard:
    """Two slots, two pending rows."""
    return Scoreboard(2, 2)


@pytest.fixture
def reaper(board: Scoreboard) -> Reaper:
    """One that says what it does to nobody."""
    return Reaper(board, ConnectionLog(Log(QUIET, len), board, 2), adopting=True)


@contextlib.contextmanager
def child(*sockets: socket.socket) -> Iterator[int]:
    """A child of ours that has these sockets on 0 and 1, or nothing, until it is killed."""
    ready, told = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            null = os.open(os.devnull, os.O_RDWR)
            for fd in (0, 1):
                os.dup2(sockets[fd].fileno() if fd < len(sockets) else null, fd)
            os.write(told, b"x")
            signal.pause()
        finally:
            os._exit(1)
    os.close(told)
    assert os.read(ready, 1) == b"x"
    os.close(ready)
    try:
        yield pid
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)


def claimed_by_a_dead_worker(board: Scoreboard, client: socket.socket | None) -> int:
    """The process id of a worker that has claimed a slot, said what it starts there, and died."""
    pid = os.fork()
    if not pid:
        try:
            row = board.claim(board.slots)
            assert row is not None
            if client:
                board.announce(row, os.fstat(client.fileno()).st_ino)
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    return pid


def test_the_program_that_was_being_started_keeps_its_slot(board: Scoreboard, reaper: Reaper) -> None:
    """-c stays exact: the slot is taken until the program ends."""
    client, other = socket.socketpair()
    with client, other:
        worker = claimed_by_a_dead_worker(board, client)
        with child(client, client) as program, child():
            reaper.clear({worker: 9}, {worker}, ())
            assert list(board.backends()) == [(0, program)]

            reaper.clear({program: 0}, (), ())
            assert list(board.backends()) == []
            assert board.free(board.slots) == 2


def test_a_worker_is_no_program(board: Scoreboard, reaper: Reaper) -> None:
    """One that was forked meanwhile, and whose descriptors look as if it was one."""
    client, other = socket.socketpair()
    with client, other:
        worker = claimed_by_a_dead_worker(board, client)
        with child(client, client) as another:
            reaper.clear({worker: 9}, {worker}, {another})
            assert board.free(board.slots) == 2


def test_what_programs_have_left_behind_is_no_program(board: Scoreboard, reaper: Reaper) -> None:
    """A daemon of another client's, with its socket, another or none, older or younger, takes no slot."""
    client, other = socket.socketpair()
    with client, other, child(other), child(), child(client):
        until_the_clock_ticks()
        worker = claimed_by_a_dead_worker(board, client)
        with child(other, other), child():
            reaper.clear({worker: 9}, {worker}, ())
            assert board.free(board.slots) == 2


def test_a_slot_in_hand_is_freed_whoever_is_there(board: Scoreboard, reaper: Reaper) -> None:
    """A worker that was starting nothing leaves nothing to adopt."""
    client, other = socket.socketpair()
    with client, other:
        worker = claimed_by_a_dead_worker(board, None)
        with child(client, client), child():
            reaper.clear({worker: 9}, {worker}, ())
            assert board.free(board.slots) == 2


def test_places_in_the_hall_are_freed_too(board: Scoreboard, reaper: Reaper) -> None:
    """Clients that a dead worker had held are gone with it."""
    pid = os.fork()
    if not pid:
        board.claim(board.pending)
        os._exit(0)
    os.waitpid(pid, 0)
    assert board.free(board.pending) == 1

    reaper.clear({pid: 9}, {pid}, ())

    assert board.free(board.pending) == 2


def test_whose_end_a_killed_worker_took_with_it(board: Scoreboard, reaper: Reaper) -> None:
    """Its slot is freed, though a process of that number may be about: it is none of our children."""
    row = board.claim(board.slots)
    assert row is not None
    board.hold(row, 1)
    dead = os.getpid()

    reaper.clear({dead: 9}, {dead}, ())

    assert board.free(board.slots) == 2


def test_the_backends_of_living_workers_are_theirs(board: Scoreboard, reaper: Reaper) -> None:
    """A stray that had the number of one of them, and ended, frees nothing."""
    row = board.claim(board.slots)
    assert row is not None
    board.hold(row, 4711)

    reaper.clear({4711: 0}, (), {os.getpid()})

    assert list(board.backends()) == [(row, 4711)]


def test_an_orphans_end_is_told(board: Scoreboard) -> None:
    """In C's lines, with the raw wait status."""
    told, stderr = os.pipe()
    log = Log(VERBOSE, partial(os.write, stderr))
    row = board.claim(board.slots)
    assert row is not None
    board.hold(row, 4711)

    Reaper(board, ConnectionLog(log, board, 2), adopting=True).clear({4711: 256}, (), ())

    assert readable(0, told)
    assert os.read(told, 1000) == b"tcpserver: end 4711 status 256\ntcpserver: status: 0/2\n"
    for fd in (told, stderr):
        os.close(fd)


def test_elsewhere_who_lives_is_asked(board: Scoreboard) -> None:
    """Without adoption the end of an orphan is found out by looking for it."""
    reaper = Reaper(board, ConnectionLog(Log(QUIET, len), board, 2), adopting=False)
    rows = [board.claim(board.slots) for _ in range(2)]
    with child() as living, child() as dead:
        os.kill(dead, signal.SIGKILL)
        os.waitpid(dead, 0)
        for row, pid in zip(rows, (living, dead), strict=True):
            assert row is not None
            board.hold(row, pid)

        reaper.clear({}, (), ())

        assert list(board.backends()) == [(0, living)]


def test_the_living_are_told_from_the_dead() -> None:
    """Process 1 lives and is nobody's child of ours; a child is one until it is reaped."""
    assert orphans.lives(1)
    assert not orphans.is_child(1)
    with child() as pid:
        assert orphans.lives(pid)
        assert orphans.is_child(pid)
        assert not orphans.has_ended(pid)
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        assert orphans.is_child(pid)
        assert orphans.has_ended(pid)
        assert pid not in [orphan.pid for orphan in orphans.children_but(())]
        os.waitpid(pid, 0)
        assert not orphans.is_child(pid)
        assert not orphans.lives(pid)
        assert orphans.has_ended(pid)


def test_without_a_master_workers_free_the_slots_of_the_dead(board: Scoreboard) -> None:
    """None does where there is one, which may be about to find a program that was being started."""
    claimed_by_a_dead_worker(board, None)
    death, alive = os.pipe()
    without = WithoutMaster(board, death)
    without.clear()
    assert board.free(board.slots) == 1
    os.close(alive)
    without.clear()
    assert board.free(board.slots) == 2
    os.close(death)


def test_what_a_master_had_taken_over_is_freed_when_it_was_followed(board: Scoreboard) -> None:
    """Its successor has the same process id, and a scoreboard of its own; a program that runs keeps its slot."""
    death, alive = os.pipe()
    os.close(alive)
    with child() as running, child() as ended:
        os.kill(ended, signal.SIGKILL)
        os.waitid(os.P_PID, ended, os.WEXITED | os.WNOWAIT)
        for program in (running, ended):
            row = board.claim(board.slots)
            assert row is not None
            board.hold(row, program)
        worker = os.fork()
        if not worker:
            WithoutMaster(board, death).clear()
            os._exit(0)
        assert os.waitpid(worker, 0)[1] == 0
        assert list(board.backends()) == [(0, running)]
    os.close(death)


def test_orphans_come_to_whoever_adopts() -> None:
    """A worker's program is a child of the master's once the worker is dead."""
    pid = os.fork()
    if not pid:
        status = 1
        try:
            adopts, (told, tell) = orphans.adopt(), os.pipe()
            worker = os.fork()
            if not worker:
                with child() as program:
                    os.write(tell, b"%d" % program)
                    os._exit(0)
            os.waitpid(worker, 0)
            program = int(os.read(told, 100))
            came = [orphan.pid for orphan in orphans.children_but(())]
            os.kill(program, signal.SIGKILL)
            status = 0 if (adopts, came) == (True, [program]) and orphans.is_child(program) else 1
        finally:
            os._exit(status)
    assert os.waitpid(pid, 0)[1] == 0


def test_what_is_seen_of_a_child() -> None:
    """Its start on the clock that announcements use, and the sockets on its 0 and 1; known ones are left out."""
    client, other = socket.socketpair()
    with client, other:
        before = orphans.ticks(orphans.now())
        with child(client, other) as pid, child() as known:
            (orphan,) = orphans.children_but([known])
            assert orphan.pid == pid
            assert before <= orphan.started <= orphans.ticks(orphans.now())
            assert orphan.sockets == frozenset(os.fstat(end.fileno()).st_ino for end in (client, other))


def test_a_child_that_has_closed_its_input() -> None:
    """It has the client on 1 alone, and is seen all the same."""
    client, other = socket.socketpair()
    with client, other:
        pid = os.fork()
        if not pid:
            os.dup2(client.fileno(), 1)
            os.close(0)
            signal.pause()
        try:
            inodes = frozenset((os.fstat(client.fileno()).st_ino,))
            until(lambda: [orphan.sockets for orphan in orphans.children_but(())] == [inodes], "the child to be ready")
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def until_the_clock_ticks() -> None:
    """Wait until a process that starts now is younger than those that have started."""
    now = orphans.ticks(orphans.now())
    while orphans.ticks(orphans.now()) == now:
        os.sched_yield()
