"""What the log says of a start, a reload and a stop."""

import signal
from pathlib import Path

import pytest

from tests.support.programs import ours
from tests.support.server import QUIET, Server


def test_start_reload_and_stop_have_a_line_each(tmp_path: Path) -> None:
    """Under -v; that of a start is the one that C has."""
    with Server(ours("pytcpserver"), ("-v", "-w1", *QUIET), ("cat",), tmp_path) as server:
        pid = server.process.pid
        assert server.wait_log(b"status") == b"tcpserver: status: 0/40\n"
        server.process.send_signal(signal.SIGHUP)
        server.wait_log(b"tcpserver: reload %d: 1 new workers follow\n" % pid)
        with server.connect() as client:
            server.wait_log(b"tcpserver: ok ")
            assert server.stop() == 0
            client.sendall(b"still here")
            assert client.recv(100) == b"still here"

    assert server.log().endswith(b"\ntcpserver: stop %d: 1/40 programs go on\n" % pid)


@pytest.mark.parametrize("option", ["-q", "-Q"])
def test_without_v_nothing_is_said_of_them(option: str, tmp_path: Path) -> None:
    """As in C."""
    with Server(ours("pytcpserver"), (option, "-w1", *QUIET), ("echo", "hello"), tmp_path) as server:
        server.process.send_signal(signal.SIGHUP)
        assert server.talk() == b"hello\n"
        assert server.stop() == 0

    assert server.log() == b""
