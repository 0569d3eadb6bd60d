"""A gate alone whose client is no socket of its own, as under recordio."""

import socket
import subprocess
from pathlib import Path

import pytest

from tests.support.gate import without_ids
from tests.support.programs import ours
from tests.support.waiting import PATIENCE

#: More than a pipe holds, so that whoever ends too early loses some of it.
NOOPS = 8000


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    """A gate with a name, and junk commands without end."""
    (tmp_path / "me").write_text("mx.example\n")
    limits = ("smtpd_junk_command_limit=999999", "smtpd_forbid_unauth_pipelining=no")
    options = [word for limit in (*limits, f"qmail_control={tmp_path}") for word in ("-o", limit)]
    return [ours("pysmtpgate"), *options, "true"]


def test_the_last_replies_come_through_a_pipe(command: list[str]) -> None:
    """Also to a client that reads only when the session is over."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.write(b"EHLO x\r\n" + b"NOOP\r\n" * NOOPS)
        process.stdin.close()
        assert without_ids(process.stderr.readline()) == b"smtpgate: lost connection after NOOP from unknown[unknown]\n"
        replies = process.stdout.read()

    assert replies.startswith(b"220 mx.example ESMTP\r\n250-mx.example\r\n")
    assert replies.count(b"\r\n250 2.0.0") == NOOPS


def test_a_client_that_is_gone_is_no_trouble(command: list[str]) -> None:
    """Neither its silence nor its closed pipe."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline() == b"220 mx.example ESMTP\r\n"
        process.stdout.close()
        process.stdin.write(b"NOOP\r\n" * 3)
        process.stdin.close()
        complaints = process.stderr.read()

    assert process.returncode == 0
    assert b"Traceback" not in complaints


def test_a_client_that_reads_no_more_is_left(command: list[str]) -> None:
    """Also where it goes on to speak, or is silent behind a pipe that stays open."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline() == b"220 mx.example ESMTP\r\n"
        process.stdout.close()
        process.stdin.write(b"NOOP\r\n")
        process.stdin.flush()
        assert without_ids(process.stderr.read()) == b"smtpgate: lost connection after NOOP from unknown[unknown]\n"
        assert process.wait(PATIENCE) == 0


def test_two_sockets_are_two_ways(command: list[str]) -> None:
    """What is said comes on one, replies go to the other."""
    (said, its_input), (heard, its_output) = socket.socketpair(), socket.socketpair()
    heard.settimeout(PATIENCE)
    with (
        said,
        heard,
        subprocess.Popen(command, stdin=its_input.fileno(), stdout=its_output.fileno(), stderr=subprocess.PIPE),
    ):
        its_input.close()
        its_output.close()
        with heard.makefile("rb") as replies:
            assert replies.readline() == b"220 mx.example ESMTP\r\n"
            said.sendall(b"QUIT\r\n")
            assert replies.read() == b"221 2.0.0 Bye\r\n"
        said.settimeout(PATIENCE)
        assert said.recv(100) == b""
