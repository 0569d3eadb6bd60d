"""Lines as messages to the system's log daemon."""

import re
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ucspi_py.system.report.syslog import FACILITIES, SyslogWriter

_MAIL = FACILITIES["mail"]


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[socket.socket]:
    """What listens where the daemon does."""
    with closing(_listening(tmp_path / "log")) as found:
        yield found


def _listening(path: Path) -> socket.socket:
    found = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    found.bind(str(path))
    found.settimeout(10)
    return found


def _written(place: str, lines: bytes) -> int:
    with closing(SyslogWriter(_MAIL, "postgrey", place)) as write:
        return write(lines)


def test_a_line_is_a_message_as_syslog_writes_it(daemon: socket.socket) -> None:
    _written(daemon.getsockname(), b"action=pass\n")
    assert re.fullmatch(rb"<21>[A-Z][a-z]{2} [ 1-3]\d \d\d:\d\d:\d\d postgrey\[\d+\]: action=pass", daemon.recv(1000))


def test_each_line_is_a_message_and_warnings_have_their_priority(daemon: socket.socket) -> None:
    _written(daemon.getsockname(), b"warning: a\nb\n")
    first, second = daemon.recv(1000), daemon.recv(1000)
    assert (first[:4], first[-10:]) == (b"<20>", b"warning: a")
    assert (second[:4], second[-3:]) == (b"<21>", b": b")


def test_a_daemon_that_is_not_there_keeps_nobody_from_going_on(tmp_path: Path) -> None:
    assert _written(str(tmp_path / "nowhere"), b"a\n") == 2


def test_a_daemon_that_was_started_again_is_found(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with closing(SyslogWriter(_MAIL, "postgrey", str(path))) as write:
        for line in (b"a\n", b"b\n"):
            with closing(_listening(path)) as found:
                write(line)
                assert found.recv(1000).endswith(b": " + line.strip())
            path.unlink()


def test_a_daemon_that_reads_nothing_is_not_waited_for(daemon: socket.socket) -> None:
    with closing(SyslogWriter(_MAIL, "postgrey", daemon.getsockname())) as write:
        for _ in range(2_000):
            write(b"x" * 1000 + b"\n")
