"""-w: the client is watched for talking before it is greeted, and only the client who has to be."""

import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import nameserver
from tests.support.nameserver import NameServer, healthy, lists
from tests.support.programs import ours
from tests.support.screened import GREETING, PASSED, environment, screened
from tests.support.server import Server, children
from tests.support.waiting import PATIENCE

LISTED, ALLOWED, STRANGER = "127.0.7.7", "127.0.7.8", "127.0.7.9"
EARLY = b"451 you talked before you were greeted"

#: A wait in which nothing that is to come at once could come late.
LONG = "100"


@pytest.fixture
def dns(tmp_path: Path) -> Iterator[NameServer]:
    """A name server with a list ``bl`` and an allow-list ``al``."""
    records = {**healthy("bl", "al"), **lists("bl", LISTED, text="see http://bl/"), **lists("al", ALLOWED)}
    with nameserver.serving(records, tmp_path) as server:
        yield server


def test_who_waits_is_let_in(dns: NameServer, tmp_path: Path) -> None:
    """After the time, and the program hears every byte."""
    backend = ("sh", "-c", "echo ready; exec cat")
    with screened(("-w", "1", "-r", "bl"), dns.address, tmp_path, program=backend) as server:
        start = time.monotonic()
        with server.connect(STRANGER) as client:
            assert client.recv(100) == b"ready\n"
            assert time.monotonic() - start > 0.9
            said = os.urandom(10_000)
            client.sendall(said)
            client.shutdown(socket.SHUT_WR)
            assert _all(client) == said


def test_who_talks_first_is_refused(dns: NameServer, tmp_path: Path) -> None:
    """With a line in the log, and djb's dialogue."""
    with screened(("-w", LONG, "-r", "bl"), dns.address, tmp_path) as server, server.connect(STRANGER) as client:
        client.sendall(b"EHLO me\r\n")
        told = b""
        while told.count(b"\n") < 2:
            told += client.recv(100)
        assert told == GREETING + b"250 rblsmtpd.local\r\n"
        client.sendall(b"rcpt\r\nquit\r\n")
        assert _all(client) == EARLY + b"\r\n221 rblsmtpd.local\r\n"
        assert re.search(rb"rblsmtpd: 127\.0\.7\.9 pid \d+: " + EARLY + b"\n", server.log())


def test_alone_too(dns: NameServer) -> None:
    """On a socket; on a pipe there is nothing to watch and nobody waits."""
    env = environment(dns.address, TCPREMOTEIP=STRANGER)
    command = [ours("pyrblsmtpd"), "-w", "2", "-r", "bl", "echo", "passed"]
    ours_, theirs_ = socket.socketpair()
    with ours_, theirs_:
        ours_.sendall(b"quit\r\n")
        ours_.shutdown(socket.SHUT_WR)
        fd = theirs_.fileno()
        done = subprocess.run(command, stdin=fd, stdout=fd, stderr=subprocess.PIPE, env=env, check=True)
        assert EARLY in done.stderr
    patient = [*command[:2], LONG, *command[3:]]
    done = subprocess.run(patient, input=b"", capture_output=True, env=env, timeout=PATIENCE, check=True)
    assert done.stdout == PASSED


@pytest.mark.parametrize("why", ["RELAYCLIENT", "RBLSMTPD", "allow-list", "weighed allow-list"])
def test_who_is_known_never_waits(why: str, dns: NameServer, tmp_path: Path) -> None:
    """And may talk when it likes: the program hears every byte."""
    source = {"RELAYCLIENT": "127.0.0.1", "RBLSMTPD": "127.0.0.2"}.get(why, ALLOWED)
    rules = '127.0.0.1:allow,RELAYCLIENT=""\n127.0.0.2:allow,RBLSMTPD=""\n:allow\n'
    weigh = ("-T", "2") if why.startswith("weighed") else ()
    words = ("-w", LONG, *weigh, "-a", "al", "-r", "bl")
    said = os.urandom(100_000)
    with screened(words, dns.address, tmp_path, rules=rules, program=("cat",)) as server:
        assert server.talk(said, source) == said


def test_who_is_listed_does_not_wait_for_its_refusal(dns: NameServer, tmp_path: Path) -> None:
    """And is answered like anybody else who is held."""
    with screened(("-w", LONG, "-r", "bl"), dns.address, tmp_path) as server, server.connect(LISTED) as client:
        assert client.recv(100) == GREETING
        time.sleep(0.2)  # the worker waits for us by now, and must not have been told to forget us
        client.sendall(b"rcpt\r\n")
        assert client.recv(100) == b"451 see http://bl/\r\n"


def test_nobody_is_watched_who_has_a_program(dns: NameServer, tmp_path: Path) -> None:
    """What a client says to a program that does not read it costs the worker no time."""
    words, program = ("-w", LONG, "-a", "al"), ("sh", "-c", "echo ready; exec sleep 60")
    options = ("-w1",)
    with (
        screened(words, dns.address, tmp_path, program=program, options=options) as server,
        server.connect(ALLOWED) as client,
    ):
        assert client.recv(100) == b"ready\n"
        client.sendall(b"hello\r\n")
        before = _processor_seconds(server)
        time.sleep(1)
        assert _processor_seconds(server) - before < 0.3


def test_who_hangs_up_is_nobody(dns: NameServer, tmp_path: Path) -> None:
    """No refusal is logged for a client that is gone."""
    with screened(("-w", LONG, "-r", "bl"), dns.address, tmp_path, options=("-v",)) as server:
        server.connect(STRANGER).close()
        server.wait_log(b"tcpserver: end ", b"status: 0/40\n")
        assert b"rblsmtpd:" not in server.log()


def _all(client: socket.socket) -> bytes:
    told = b""
    while piece := client.recv(65536):
        told += piece
    return told


def _processor_seconds(server: Server) -> float:
    """What the workers have used."""
    stats = (Path(f"/proc/{worker}/stat").read_text() for worker in children(server.process.pid))
    fields = (stat.rpartition(")")[2].split() for stat in stats)
    return sum(int(field[11]) + int(field[12]) for field in fields) / os.sysconf("SC_CLK_TCK")
