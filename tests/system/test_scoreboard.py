"""Rows of the scoreboard, claimed by many processes at once."""

import os
from collections.abc import Callable

import pytest

from tests.support.stopped import stop, stopped
from ucspi_py.system.accept.scoreboard import Scoreboard
from ucspi_py.system.process.shared_memory import SharedMemory


def _claim_and_stop(board: Scoreboard) -> None:
    """Claim a row, and stop in the middle of it."""
    os.getpid = stop  # type: ignore[assignment]
    board.claim(board.slots)


def _claim_many(board: Scoreboard) -> None:
    """Claim and give back, and find that nobody else has what is ours."""
    for _ in range(500):
        row = board.claim(board.slots)
        if row is not None:
            assert row in board.claimed_by(os.getpid())
            os.sched_yield()
            assert row in board.claimed_by(os.getpid())
            board.give_back(row)
    os._exit(0)


def test_no_row_is_claimed_twice() -> None:
    """Four processes want three rows, all the time."""
    board = Scoreboard(3, 0)
    pids = []
    for _ in range(4):
        pid = os.fork()
        if not pid:
            try:
                _claim_many(board)
            finally:
                os._exit(1)
        pids.append(pid)

    assert [os.waitpid(pid, 0)[1] for pid in pids] == [0] * 4
    assert board.free(board.slots) == 3


def test_a_worker_that_is_stopped_in_a_claim() -> None:
    """It keeps that one row; others claim the rest, and all once it is dead."""
    board = Scoreboard(2, 0)
    with stopped(lambda: _claim_and_stop(board)):
        assert board.claim(board.slots) == 1
        assert board.claim(board.slots) is None
    assert board.claim(board.slots) == 0


@pytest.mark.parametrize("leave", [0, 1, 2, 3])
def test_as_many_as_asked_for_are_left(leave: int) -> None:
    """Rows that are for others."""
    board = Scoreboard(3, 1)
    claimed = [board.claim(board.slots, leave=leave) for _ in range(4)]

    assert claimed == [0, 1, 2, None][: 3 - leave] + [None] * (1 + leave)
    assert board.free(board.slots) == leave
    assert board.claim(board.pending) == 3


def meanwhile(deed: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Have something happen between the look at the next row and its lock; once."""
    try_byte = SharedMemory.try_byte

    def interrupted(shared: SharedMemory, place: int) -> bool:
        monkeypatch.setattr(SharedMemory, "try_byte", try_byte)
        deed()
        return try_byte(shared, place)

    monkeypatch.setattr(SharedMemory, "try_byte", interrupted)


def test_another_is_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that was free when it was looked for, and is claimed by now, is left; the next one will do."""
    board = Scoreboard(2, 0)
    meanwhile(lambda: board.claim(board.slots), monkeypatch)
    assert board.claim(board.slots) == 1


def test_a_row_too_many_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two claim at once the last one but those to be left: none of those is taken."""
    board = Scoreboard(2, 0)
    meanwhile(lambda: board.claim(board.slots), monkeypatch)
    assert board.claim(board.slots, leave=1) is None
    assert board.free(board.slots) == 1


def test_what_is_announced() -> None:
    """From the announcement on until the program is known."""
    board = Scoreboard(1, 0)
    row = board.claim(board.slots)
    assert row == 0
    assert board.announced(row) is None
    board.announce(row, 77)
    announced = board.announced(row)
    assert announced
    assert announced.socket == 77
    assert board.running() == 0
    assert board.claimed_by(os.getpid()) == [0]
    board.hold(row, 42)
    assert board.announced(row) is None
    assert board.running() == 1
    assert board.claimed_by(os.getpid()) == []
    board.give_back(row)
    assert board.has_free(board.slots)


def _claim_as_another(board: Scoreboard) -> int:
    """Four rows of a process that has ended: in hand, two with programs 41 and 42, and a place -> its process id."""
    pid = os.fork()
    if not pid:
        for program in (None, 41, 42):
            row = board.claim(board.slots)
            if row is not None and program:
                board.hold(row, program)
        board.claim(board.pending)
        os._exit(0)
    os.waitpid(pid, 0)
    return pid


def test_rows_of_the_dead_are_free_but_for_programs_that_run() -> None:
    """And those of the living are theirs, whatever has become of their programs."""
    board = Scoreboard(4, 2)
    worker = _claim_as_another(board)
    row = board.claim(board.slots)
    assert row == 3
    board.hold(row, 41)
    board.claim(board.pending)

    board.bury({worker, 41}.__contains__)

    assert list(board.backends()) == [(2, 42), (3, 41)]
    assert (board.free(board.slots), board.free(board.pending)) == (2, 1)
    board.bury({worker, 41, 42}.__contains__)
    assert list(board.backends()) == [(3, 41)]


def test_a_row_that_another_has_freed_meanwhile_is_whoever_claims_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers that look for the dead at once free nothing twice."""
    board = Scoreboard(3, 1)
    worker = _claim_as_another(board)

    def quicker() -> None:
        board.bury({worker}.__contains__)
        assert board.claim(board.slots) == 0

    meanwhile(quicker, monkeypatch)
    board.bury({worker, 41}.__contains__)
    assert board.claimed_by(os.getpid()) == [0]
    assert list(board.backends()) == [(2, 42)]
