"""The lines of a worker, of every story, with the status as the scoreboard has it: no server."""

import os
import re

import pytest

from ucspi_py.core.connection import Endpoints, Names
from ucspi_py.system.journal import Journal
from ucspi_py.system.log import ERRORS, VERBOSE, Log
from ucspi_py.system.scoreboard import Scoreboard

CLIENT = Endpoints(b"127.0.0.1", b"25", b"127.0.0.9", b"4711")
NOBODY = Names(None, None, None)
PID = os.getpid()


class Told:
    """A scoreboard of two slots, a journal, and what it has written."""

    def __init__(self, verbosity: int = VERBOSE) -> None:
        self.board = Scoreboard(2, 0)
        self.journal = Journal(Log(verbosity, self._write), self.board, 2)
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
        self.writes.append(data)
        return len(data)


def statuses(told: Told) -> list[bytes]:
    """What the status lines say."""
    return re.findall(rb"tcpserver: status: (\S+)\n", b"".join(told.writes))


def test_a_backend() -> None:
    """Status, pid and ok in one write; end and status in another."""
    told = Told()
    row = told.start()
    told.journal.started(42, CLIENT, NOBODY)
    told.board.give_back(row)
    told.journal.ended(42, 256)

    assert told.writes == [
        b"tcpserver: status: 1/2\ntcpserver: pid 42 from 127.0.0.9\ntcpserver: ok 42 :127.0.0.1:25 :127.0.0.9::4711\n",
        b"tcpserver: end 42 status 256\ntcpserver: status: 0/2\n",
    ]


def test_a_client_without_a_process() -> None:
    """Its lines stand together between two status lines, the first with it."""
    told = Told()
    told.journal.denied(CLIENT, NOBODY)

    assert told.writes == [
        b"tcpserver: status: 1/2\ntcpserver: pid %d from 127.0.0.9\n"
        b"tcpserver: deny %d :127.0.0.1:25 :127.0.0.9::4711\n"
        b"tcpserver: end %d status 25600\ntcpserver: status: 0/2\n" % (PID, PID, PID)
    ]


@pytest.mark.parametrize("running", [0, 1, 2])
def test_the_status_never_says_more_than_the_limit(running: int) -> None:
    """A client that is denied, refused, turned away or lost while all slots are taken: C would not have taken it in."""
    told = Told()
    for _ in range(running):
        told.start()
    told.journal.denied(CLIENT, NOBODY)
    told.journal.refused(CLIENT, NOBODY, b"rblsmtpd: no\n")
    told.journal.turned_away(CLIENT, b"all slots are taken")
    told.journal.not_run(CLIENT, NOBODY, "unable to run x: file does not exist")
    told.journal.not_forked("temporary failure")

    assert statuses(told) == [b"%d/2" % min(running + 1, 2), b"%d/2" % running] * 5


@pytest.mark.parametrize("story", ["started", "ended", "denied"])
def test_another_worker_is_faster(story: str) -> None:
    """It has changed the status, and said so, before our line was written: the last line is true all the same."""
    told = Told()
    told.meanwhile = [told.start()]
    told.start()
    if story == "started":
        told.journal.started(42, CLIENT, NOBODY)
    elif story == "ended":
        told.journal.ended(42, 0)
    else:
        told.journal.denied(CLIENT, NOBODY)

    assert statuses(told)[-2:] == [b"2/2", b"1/2"]


def test_others_that_never_rest_do_not_keep_us() -> None:
    """A correction that is wrong already is not corrected for ever."""
    told = Told()
    told.board = Scoreboard(50, 0)
    told.journal = Journal(Log(VERBOSE, told._write), told.board, 50)
    told.meanwhile = [told.start() for _ in range(50)]
    told.journal.ended(42, 0)

    assert len(told.writes) < 10


def test_without_v() -> None:
    """Only what is wrong is said, and what the screen always says."""
    told = Told(ERRORS)
    told.journal.started(42, CLIENT, NOBODY)
    told.journal.ended(42, 0)
    told.journal.denied(CLIENT, NOBODY)
    told.journal.turned_away(CLIENT, b"all slots are taken")
    assert told.writes == []

    told.journal.refused(CLIENT, NOBODY, b"rblsmtpd: no\n")
    told.journal.dropped(CLIENT, "unable to read x")
    told.journal.not_run(CLIENT, NOBODY, "unable to run x")
    told.journal.not_forked("temporary failure")
    assert told.writes == [
        b"rblsmtpd: no\n",
        b"tcpserver: warning: dropping connection, unable to read x\n",
        b"tcpserver: warning: dropping connection, unable to run x\n",
        b"tcpserver: warning: dropping connection, unable to fork: temporary failure\n",
    ]
