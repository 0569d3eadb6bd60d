"""What happened to a connection, told in C's lines and C's order, each story in one write. Never decides.

C has a process for every client and logs its pid. A client that ends without a process is told under the worker's
pid, its lines together, so that a log parser finds the same pairs of lines; it counts in its own status lines only.
"""

import os

from ...core.client.connection import Endpoints, Names
from ...core.service import loglines
from ..accept.scoreboard import Scoreboard
from .log import Log

#: Raw wait statuses of what C does in a process of its own: exit 100, exit 111 and exit 0.
_DENIED, _DROPPED, _REFUSED = 100 << 8, 111 << 8, 0

#: While the others are so busy, they will say the status themselves.
_CORRECTIONS = 3


class ConnectionLog:
    """Tells of the connections of one worker. limit: the whole service's -c."""

    def __init__(self, log: Log, board: Scoreboard, limit: int) -> None:
        self._log = log
        self._board = board
        self._limit = limit

    def ruled(self, endpoints: Endpoints, origin: bytes) -> None:
        """A rule that says where it comes from has decided about the client."""
        self._log.detail(loglines.ruled(endpoints.remote_ip, origin))

    def started(self, pid: int, endpoints: Endpoints, names: Names) -> None:
        """A backend has the client."""
        if self._log.verbose:
            arrived = loglines.arrived(pid, endpoints.remote_ip)
            decided = loglines.decided(b"ok", pid, endpoints, names)
            running = self._board.running()
            self._log.say(self._status(running), arrived, decided)
            self._correct(running)

    def ended(self, pid: int, wait_status: int) -> None:
        """A backend has ended."""
        if self._log.verbose:
            running = self._board.running()
            self._log.say(loglines.ended(pid, wait_status), self._status(running))
            self._correct(running)

    def denied(self, endpoints: Endpoints, names: Names) -> None:
        """A rule has turned the client away."""
        if self._log.verbose:
            self._tell_all(endpoints, _DENIED, loglines.decided(b"deny", os.getpid(), endpoints, names))

    def refused(self, endpoints: Endpoints, names: Names, line: bytes) -> None:
        """The screen has refused the client; rblsmtpd's line is said even under tcpserver -q."""
        if self._log.verbose:
            self._tell_all(endpoints, _REFUSED, self._ok(endpoints, names), line)
        else:
            self._log.say(line)

    def remark(self, line: bytes) -> None:
        """A line of the screen's about a client, of those that are asked for."""
        self._log.say(line)

    def dropped(self, endpoints: Endpoints, sentence: str) -> None:
        """A failure of ours has cost the client its connection before the rules had their say."""
        line = loglines.dropping(sentence)
        if self._log.verbose:
            self._tell_all(endpoints, _DROPPED, line)
        else:
            self._log.warn(line)

    def crashed(self, endpoints: Endpoints, what: str) -> None:
        """An error that nobody expected has cost the client its connection."""
        line = loglines.crashed(what)
        if self._log.verbose:
            self._tell_all(endpoints, _DROPPED, line)
        else:
            self._log.warn(line)

    def not_run(self, endpoints: Endpoints, names: Names, sentence: str) -> None:
        """The program cannot be run."""
        line = loglines.dropping(sentence)
        if self._log.verbose:
            self._tell_all(endpoints, _DROPPED, self._ok(endpoints, names), line)
        else:
            self._log.warn(line)

    def not_forked(self, why: str) -> None:
        """There is no room for another process; C's parent says so, and has no lines of a child."""
        line = loglines.dropping(f"unable to fork: {why}")
        if self._log.verbose:
            self._tell_between(line)
        else:
            self._log.warn(line)

    def turned_away(self, endpoints: Endpoints, reason: bytes) -> None:
        """The client has more of the service than it may, or all slots are taken."""
        if self._log.verbose:
            self._tell_all(endpoints, _DENIED, loglines.turned_away(os.getpid(), endpoints.remote_ip, reason))

    def starved(self, why: str) -> None:
        """No client can be accepted for want of descriptors or memory."""
        self._log.warn(loglines.warning(f"unable to accept: {why}"))

    def _ok(self, endpoints: Endpoints, names: Names) -> bytes:
        return loglines.decided(b"ok", os.getpid(), endpoints, names)

    def _tell_all(self, endpoints: Endpoints, status: int, *lines: bytes) -> None:
        """The whole story of a client without a process, between the two status lines of C's parent."""
        pid = os.getpid()
        self._tell_between(loglines.arrived(pid, endpoints.remote_ip), *lines, loglines.ended(pid, status))

    def _tell_between(self, *lines: bytes) -> None:
        """Lines between those of C's parent, which counts the client for as long as they last, if there is room."""
        running = self._board.running()
        with_client = min(running + 1, self._limit)
        self._log.say(self._status(with_client), *lines, self._status(running))
        self._correct(running)

    def _correct(self, told: int) -> None:
        """Say the status again where another worker has changed it, and may have said so before us.

        So the last line is true once nothing happens any more, and nobody waits for anybody to have written.
        """
        for _ in range(_CORRECTIONS):
            running = self._board.running()
            if running == told:
                return
            self._log.say(self._status(running))
            told = running

    def _status(self, running: int) -> bytes:
        return loglines.status(running, self._limit)
