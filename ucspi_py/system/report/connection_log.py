"""The log of connections: C's lines in C's order (tcpserver.c), those of one event in one write. Never decides.

C has a process for every client and logs its pid. A client that ends without a process is logged under the worker's
pid, its lines together, so that a log parser finds the same pairs of lines; it counts in its own status lines only.
"""

import os

from ...core.client.connection import Endpoints, Names
from ...core.service import loglines
from ..accept.scoreboard import Scoreboard
from .complaints import Complaints
from .log import Log

#: Raw wait statuses of what C does in a process of its own: exit 100, exit 111 and exit 0.
_DENIED, _DROPPED, _REFUSED = 100 << 8, 111 << 8, 0

#: Status lines that are added at most: while other workers are so busy, they write the status themselves.
_CORRECTIONS = 3


class ConnectionLog:
    """Logs the connections of one worker. limit: backends at once of the whole service (-c)."""

    def __init__(self, log: Log, board: Scoreboard, limit: int) -> None:
        self._log = log
        self._board = board
        self._limit = limit
        self._complain = Complaints(lambda _sentence: None)

    def arrived(self, endpoints: Endpoints, proxy_ip: bytes | None, unique_id: bytes) -> None:
        """Begin with a connection. proxy_ip: None = it comes by itself. unique_id: the proxy's for it, b"" = none."""

    def left(self, endpoints: Endpoints) -> None:
        """Be done with a connection, but for the end of its program."""

    def id_of(self, _endpoints: Endpoints) -> bytes:
        """The id that the lines of a connection have; b"" = they have none, as in C."""
        return b""

    def mark(self, endpoints: Endpoints, environment: dict[bytes, bytes]) -> None:
        """Tell a program the id of its connection, if it has one. environment: the program's."""

    def ruled(self, endpoints: Endpoints, origin: bytes) -> None:
        """Log which line of rules source decided about a client. origin: ``tcp.smtp:12``."""
        self._log.detail(loglines.ruled(endpoints.remote_ip, origin))

    def started(self, pid: int, endpoints: Endpoints, names: Names) -> None:
        """Log that a backend has the client. pid: its process id."""
        if self._log.verbose:
            arrived = loglines.arrived(pid, endpoints.remote_ip)
            decided = loglines.decided(b"ok", pid, endpoints, names)
            running = self._board.running()
            self._log.say(self._status(running), arrived, decided)
            self._correct(running)

    def ended(self, pid: int, wait_status: int) -> None:
        """Log that a backend has ended. pid: its process id. wait_status: raw, as wait(2) gives it."""
        if self._log.verbose:
            running = self._board.running()
            self._log.say(loglines.ended(pid, wait_status), self._status(running))
            self._correct(running)

    def denied(self, endpoints: Endpoints, names: Names) -> None:
        """Log that a rule denied the client (tcpserver.c: exit 100)."""
        if self._log.verbose:
            self._tell_all(endpoints, _DENIED, loglines.decided(b"deny", os.getpid(), endpoints, names))

    def refused(self, endpoints: Endpoints, names: Names, line: bytes) -> None:
        """Log that a screen refused the client. line: the screen's own, written even under tcpserver -q."""
        if self._log.verbose:
            self._tell_all(endpoints, _REFUSED, self._ok(endpoints, names), line)
        else:
            self._log.say(line)

    def parted(self, endpoints: Endpoints, names: Names) -> None:
        """Log a client of the gate that has left without ever having had a program."""
        if self._log.verbose:
            self._tell_all(endpoints, _REFUSED, self._ok(endpoints, names))

    def remark(self, line: bytes) -> None:
        """Log a screen's line about a client that an option of the screen asks for."""
        self._log.say(line)

    def dropped(self, endpoints: Endpoints, sentence: str) -> None:
        """Log that a failure of ours, with this sentence, cost the client its connection before the rules decided."""
        line = loglines.dropping(sentence)
        if self._log.verbose:
            self._tell_all(endpoints, _DROPPED, line)
        else:
            self._log.warn(line)

    def crashed(self, endpoints: Endpoints, what: str) -> None:
        """Log that an unexpected error cost the client its connection. what: the error."""
        line = loglines.crashed(what)
        if self._log.verbose:
            self._tell_all(endpoints, _DROPPED, line)
        else:
            self._log.warn(line)

    def not_run(self, endpoints: Endpoints, names: Names, sentence: str) -> None:
        """Log that the program cannot be run. sentence: ``unable to run PROGRAM: reason``."""
        line = loglines.dropping(sentence)
        if self._log.verbose:
            self._tell_all(endpoints, _DROPPED, self._ok(endpoints, names), line)
        else:
            self._log.warn(line)

    def not_forked(self, why: str) -> None:
        """Log that there is no room for another process; C's parent writes that, without the lines of a child."""
        line = loglines.dropping(f"unable to fork: {why}")
        if self._log.verbose:
            self._tell_between(line)
        else:
            self._log.warn(line)

    def unsecured(self, endpoints: Endpoints, reason: str, *, has_program: bool = False) -> None:
        """Log that no TLS can be spoken with the client; without -v each reason once a minute.

        reason: why not. has_program: whether the client is in the log already.
        """
        line = loglines.unsecured(os.getpid(), endpoints.remote_ip, reason)
        if self._log.verbose and has_program:
            self._log.say(line)
        elif self._log.verbose:
            self._tell_all(endpoints, _DROPPED, line)
        else:
            self._complain(reason, lambda _reason: self._log.warn(line))

    def without_header(self, ip: bytes, reason: str) -> None:
        """Log a connection without a sound header of a proxy, of each address each reason once a minute.

        ip: of its other end.
        """
        line = loglines.without_header(os.getpid(), ip, reason)
        self._complain(f"{ip.decode()} {reason}", lambda _reason: self._log.warn(line))

    def turned_away(self, endpoints: Endpoints, reason: bytes) -> None:
        """Log that a client was turned away: over a limit, or all slots are taken. reason: as Excess has it."""
        if self._log.verbose:
            self._tell_all(endpoints, _DENIED, loglines.turned_away(os.getpid(), endpoints.remote_ip, reason))

    def waits(self, _more: int) -> None:
        """Hear by how many more accepted clients wait for room, or fewer. _more: that number."""

    def starved(self, why: str) -> None:
        """Log that no client can be accepted for want of descriptors or memory. why: in djb's words for errno."""
        self._log.warn(loglines.warning(f"unable to accept: {why}"))

    def _ok(self, endpoints: Endpoints, names: Names) -> bytes:
        return loglines.decided(b"ok", os.getpid(), endpoints, names)

    def _tell_all(self, endpoints: Endpoints, status: int, *lines: bytes) -> None:
        """Log all lines of a client without a process, between the two status lines of C's parent."""
        pid = os.getpid()
        self._tell_between(loglines.arrived(pid, endpoints.remote_ip), *lines, loglines.ended(pid, status))

    def _tell_between(self, *lines: bytes) -> None:
        """Write lines between those of C's parent, which counts the client while they last, if there is room."""
        running = self._board.running()
        with_client = min(running + 1, self._limit)
        self._log.say(self._status(with_client), *lines, self._status(running))
        self._correct(running)

    def _correct(self, told: int) -> None:
        """Write the status again where another worker has changed it, and may have written before us.

        So the last line is true once nothing happens any more, and no worker waits for another one's write.
        """
        for _ in range(_CORRECTIONS):
            running = self._board.running()
            if running == told:
                return
            self._log.say(self._status(running))
            told = running

    def _status(self, running: int) -> bytes:
        return loglines.status(running, self._limit)
