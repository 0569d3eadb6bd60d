"""The log in a pipe, a socket, a terminal, a file: nobody waits, lines stay whole, what is lost is counted."""

import fcntl
import os
import re
import select
import socket
import termios
import tty
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from tests.support.pipes import all_there
from ucspi_py.system.process.signals import readable
from ucspi_py.system.report import nonblocking
from ucspi_py.system.report.log import ERRORS, QUIET, VERBOSE, Log

#: What the log writes to is never closed.
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in. <socket.socket", "ignore:unclosed <socket.socket")

LINE = b"tcpserver: " + b"x" * 88 + b"\n"


class Ends(NamedTuple):
    """Where the log is read, and where it is written."""

    reader: int
    writer: int

    def read(self) -> bytes:
        """All that is there to be read."""
        return all_there(self.reader)

    def read_until(self, is_whole: Callable[[bytes], bool]) -> bytes:
        """What is told until it is whole: a terminal hands over in the background what was written to it."""
        told = b""
        while not is_whole(told):
            assert readable(10, self.reader), told[-200:]
            told += os.read(self.reader, 1 << 16)
        return told


@pytest.fixture(params=["pipe", "socket", "terminal"])
def ends(request: pytest.FixtureRequest) -> Iterator[Ends]:
    """What whoever started us may have opened as our standard error."""
    if request.param == "pipe":
        ends = Ends(*os.pipe())
    elif request.param == "socket":
        one, other = socket.socketpair()
        ends = Ends(one.detach(), other.detach())
    else:
        ends = Ends(*os.openpty())
        tty.setraw(ends.writer)
    yield ends
    for fd in ends:
        os.close(fd)


@pytest.fixture
def pipe() -> Iterator[Ends]:
    """A pipe."""
    ends = Ends(*os.pipe())
    yield ends
    for fd in ends:
        os.close(fd)


def fill(log: Log, *lines: bytes) -> int:
    """Say lines until some are lost; how often they were said. A log that waits never comes back from here."""
    for number in range(1, 100_000):
        log.say(*lines)
        if log.lost:
            return number
    raise AssertionError("no end of it")


def accounted_for(told: bytes) -> int:
    """How many of the lines were read, the one that a terminal cut short too, or said to be lost."""
    lost = sum(int(number) for number in re.findall(rb"tcpserver: warning: (\d+) log lines lost", told))
    return lost + len(re.findall(rb"tcpserver: x+", told))


@pytest.mark.parametrize("verbosity", [QUIET, ERRORS, VERBOSE])
def test_loudness(verbosity: int, pipe: Ends) -> None:
    """-q shows what is always shown, -Q warnings too, -v everything."""
    log = Log(verbosity, nonblocking.writer(pipe.writer))
    log.detail(b"detail\n")
    log.warn(b"warning\n")
    log.say(b"always\n")

    shown = (b"always\n", b"warning\nalways\n", b"detail\nwarning\nalways\n")
    assert pipe.read() == shown[verbosity]


def test_nobody_waits_for_the_reader(ends: Ends) -> None:
    """What does not fit is lost, and its number is said once there is room: not one line too many or too few."""
    log = Log(VERBOSE, nonblocking.writer(ends.writer))
    said = fill(log, LINE)
    for _ in range(9):
        log.say(LINE)
    told = ends.read_until(lambda told: accounted_for(told) + log.lost == said + 9)

    log.say(b"again\n")

    told += ends.read_until(lambda rest: rest.endswith(b"again\n"))
    assert b" log lines lost, the reader of the log was too slow\n" in told
    assert (accounted_for(told), log.lost) == (said + 9, 0)
    log.say(b"and again\n")
    assert ends.read_until(lambda rest: rest.endswith(b"\n")) == b"and again\n"


def test_the_writer_is_ours_alone(ends: Ends) -> None:
    """The programs find their standard error as it was: one that waits."""
    before = fcntl.fcntl(ends.writer, fcntl.F_GETFL)
    log = Log(VERBOSE, nonblocking.writer(ends.writer))
    fill(log, LINE)

    assert fcntl.fcntl(ends.writer, fcntl.F_GETFL) == before


