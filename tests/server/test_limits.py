"""What one client may have of the service, and what happens when nothing is left."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.programs import ours, theirs
from tests.support.rules import cdb_of
from tests.support.server import QUIET, Server, children
from tests.support.waiting import PATIENCE, until

SERVER = ours("pytcpserver")
MESSAGE = b"421 4.7.0 too many connections from you, try again later\r\n"


@contextmanager
def served(server: Server, number: int, source: str = "127.0.0.1") -> Iterator[list[socket.socket]]:
    """So many clients of ``cat``, each of them proved to be served."""
    clients = [server.connect(source) for _ in range(number)]
    try:
        for client in clients:
            client.sendall(b"x")
            assert client.recv(1) == b"x"
        yield clients
    finally:
        for client in clients:
            client.close()


def first_bytes(server: Server, source: str = "127.0.0.1") -> bytes:
    """What a client reads that says nothing; a client of ``cat`` would wait for ever."""
    with server.connect(source) as client:
        return client.recv(1000)


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize(
    ("option", "told"),
    [("-C2", MESSAGE), ("-C2:go away", b"go away\r\n"), ("-C2:", b""), ("--per-client=2", MESSAGE)],
)
def test_connections_of_a_client(option: str, told: bytes, workers: str, tmp_path: Path) -> None:
    """The third of one address is told and left, others are served, and a place that is left is free again."""
    with Server(SERVER, ("-v", "-w", workers, option, *QUIET), ("cat",), tmp_path) as server:
        with served(server, 2):
            assert first_bytes(server) == told
            server.wait_log(b"from 127.0.0.1: 2/2 connections of the client\n", b"status 25600\n")
            with served(server, 2, "127.0.0.2"):
                pass
        until(lambda: server.log().endswith(b"status: 0/40\n"), "all to have left")
        with served(server, 2):
            pass


def test_connections_of_a_network(tmp_path: Path) -> None:
    """All of 127.1.1.0/24 together, not 127.1.2.0/24."""
    with Server(SERVER, ("-v", "--per-network", "2", *QUIET), ("cat",), tmp_path) as server:
        with served(server, 1, "127.1.1.1"), served(server, 1, "127.1.1.2"):
            assert first_bytes(server, "127.1.1.3") == MESSAGE
            with served(server, 2, "127.1.2.3"):
                pass
        server.wait_log(b"from 127.1.1.3: 2/2 connections of the network\n")


def test_a_network_of_another_size(tmp_path: Path) -> None:
    """--per-network 2/16 takes 127.1.0.0/16 for one."""
    with (
        Server(SERVER, ("--per-network", "2/16", *QUIET), ("cat",), tmp_path) as server,
        served(server, 1, "127.1.1.1"),
        served(server, 1, "127.1.2.2"),
    ):
        assert first_bytes(server, "127.1.3.3") == MESSAGE


def test_an_ipv6_client_is_limited_too(tmp_path: Path) -> None:
    """::1 is limited like any other; that a client is a /64 is said in tests/core/test_limits.py."""
    with Server(SERVER, ("-C1", *QUIET), ("cat",), tmp_path, host="::1") as server, served(server, 1):
        assert first_bytes(server) == MESSAGE


def test_arrivals_of_a_client(tmp_path: Path) -> None:
    """--rate counts over all workers, and over connections that have ended."""
    with Server(SERVER, ("-v", "-w2", "--rate", "5/3600", *QUIET), ("echo", "hello"), tmp_path) as server:
        told = [server.talk() for _ in range(8)]
        assert told == [b"hello\n"] * 5 + [MESSAGE] * 3
        assert server.talk(source="127.0.0.2") == b"hello\n"
        server.wait_log(b": 8/5 connections of the client in 3600 seconds\n")


def test_limits_in_rules(tmp_path: Path) -> None:
    """MAXCONNIP, MAXCONNC and DIEMSG of the client's rule go before the options; 0 refuses, as in the limits patch."""
    rules = cdb_of(
        '127.0.0.1:allow,MAXCONNIP="1",DIEMSG="421 one is enough"\n'
        '127.0.0.2:allow,MAXCONNIP="0"\n'
        '127.1.1.:allow,MAXCONNC="1",DIEMSG=""\n'
        '127.0.0.3:allow,MAXCONNIP="many"\n'
        '127.0.0.4:allow,MAXCONNIP="4x"\n',
        tmp_path,
    )
    with Server(SERVER, ("-C2", "-x", rules, *QUIET), ("cat",), tmp_path) as server:
        with served(server, 1, "127.0.0.1"):
            assert first_bytes(server, "127.0.0.1") == b"421 one is enough\r\n"
        assert first_bytes(server, "127.0.0.2") == MESSAGE
        with served(server, 1, "127.1.1.1"):
            assert first_bytes(server, "127.1.1.2") == b""
        assert first_bytes(server, "127.0.0.3") == MESSAGE
        with served(server, 4, "127.0.0.4"):
            assert first_bytes(server, "127.0.0.4") == MESSAGE


