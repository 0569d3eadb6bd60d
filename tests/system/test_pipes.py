"""How master and workers learn of each other, and of signals: real pipes and forked children."""

import fcntl
import os
import signal
import time

from ucspi_py.system.process.descriptors import keep_to_ourselves, null_input_and_output, survive_closed
from ucspi_py.system.process.signals import Signals, readable
from ucspi_py.system.service.pipes import Pipes, say_standing


def test_who_stands_is_told_once() -> None:
    """Nobody at first; then all that have said so."""
    pipes = Pipes.open()
    assert pipes.who_stands() == []
    children = []
    for _ in range(2):
        children.append(os.fork())
        if not children[-1]:
            pipes.close_masters_ends()
            say_standing(pipes.stand)
            os._exit(0)
        os.waitpid(children[-1], 0)

    assert readable(10, pipes.standing)
    assert pipes.who_stands() == children
    assert pipes.who_stands() == []
    for fd in pipes:
        os.close(fd)


def test_each_learns_of_the_others_end() -> None:
    """A worker when the master is gone, the master when nobody listens any more."""
    pipes = Pipes.open()
    done, tell = os.pipe()
    worker = os.fork()
    if not worker:
        pipes.close_masters_ends()
        os.write(tell, b"x")
        readable(None, pipes.death)
        os._exit(7)
    os.close(pipes.listening)
    assert os.read(done, 1) == b"x"
    assert not readable(0, pipes.all_closed)
    os.close(pipes.alive)
    assert os.waitpid(worker, 0)[1] == 7 << 8
    assert readable(10, pipes.all_closed)
    for fd in (pipes.death, pipes.all_closed, pipes.standing, pipes.stand, done, tell):
        os.close(fd)


def test_waiting_ends_at_its_time_or_with_whichever_comes_first() -> None:
    """Seconds, rounded up to milliseconds: nobody spins for the last one."""
    (one, to_one), (other, to_other) = os.pipe(), os.pipe()
    before = time.monotonic()
    assert not readable(0.0009, one, other)
    assert time.monotonic() - before >= 0.0009
    os.write(to_other, b"x")
    assert readable(None, one, other)
    for fd in (one, to_one, other, to_other):
        os.close(fd)


def test_no_signal_is_lost() -> None:
    """More of them than the pipe holds, while nobody looks: each kind is noted once."""
    pid = os.fork()
    if not pid:
        noted = Signals(signal.SIGHUP, signal.SIGUSR1)
        assert noted.take() == set()
        fcntl.fcntl(noted.fd, fcntl.F_SETPIPE_SZ, 4096)
        for _ in range(5000):
            signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGUSR1)
        fine = readable(0, noted.fd) and noted.take() == {signal.SIGHUP, signal.SIGUSR1}
        fine = fine and noted.take() == set() and not readable(0, noted.fd)
        os._exit(0 if fine else 1)
    assert os.waitpid(pid, 0)[1] == 0


def test_descriptors_we_were_started_with() -> None:
    """None of 0 to 2 is missing, none above is passed on; then 0 and 1 are nobody's."""
    pid = os.fork()
    if not pid:
        os.dup2(1, 77, inheritable=True)
        for fd in (0, 2):
            os.close(fd)
        survive_closed()
        keep_to_ourselves()
        kept = [os.get_inheritable(fd) for fd in (0, 1, 2)] == [True] * 3 and not os.get_inheritable(77)
        null_input_and_output()
        null = os.stat(os.devnull)
        os._exit(0 if kept and [os.fstat(fd).st_rdev for fd in (0, 1, 2)] == [null.st_rdev] * 3 else 1)
    assert os.waitpid(pid, 0)[1] == 0
