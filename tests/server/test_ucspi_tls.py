"""UCSPI-TLS: the program speaks with its client, and asks for TLS when the client does; ops case 46."""

import contextlib
import os
import smtplib
import socket
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.certificates import Authority
from tests.support.programs import ours, theirs
from tests.support.server import QUIET, Server
from tests.support.tls import shake_hands, trusting
from tests.support.waiting import until

#: Does what the client's first byte says: y and Y ask for TLS, c closes the control socket, j writes junk to it. Then
#: it says what it was told, and what is open, and echoes.
PROGRAM = """
import os, sys
control, read, write = (int(os.environ[name]) for name in ("SSLCTLFD", "SSLREADFD", "SSLWRITEFD"))
wish = os.read(0, 1)
told = b""
if wish == b"c":
    os.close(control)
else:
    os.write(control, {b"j": b"?"}.get(wish, wish))
if wish == b"Y":
    while not told.endswith(b"\\0\\0"):
        told += os.read(control, 4096)
if wish in (b"y", b"Y"):
    os.dup2(read, 0)
    os.dup2(write, 1)
if wish == b"j":
    told = b"%d" % len(os.read(control, 1) + os.read(read, 1))
opened = [number for number in range(20) if os.path.exists(f"/proc/self/fd/{number}")]
os.write(1, b"%b|%b|%b\\n" % (told.replace(b"\\0", b","), repr(opened).encode(), os.environb[b"UCSPITLS"]))
while piece := os.read(0, 4096):
    os.write(1, piece)
"""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@contextlib.contextmanager
def serving(authority: Authority, folder: Path, *program: str, **env: str) -> Iterator[Server]:
    pair = authority.pair("mx.example")
    options = (*QUIET, "-v", "-w", "1", "--ucspi-tls", "--tls", f"{pair.certificate}:{pair.key}")
    with Server(ours("pytcpserver"), options, program, folder, env={**os.environ, **env}) as server:
        yield server


@pytest.fixture(scope="module")
def server(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("ucspi")
    with serving(authority, folder, sys.executable, "-IS", "-c", PROGRAM, SSL_PROTOCOL="forged") as server:
        yield server


def _talk(server: Server, authority: Authority, wish: bytes) -> bytes:
    """What a client hears that asks for this and then says hello."""
    plain = server.connect()
    plain.sendall(wish)
    connection = shake_hands(trusting(authority.ca_file), plain) if wish in b"yY" else plain
    with connection:
        connection.sendall(b"hello")
        said = b""
        while not said.endswith(b"hello"):
            piece = connection.recv(4096)
            assert piece, said
            said += piece
    return said


@pytest.mark.parametrize("wish", [b"y", b"Y"])
def test_a_program_has_tls_when_it_asks(server: Server, authority: Authority, wish: bytes) -> None:
    """Big Y is told what TLS it is; nothing but its descriptors is open."""
    told, opened, switch = _talk(server, authority, wish).partition(b"\n")[0].split(b"|")
    assert (b"SSL_PROTOCOL=TLSv1.3," in told) == (wish == b"Y")
    assert told.endswith(b",,") == (wish == b"Y")
    assert opened == b"[0, 1, 2, 3, 4]"
    assert switch == b""


def test_a_program_that_closes_its_control_socket_goes_on_without(server: Server, authority: Authority) -> None:
    assert _talk(server, authority, b"c").endswith(b"|[0, 1, 2, 4]|\nhello")


def test_junk_is_no_wish(server: Server, authority: Authority) -> None:
    """Both sockets are closed, and the client stays the program's."""
    assert _talk(server, authority, b"j").endswith(b"0|[0, 1, 2, 3, 4]|\nhello")


def test_a_client_that_speaks_none_is_logged_and_has_no_more(server: Server) -> None:
    with server.connect() as client:
        client.sendall(b"y")
        until(lambda: b"ok " in server.log(), "the program")
        client.sendall(b"EHLO x\r\n")
        said = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := client.recv(100):
                said += piece
    server.wait_log(b"from 127.0.0.1: wrong version number\n")


def test_who_leaves_without_a_word_leaves_nothing_behind(server: Server) -> None:
    server.connect().close()
    with server.connect() as client:
        client.sendall(b"c")
        client.shutdown(socket.SHUT_WR)
        while client.recv(100):
            pass
    until(lambda: server.log().rstrip().endswith(b"status: 0/40"), "the end of both")


def test_mailfront_has_starttls(authority: Authority, tmp_path: Path) -> None:
    program = (theirs("mailfront"), "smtp", "echo", "starttls-ucspi", "accept")
    context = ssl.create_default_context(cafile=authority.ca_file)
    context.check_hostname = False
    with (
        serving(authority, tmp_path, *program) as server,
        smtplib.SMTP("127.0.0.1", server.port) as client,
    ):
        client.ehlo()
        assert client.has_extn("STARTTLS")
        client.starttls(context=context)
        client.ehlo()
        assert not client.has_extn("STARTTLS")
        assert client.sendmail("s@example.net", ["r@example.org"], "Subject: x\r\n\r\n" + "x" * 500_000) == {}


def test_mailfront_does_without(authority: Authority, tmp_path: Path) -> None:
    program = (theirs("mailfront"), "smtp", "echo", "starttls-ucspi", "accept")
    with (
        serving(authority, tmp_path, *program) as server,
        smtplib.SMTP("127.0.0.1", server.port) as client,
    ):
        assert client.sendmail("s@example.net", ["r@example.org"], "Subject: x\r\n\r\nx") == {}