def test_limits_in_the_server_s_own_environment(tmp_path: Path) -> None:
    """As with the limits patch they are everybody's; a rule goes before them, and so does an option."""
    env = {**os.environ, "MAXCONNIP": "1", "MAXCONNC": "2", "DIEMSG": "421 no", "DIEMSG_MAXCONNC": "421 network"}
    rules = cdb_of('127.0.0.2:allow,MAXCONNIP="2",MAXCONNC="9"\n:allow\n', tmp_path)
    with Server(SERVER, ("-x", rules, *QUIET), ("cat",), tmp_path, env=env) as server, served(server, 1):
        assert first_bytes(server) == b"421 no\r\n"
        with served(server, 2, "127.0.0.2"):
            assert first_bytes(server, "127.0.0.2") == b"421 no\r\n"
            assert first_bytes(server, "127.0.0.3") == b"421 network\r\n"
    options = ("-C2:two", "--per-network", "9", *QUIET)
    with Server(SERVER, options, ("cat",), tmp_path, env=env) as server, served(server, 2):
        assert first_bytes(server) == b"two\r\n"


def test_a_busy_machine_lets_nobody_in(tmp_path: Path) -> None:
    """MAXLOAD is the load average up to which clients are served, in hundredths."""
    until(lambda: os.getloadavg()[0] > 0.02, "the load of the tests themselves to be seen")
    rules = cdb_of('127.0.0.2:allow,MAXLOAD="99999999"\n127.0.0.3:allow,MAXLOAD="0"\n:allow\n', tmp_path)
    env = {**os.environ, "MAXLOAD": "1"}
    with Server(SERVER, ("-v", "-x", rules, *QUIET), ("cat",), tmp_path, env=env) as server:
        assert first_bytes(server) == b"421 4.3.2 too busy, try again later\r\n"
        with served(server, 1, "127.0.0.2"), served(server, 1, "127.0.0.3"):
            pass
        server.wait_log(b"from 127.0.0.1: load average ", b", 0.01 at most\n")
        assert b"tcpserver: warning: MAXLOAD counts hundredths, so 1 is a load average of 0.01, in the" in server.log()


def test_refused_clients_count_too(tmp_path: Path) -> None:
    """A client that is held refused has its connections all the same."""
    env = {"PATH": os.environ["PATH"], "RBLSMTPD": "No"}
    backend = (ours("pyrblsmtpd"), "true")
    with Server(SERVER, ("-C3", *QUIET), backend, tmp_path, env=env) as server:
        held = [server.connect() for _ in range(3)]
        for client in held:
            assert client.recv(100) == b"220 rblsmtpd.local\r\n"
        assert first_bytes(server) == MESSAGE
        for client in held:
            client.close()
        until(lambda: first_bytes(server) == b"220 rblsmtpd.local\r\n", "room again")


def test_slots_kept_for_relay_clients(tmp_path: Path) -> None:
    """With one slot of two reserved a second stranger waits, and who may relay is served."""
    rules = cdb_of('127.0.0.9:allow,RELAYCLIENT=""\n:allow\n', tmp_path)
    options = ("-c2", "--reserve", "1", "-x", rules, *QUIET)
    with Server(SERVER, options, ("cat",), tmp_path) as server, served(server, 1), server.connect() as static_names:
        static_names.sendall(b"s")
        static_names.settimeout(0.5)
        with pytest.raises(TimeoutError):
            static_names.recv(1)
        with served(server, 1, "127.0.0.9"):
            pass
        static_names.settimeout(0.5)
        with pytest.raises(TimeoutError):
            static_names.recv(1)


