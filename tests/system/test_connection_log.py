"""The lines of a worker, of every story, with the status as the scoreboard has it: no server."""

import os
import re
from collections.abc import Callable

import pytest

from ucspi_py.core.client.connection import Endpoints, Names
from ucspi_py.core.service import loglines
from ucspi_py.system.accept.scoreboard import Scoreboard
from ucspi_py.system.report.connection_log import ConnectionLog
from ucspi_py.system.report.log import ERRORS, VERBOSE, Log

CLIENT = Endpoints(b"127.0.0.1", b"25", b"127.0.0.9", b"4711")
NOBODY = Names(None, None, None)
#: In place of the one of this process, which logs about clients that never had one.
PID = 54321


class Told:
    """A scoreboard of two slots, a connection log, and what it has written."""

    def __init__(self, verbosity: int = VERBOSE) -> None:
        self.board = Scoreboard(2, 0)
        self.connection_log = ConnectionLog(Log(verbosity, self._write), self.board, 2)
        self.writes: list[bytes] = []
        self.meanwhile: list[int] = []

    def start(self) -> int:
        """Have one more backend run."""
        row = self.board.claim(self.board.slots)
        assert row is not None
        self.board.hold(row, 1000 + row)
        return row

    def _write(self, data: bytes) -> int:
        """Another worker frees a slot of ``meanwhile`` just before this is written."""
        if self.meanwhile:
            self.board.give_back(self.meanwhile.pop())
        self.writes.append(data.replace(b" %d " % os.getpid(), b" %d " % PID))
        return len(data)


def statuses(told: Told) -> list[bytes]:
    """What the status lines say."""
    return re.findall(rb"tcpserver: status: (\S+)\n", b"".join(told.writes))


def test_a_backend() -> None:
    """Status, pid and ok in one write; end and status in another."""
    told = Told()
    row = told.start()
    told.connection_log.started(42, CLIENT, NOBODY)
    told.board.give_back(row)
    told.connection_log.ended(42, 256)

    assert told.writes == [
        b"tcpserver: status: 1/2\ntcpserver: pid 42 from 127.0.0.9\ntcpserver: ok 42 :127.0.0.1:25 :127.0.0.9::4711\n",
        b"tcpserver: end 42 status 256\ntcpserver: status: 0/2\n",
    ]


_OK = b"tcpserver: ok %d :127.0.0.1:25 :127.0.0.9::4711\n" % PID
_DROPPED = b"tcpserver: warning: dropping connection, unable to x\n"


@pytest.mark.parametrize(
    ("story", "lines", "status"),
    [
        (lambda connection_log: connection_log.denied(CLIENT, NOBODY), _OK.replace(b" ok ", b" deny "), 25600),
        (lambda connection_log: connection_log.refused(CLIENT, NOBODY, b"rblsmtpd: no\n"), _OK + b"rblsmtpd: no\n", 0),
        (lambda connection_log: connection_log.dropped(CLIENT, "unable to x"), _DROPPED, 28416),
        (lambda connection_log: connection_log.crashed(CLIENT, "bug"), loglines.crashed("bug"), 28416),
        (lambda connection_log: connection_log.not_run(CLIENT, NOBODY, "unable to x"), _OK + _DROPPED, 28416),
        (
            lambda connection_log: connection_log.turned_away(CLIENT, b"too many"),
            b"tcpserver: limit %d from 127.0.0.9: too many\n" % PID,
            25600,
        ),
    ],
    ids=["denied", "refused", "dropped", "crashed", "not run", "turned away"],
)
def test_a_client_without_a_process(story: Callable[[ConnectionLog], None], lines: bytes, status: int) -> None:
    """Its lines stand together between two status lines, the first with it, in one write."""
    told = Told()
    story(told.connection_log)

    assert told.writes == [
        b"tcpserver: status: 1/2\ntcpserver: pid %d from 127.0.0.9\n" % PID
        + lines
        + b"tcpserver: end %d status %d\ntcpserver: status: 0/2\n" % (PID, status)
    ]


def test_single_lines() -> None:
    """Of a rule that says where it comes from, of a screen, and where there is no room for a process."""
    told = Told()
    told.connection_log.ruled(CLIENT, b"tcp.smtp:3")
    told.connection_log.remark(b"rblsmtpd: a remark\n")
    told.connection_log.not_forked("temporary failure")
    assert told.writes == [
        b"tcpserver: rule for 127.0.0.9: tcp.smtp:3\n",
        b"rblsmtpd: a remark\n",
        b"tcpserver: status: 1/2\ntcpserver: warning: dropping connection, unable to fork: temporary failure\n"
        b"tcpserver: status: 0/2\n",
    ]


@pytest.mark.parametrize("running", [0, 1, 2])
def test_the_status_never_says_more_than_the_limit(running: int) -> None:
    """A client that is denied, refused, turned away or lost while all slots are taken: C would not have taken it in."""
    told = Told()
    for _ in range(running):
        told.start()
    told.connection_log.denied(CLIENT, NOBODY)
    told.connection_log.refused(CLIENT, NOBODY, b"rblsmtpd: no\n")
    told.connection_log.turned_away(CLIENT, b"all slots are taken")
    told.connection_log.not_run(CLIENT, NOBODY, "unable to run x: file does not exist")
    told.connection_log.not_forked("temporary failure")

    assert statuses(told) == [b"%d/2" % min(running + 1, 2), b"%d/2" % running] * 5


@pytest.mark.parametrize("story", ["started", "ended", "denied"])
def test_another_worker_is_faster(story: str) -> None:
    """It has changed the status, and said so, before our line was written: the last line is true all the same."""
    told = Told()
    told.meanwhile = [told.start()]
    told.start()
    if story == "started":
        told.connection_log.started(42, CLIENT, NOBODY)
    elif story == "ended":
        told.connection_log.ended(42, 0)
    else:
        told.connection_log.denied(CLIENT, NOBODY)

    assert statuses(told)[-2:] == [b"2/2", b"1/2"]


def test_others_that_never_rest_do_not_keep_us() -> None:
    """A correction that is wrong already is not corrected for ever."""
    told = Told()
    told.board = Scoreboard(50, 0)
    told.connection_log = ConnectionLog(Log(VERBOSE, told._write), told.board, 50)
    told.meanwhile = [told.start() for _ in range(50)]
    told.connection_log.ended(42, 0)

    assert len(told.writes) < 10


def test_without_v() -> None:
    """Only what is wrong is said, and what the screen always says."""
    told = Told(ERRORS)
    told.connection_log.started(42, CLIENT, NOBODY)
    told.connection_log.ended(42, 0)
    told.connection_log.denied(CLIENT, NOBODY)
    told.connection_log.turned_away(CLIENT, b"all slots are taken")
    assert told.writes == []

    told.connection_log.refused(CLIENT, NOBODY, b"rblsmtpd: no\n")
    told.connection_log.crashed(CLIENT, "bug")
    told.connection_log.dropped(CLIENT, "unable to read x")
    told.connection_log.not_run(CLIENT, NOBODY, "unable to run x")
    told.connection_log.not_forked("temporary failure")
    assert told.writes == [
        b"rblsmtpd: no\n",
        loglines.crashed("bug"),
        b"tcpserver: warning: dropping connection, unable to read x\n",
        b"tcpserver: warning: dropping connection, unable to run x\n",
        b"tcpserver: warning: dropping connection, unable to fork: temporary failure\n",
    ]
