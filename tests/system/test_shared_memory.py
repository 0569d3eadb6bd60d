"""Locks among processes: one at a time, and nobody waits for one that is stopped or dead."""

import os
import resource
import signal
import time

import pytest

from tests.support.stopped import stop, stopped
from ucspi_py.system.process import shared_memory
from ucspi_py.system.process.shared_memory import SharedMemory


def _hold_and_stop(shared: SharedMemory) -> None:
    with shared:
        stop()


def _hold_a_byte_and_stop(shared: SharedMemory, place: int) -> None:
    assert shared.try_byte(place)
    stop()


def test_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four processes count to 4,000 together, and none of them loses a number."""
    monkeypatch.setattr(shared_memory, "_PATIENCE", 60.0)  # on a busy machine one may lose the processor for long
    shared = SharedMemory(4)
    pids = []
    for _ in range(4):
        pid = os.fork()
        if not pid:
            for _ in range(1000):
                with shared as memory:
                    memory[:4] = (int.from_bytes(memory[:4]) + 1).to_bytes(4)
            os._exit(0)
        pids.append(pid)
    for pid in pids:
        assert os.waitpid(pid, 0)[1] == 0

    assert int.from_bytes(shared.memory[:4]) == 4000


def test_nobody_waits_long_for_one_that_is_stopped() -> None:
    """A moment at the first time, then no more until it has gone on."""
    shared = SharedMemory(1)
    with stopped(lambda: _hold_and_stop(shared)) as pid:
        before = time.monotonic()
        for _ in range(40):
            with shared as memory:
                memory[0] += 1
        assert time.monotonic() - before < 10
        assert shared.memory[0] == 40

        os.kill(pid, signal.SIGCONT)
        os.waitpid(pid, 0)
    assert _is_locked_within(shared)


def test_a_lock_dies_with_its_holder() -> None:
    """And is had by the next."""
    shared = SharedMemory(1)
    with stopped(lambda: _hold_and_stop(shared)):
        pass
    assert _is_locked_within(shared)


def _is_locked_within(shared: SharedMemory) -> bool:
    """Whether we have the lock in a with block, as another process sees it."""
    with shared:
        return _exit_status(shared) == 0


def test_a_byte_is_tried_and_never_waited_for() -> None:
    """Whoever is stopped in one keeps that one only."""
    shared = SharedMemory(2)
    with stopped(lambda: _hold_a_byte_and_stop(shared, 0)):
        assert not shared.try_byte(0)
        assert shared.try_byte(1)
    assert shared.try_byte(0)


def test_a_byte_that_is_given_up_is_another_ones() -> None:
    """Only for as long as it is locked nobody else has it."""
    shared = SharedMemory(1)
    assert shared.try_byte(0)
    assert _exit_status(shared) == 0

    shared.free_byte(0)

    assert _exit_status(shared) == 1


def _exit_status(shared: SharedMemory) -> int:
    """Whether another process has the first byte for a moment: 1 = it has."""
    pid = os.fork()
    if not pid:
        os._exit(shared.try_byte(0))
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_memory_is_no_file_that_may_be_too_big() -> None:
    """ulimit -f, and softlimit -f of a run script, is about what programs write."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        shared = SharedMemory(100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    shared.memory[99_999] = 7

    assert shared.try_byte(99_999)
    assert shared.memory[99_999] == 7