@pytest.mark.parametrize(("text", "told"), [("421 4.3.2 come back later", b"421 4.3.2 come back later\r\n"), ("", b"")])
def test_shedding(text: str, told: bytes, tmp_path: Path) -> None:
    """When all slots are taken a client is told so, if the operator wants it; without --shed it waits, as in C."""
    with Server(SERVER, ("-v", "-c2", "--shed", text, *QUIET), ("cat",), tmp_path) as server:
        with served(server, 2):
            assert first_bytes(server) == told
            server.wait_log(b"from 127.0.0.1: all slots are taken\n")
        until(lambda: server.log().endswith(b"status: 0/2\n"), "both to have left")
        with served(server, 2):
            pass


@pytest.mark.parametrize(
    "options",
    [
        ("-C", "x"),
        ("-C", ""),
        ("-C", "9999999999"),
        ("--rate", "0000000005x"),
        ("--rate", "1/9999999999"),
        ("--per-network", "9999999999"),
        ("--rate", "5/0"),
        ("--rate", "x"),
        ("--per-network", "5/33"),
        ("--per-network", "1/2/3/4"),
        ("-c2", "--reserve", "2"),
    ],
    ids=" ".join,
)
def test_options_that_are_wrong(options: Sequence[str]) -> None:
    """Exit 100 with a sentence that names the option."""
    done = subprocess.run([SERVER, *options, "127.0.0.1", "0", "true"], capture_output=True, check=False)

    assert done.returncode == 100
    assert options[-2].encode() in done.stderr.splitlines()[0]


class TestReload:
    """SIGHUP."""

    def test_no_client_is_lost(self, tmp_path: Path) -> None:
        """Under a stream of clients the workers are relieved again and again, and each client is served."""
        with Server(SERVER, ("-v", *QUIET), ("cat",), tmp_path) as server, served(server, 2) as old:
            before = _workers(server)
            for round_ in range(5):
                server.process.send_signal(signal.SIGHUP)
                for _ in range(20):
                    assert server.talk(b"hello") == b"hello"
                assert round_ is not None
            until(lambda: not _workers(server) & before, "the first workers to leave")
            for client in old:
                client.sendall(b"still here")
                assert client.recv(100) == b"still here"
        log = server.log()
        assert b"starting another" not in log

    def test_the_limit_spans_old_and_new_workers(self, tmp_path: Path) -> None:
        """Backends of the old workers hold their slots until they end."""
        with Server(SERVER, ("-v", "-c2", *QUIET), ("cat",), tmp_path) as server:
            with served(server, 2), server.connect() as third:
                workers = _workers(server)
                server.process.send_signal(signal.SIGHUP)
                until(lambda: len(_workers(server) - workers) >= 2, "new workers")
                third.sendall(b"x")
                third.settimeout(0.5)
                with pytest.raises(TimeoutError):
                    third.recv(1)
            with served(server, 2):
                pass
            until(lambda: server.log().endswith(b"status: 0/2\n"), "all to have left")
            assert b"status: 3/2" not in server.log()


def _workers(server: Server) -> set[int]:
    return set(children(server.process.pid))


def test_an_overflowing_queue_loses_nobody(tmp_path: Path) -> None:
    """Many more clients within a second than slots and queue: each is served; in C some would wait for ever."""
    with Server(SERVER, ("-c4", *QUIET), ("echo", "hello"), tmp_path) as server:
        assert _rush(server, 2500) == {b"hello\n"}


def test_who_waits_inside_leaves_descriptors_for_who_is_served(tmp_path: Path) -> None:
    """No more are taken in to wait than there are descriptors for; the others wait outside."""
    few = (theirs("prlimit"), "--nofile=700:700")
    slow = ("sh", "-c", "sleep 0.01; echo hello")
    with Server(SERVER, ("-c4", "-w1", "--held", "10", *QUIET), slow, tmp_path, before=few) as server:
        assert _rush(server, 1500) == {b"hello\n"}
        assert server.log() == b""


def _rush(server: Server, count: int) -> set[bytes]:
    """So many clients at once; what they hear."""
    clients = []
    for _ in range(count):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(("127.0.0.1", server.port))
        clients.append(client)
        time.sleep(0.0002)
    heard = set()
    end = time.monotonic() + PATIENCE
    for client in clients:
        client.settimeout(max(0.1, end - time.monotonic()))
        heard.add(client.recv(100))
        client.close()
    return heard
