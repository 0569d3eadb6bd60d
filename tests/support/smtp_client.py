"""An SMTP client that says the same dialogue in every way in which its bytes may come, and returns the replies."""

import enum
import re
import socket
import struct
import time
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import NamedTuple

import pytest

_LINE_LIMIT = 10_000
#: Seconds in which a server reads a byte, if it means to read.
_READ_SECONDS = 0.2
_NETLINK_SOCK_DIAG, _SOCK_DIAG_BY_FAMILY, _REQUEST, _ANY_STATE = 4, 20, 1, 0xFFFFFFFF


class Manner(enum.Enum):
    """How bytes come: a command at a time, each byte alone, or as much at a time as RFC 2920 allows."""

    STEPS = "step by step"
    BYTES = "byte by byte"
    SEGMENT = "in one segment"


every_manner = pytest.mark.parametrize("manner", Manner, ids=[manner.value for manner in Manner])


class Raw(NamedTuple):
    """Bytes that are sent as they are and earn one reply."""

    data: bytes


class Content(NamedTuple):
    """Content with its end, sent behind a 354 and left away behind any other reply."""

    data: bytes


Step = bytes | Raw | Content  # bytes: a command, whose CRLF is put behind it


class Client:
    """A connected client; closed at the end of the with block."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def say(self, data: bytes) -> None:
        """Send it, as far as there is somebody to take it."""
        try:
            self.socket.sendall(data)
            self._acknowledge_at_once()
        except (BrokenPipeError, ConnectionResetError):
            pass  # whoever reads the replies sees the end

    def say_slowly(self, data: bytes) -> None:
        """Send it, each byte when the one before was read."""
        for place in range(len(data)):
            self.say(data[place : place + 1])
            self.wait_read()

    def wait_read(self) -> None:
        """Wait until the server has read what was sent; a server that does not mean to is not waited for."""
        end = time.monotonic() + _READ_SECONDS
        while _unread(self.socket) and time.monotonic() < end:
            time.sleep(0.0005)

    def ask(self, command: bytes) -> bytes:
        """Say a command, CRLF behind it; the reply."""
        self.say(command + b"\r\n")
        return self.reply()

    def reply(self) -> bytes:
        """The next reply with all its lines, without its last CRLF; b"" where the server has hung up."""
        lines = []
        while line := self._line():
            lines.append(line)
            if line[3:4] != b"-":
                break
        return b"\r\n".join(lines)

    def replies(self, count: int) -> list[bytes]:
        """So many replies, fewer where the server has hung up."""
        found: list[bytes] = []
        while len(found) < count and (reply := self.reply()):
            found.append(reply)
        return found

    def rest(self) -> list[bytes]:
        """All replies up to the end of the connection."""
        return self.replies(_LINE_LIMIT)

    def rest_so_far(self) -> list[bytes]:
        """The same, if that has come by now; else nothing."""
        timeout = self.socket.gettimeout()
        self.socket.setblocking(False)
        try:
            return self.rest()
        except BlockingIOError:
            return []
        finally:
            self.socket.settimeout(timeout)

    def told_at(self) -> float:
        """The monotonic second in which the last word of the server came: tcpi_last_data_recv (linux/tcp.h)."""
        told = self.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 56)
        (milliseconds,) = struct.unpack_from("=I", told, 52)
        return time.monotonic() - float(milliseconds) / 1000

    def reset(self) -> None:
        """Close at once, so that the server reads a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def finish(self) -> list[bytes]:
        """Close our side; all replies that still come."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the server has gone first
        return self.rest()

    def converse(self, steps: Sequence[Step], manner: Manner = Manner.STEPS) -> list[bytes]:
        """Say all steps, each behind the reply to the one before or with it; the replies, without the banner's.

        Fewer replies than steps: the server has hung up.
        """
        heard: list[bytes] = []
        for group in _groups(steps, manner):
            begun = heard[-1:] and heard[-1].startswith(b"354")
            told = [step for step in group if begun or not isinstance(step, Content)]
            data = b"".join(_wire(step) for step in told)
            if manner is Manner.BYTES:
                self.say_slowly(data)
            else:
                self.say(data)
            heard += (replies := self.replies(len(told)))
            if len(replies) < len(told):
                break
        return heard

    def _acknowledge_at_once(self) -> None:
        """Who sends two replies one by one waits 40 ms between them otherwise: for this host's delayed ACK (tcp(7))."""
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def _line(self) -> bytes:
        while b"\r\n" not in self._rest:
            try:
                piece = self.socket.recv(65536)
            except ConnectionResetError:
                piece = b""
            if not piece:
                assert not self._rest, f"half a reply: {self._rest[:200]!r}"
                return b""
            self._rest += piece
        line, _, self._rest = self._rest.partition(b"\r\n")
        assert re.match(rb"[1-5][0-9][0-9][- ]", line), f"no reply: {line[:200]!r}"
        return line


def short(reply: bytes) -> str:
    """Code and enhanced code of a reply's last line, ``503 5.5.1``, or the code alone."""
    found = re.match(rb"(\d{3})(?:[- ]([245]\.\d{1,3}\.\d{1,3})\b)?", reply.split(b"\r\n")[-1])
    return " ".join(part.decode() for part in found.groups() if part) if found else ""


def shorts(replies: Iterable[bytes]) -> list[str]:
    """The same of several."""
    return [short(reply) for reply in replies]


def _wire(step: Step) -> bytes:
    return step + b"\r\n" if isinstance(step, bytes) else step.data


def _groups(steps: Sequence[Step], manner: Manner) -> Iterator[list[Step]]:
    """What is sent at a time. RFC 2920, 3.1: only MAIL, RCPT, RSET and content may have something behind them, and
    only behind EHLO."""
    group: list[Step] = []
    pipelines = False
    for step in steps:
        group.append(step)
        verb = _wire(step)[:4].upper() if not isinstance(step, Content) else b""
        pipelines |= verb == b"EHLO" and len(step) > 5
        more = isinstance(step, Content) or verb in (b"MAIL", b"RCPT", b"RSET")
        if manner is not Manner.SEGMENT or not pipelines or not more:
            yield group
            group = []
    if group:
        yield group


def _unread(client: socket.socket) -> bool:
    """Whether the other end, on this machine, has bytes that were not read: its idiag_rqueue (sock_diag(7)).

    Asked for this one connection, where /proc/net/tcp would walk through all that there could be.
    """
    try:
        ours, theirs = client.getsockname(), client.getpeername()
    except OSError:
        return False  # it was reset
    ports = struct.pack("!HH", theirs[1], ours[1])
    addresses = b"".join(socket.inet_aton(end[0]).ljust(16, b"\0") for end in (theirs, ours))
    asked = struct.pack("=BBBxI", socket.AF_INET, socket.IPPROTO_TCP, 0, _ANY_STATE)
    request = asked + ports + addresses + struct.pack("=Iq", 0, -1)
    header = struct.pack("=IHHII", 16 + len(request), _SOCK_DIAG_BY_FAMILY, _REQUEST, 0, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as kernel:
        kernel.sendto(header + request, (0, 0))
        answer = kernel.recv(4096)
    (kind,) = struct.unpack_from("=H", answer, 4)
    return bool(kind == _SOCK_DIAG_BY_FAMILY and struct.unpack_from("=I", answer, 16 + 56)[0])
