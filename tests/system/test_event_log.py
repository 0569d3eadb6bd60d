"""The log as events: each line one of them, nobody waits, what is lost is counted, and the journal knows warnings."""

import json
import os
import re
import socket
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.pipes import all_there
from tests.support.waiting import PATIENCE
from ucspi_py.core.log.event import Event
from ucspi_py.core.service import loglines
from ucspi_py.system.report import nonblocking
from ucspi_py.system.report.events.event_log import EventLog
from ucspi_py.system.report.forms import DJB, open_log
from ucspi_py.system.report.journal import is_journal, prioritized
from ucspi_py.system.report.log import ERRORS, QUIET, VERBOSE, Log

pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in. <socket.socket", "ignore:unclosed <socket.socket")

LINE = loglines.arrived(7, b"192.0.2.7")


def told_by(verbosity: int = VERBOSE, form: str = "json") -> tuple[EventLog, list[bytes]]:
    """A log, and what it writes."""
    writes: list[bytes] = []

    def write(data: bytes) -> int:
        writes.append(data)
        return len(data)

    return EventLog(verbosity, form, write), writes


@contextmanager
def journal(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The journal's end of our standard error. No fixture: pytest has that for itself between setup and test."""
    journal, ours = socket.socketpair()
    journal.settimeout(PATIENCE)
    kept = os.dup(2)
    os.dup2(ours.fileno(), 2)
    found = os.fstat(2)
    monkeypatch.setenv("JOURNAL_STREAM", f"{found.st_dev}:{found.st_ino}")
    try:
        yield journal
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        for one in (journal, ours):
            one.close()


def test_each_event_has_its_time_and_its_process() -> None:
    """RFC 3339 with microseconds in UTC, never before the event before it."""
    log, writes = told_by()
    for number in range(3):
        log.tell(Event("end", {"status": number}))

    events = [json.loads(line) for line in writes]
    assert [event["status"] for event in events] == [0, 1, 2]
    assert {event["pid"] for event in events} == {os.getpid()}
    times = [event["ts"] for event in events]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", time) for time in times)
    assert times == sorted(times)


@pytest.mark.parametrize(("verbosity", "shown"), [(QUIET, ["a"]), (ERRORS, ["w", "a"]), (VERBOSE, ["d", "w", "a"])])
def test_loudness_is_that_of_any_log(verbosity: int, shown: list[str]) -> None:
    """-q, -Q and -v."""
    log, writes = told_by(verbosity)
    log.detail(b"d\n")
    log.warn(b"w\n")
    log.say(b"a\n")

    assert [json.loads(line)["msg"] for line in writes] == shown


def test_a_stack_trace_is_an_event_a_line() -> None:
    """As a dying worker tells it: nothing of it is lost, and each line is JSON."""
    log, writes = told_by()
    try:
        raise ValueError
    except ValueError as error:
        pieces = traceback.format_exception(error)
    log.warn(*(piece.encode() for piece in pieces))

    assert [json.loads(line)["msg"] for line in b"".join(writes).splitlines()] == "".join(pieces).splitlines()


@pytest.mark.parametrize("form", ["json", "logfmt"])
def test_a_full_pipe_loses_lines_and_says_how_many(form: str) -> None:
    """Not one too many or too few, and never half a line."""
    reader, writer = os.pipe()
    log, said, missed = EventLog(VERBOSE, form, nonblocking.writer(writer)), 0, list[int]()
    log.on_loss = missed.append
    while not log.lost:
        log.say(LINE)
        said += 1
    for _ in range(9):
        log.say(LINE)
    missing = log.lost
    data = all_there(reader)
    log.say(LINE)
    lines = (data + all_there(reader)).splitlines()

    lost = [line for line in lines if b"192.0.2.7" not in line]
    assert len(lost) == 1
    assert re.search(rb'event"?[=:]"?lost\b', lost[0])
    assert re.search(rb'lost"?[=:]%d\b' % missing, lost[0])
    assert re.search(rb'level"?[=:]"?warning\b', lost[0])
    assert len(lines) - 1 + missing == said + 10
    assert (log.lost, sum(missed)) == (0, missing)
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("form", ["json", "logfmt"])
def test_the_journal_gets_the_priority_of_each_event(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which it cuts off (sd-daemon(3))."""
    with journal(monkeypatch) as end:
        open_log(VERBOSE, form).say(LINE, loglines.warning("a file"))
        first, second = end.recv(4096).splitlines()

    assert first.startswith((b"<6>{", b"<6>ts="))
    assert second.startswith((b"<4>{", b"<4>ts="))


def test_the_journal_gets_the_priority_of_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of djb's lines, which else stay as they are, and whatever a client has made another program say."""
    refusal = b"rblsmtpd: 192.0.2.7 pid 7: 451 x: warning: 7\n"
    lines = (LINE, loglines.warning("a file"), b"smtpgate[17]: warning: a\n", refusal)
    with journal(monkeypatch) as end:
        open_log(VERBOSE, DJB).say(*lines)
        told = end.recv(4096)

    marks = (b"", b"<4>", b"<4>", b"")
    assert told == b"".join(mark + line for mark, line in zip(marks, lines, strict=True))


def test_a_line_that_the_journal_takes_half_is_not_whole() -> None:
    """Whatever stands in front of it: the log must know."""
    written: list[bytes] = []
    line = loglines.warning("a file")

    def half(data: bytes) -> int:
        written.append(data)
        return len(data) // 2

    log = Log(VERBOSE, half)
    assert prioritized(half, 99) is half
    log.say(line)
    log.say(line)
    assert written == [line, b"\n" + line]


@pytest.mark.parametrize("named", ["", "1", "1:x", "0:0", "x:1"])
def test_nothing_else_is_the_journal(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever starts us may have had one: no line gets a priority then."""
    monkeypatch.setenv("JOURNAL_STREAM", named)
    assert not is_journal(2)
    assert not is_journal(987)