@pytest.mark.parametrize("told_with_each_write", [True, False], ids=["RWF_NOWAIT", "poll"])
def test_a_pipe_that_may_not_be_opened(told_with_each_write: bool, pipe: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else's pipe, or no /proc: nobody waits all the same, on any kernel, and most of the pipe is used."""
    if not told_with_each_write:
        monkeypatch.delattr(os, "pwritev")
    write = nonblocking.where_there_is_room(pipe.writer)

    written = 0
    with pytest.raises(BlockingIOError):
        while True:
            written += write(LINE)

    size = fcntl.fcntl(pipe.writer, fcntl.F_GETPIPE_SZ)
    assert size // 2 < written <= size
    assert pipe.read() == LINE * (written // len(LINE))
    assert write(LINE) == len(LINE)


def test_looking_leaves_room_for_those_who_write_meanwhile(pipe: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between our look and our write others may write: a quarter of the pipe is theirs."""
    monkeypatch.delattr(os, "pwritev")
    write = nonblocking.where_there_is_room(pipe.writer)
    with pytest.raises(BlockingIOError):
        while True:
            write(LINE)

    os.set_blocking(pipe.writer, False)
    size = fcntl.fcntl(pipe.writer, fcntl.F_GETPIPE_SZ)
    assert all(os.write(pipe.writer, bytes(select.PIPE_BUF)) for _ in range(size // 4 // select.PIPE_BUF - 1))


def test_a_terminal_that_may_not_be_opened() -> None:
    """One whose output is stopped, as by Ctrl-S, keeps nobody."""
    reader, terminal = os.openpty()
    write = nonblocking.where_there_is_room(terminal)
    assert write(b"shown\n")
    termios.tcflow(terminal, termios.TCOOFF)

    with pytest.raises(BlockingIOError):
        write(b"not shown\n")

    for fd in (reader, terminal):
        os.close(fd)


def test_lines_of_several_writers_stay_whole(pipe: Ends) -> None:
    """A line longer than a pipe takes at once is cut, and ends as a line."""
    log = Log(VERBOSE, nonblocking.writer(pipe.writer))
    log.say(b"a" * 5000 + b"\n", b"short\n")

    assert pipe.read() == b"a" * (select.PIPE_BUF - 1) + b"\n" + b"short\n"


def test_a_story_that_fits_is_one_write(pipe: Ends) -> None:
    """Up to PIPE_BUF bytes; there is room for all of its lines or for none."""
    log = Log(VERBOSE, nonblocking.writer(pipe.writer))
    story = (LINE,) * (select.PIPE_BUF // len(LINE))
    said = fill(log, *story)

    assert pipe.read().count(LINE) == (said - 1) * len(story)
    log.say()
    assert b" %d log lines lost" % len(story) in pipe.read()


def test_a_line_that_was_cut_short_is_ended() -> None:
    """A disk that becomes full in the middle of a line: the next line, once there is room, stands by itself."""
    disk = b""

    def write(data: bytes) -> int:
        nonlocal disk
        fits = data if disk else data[:3]
        disk += fits
        return len(fits)

    log = Log(VERBOSE, write)
    for line in (b"first\n", b"second\n", b"third\n"):
        log.say(line)

    assert disk == b"fir\nsecond\nthird\n"


@pytest.mark.parametrize("what", ["/dev/full", "a reader that is gone", "closed"])
def test_what_cannot_be_written_is_nobodys_matter(what: str) -> None:
    """As in C: no exception, no line about it."""
    reader, writer = os.pipe()
    if what == "/dev/full":
        os.dup2(os.open(what, os.O_WRONLY), writer)
    elif what == "closed":
        os.close(writer)
    os.close(reader)
    log = Log(VERBOSE, nonblocking.writer(writer))
    log.say(LINE)
    assert not log.lost
