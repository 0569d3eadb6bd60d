"""Gates that share a store: passwords are guessed at two of them no faster than at one, whoever checks them."""

import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from itertools import cycle, islice
from pathlib import Path

import pytest

from tests.support.backends.known import Scripted
from tests.support.gate import Gate, gated
from tests.support.guards import Checker
from tests.support.redisserver import RedisServer
from tests.support.saslauthd import Saslauthd
from tests.support.waiting import until

HOME, AWAY, FAR = "127.0.0.1", "127.0.0.2", "127.0.0.3"
RULES = """\
127.0.0.1:allow,TCPREMOTEIP="192.0.2.7"
127.0.0.2:allow,TCPREMOTEIP="198.51.100.7"
127.0.0.3:allow,TCPREMOTEIP="203.0.113.7"
"""
ASKED = ("smtpd_sasl_auth_enable=yes", "smtpd_tls_auth_only=no")
IN, LATER = b"235", b"454"
FAILED, NOT_TRIED = b"SASL PLAIN authentication failed: ", b"SASL PLAIN authentication not tried: "
SPENT = NOT_TRIED + b"too many failures of this user%b, sasl_username=joe\n"
#: pytcpserver whose clients wait for the store as long as a busy machine makes them.
PATIENT = """#!{}
from ucspi_py.system.store import attempts
from ucspi_py.system.store.server import redis_server
attempts._FOR_A_SERVER = redis_server._PATIENCE = 30.0
from ucspi_py.cli.tcpserver import main
main()
"""


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """The store of all that do not harm it."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as redis:
        yield redis


@pytest.fixture(scope="module")
def by_daemon() -> Iterator[tuple[str, ...]]:
    """Debian's saslauthd checks."""
    with Saslauthd({"joe": "right", "ann": "right"}) as daemon:
        yield *ASKED, "smtpd_sasl_type=saslauthd", f"smtpd_sasl_path={daemon.path}"


def host(
    backend: Scripted, folder: Path, redis: RedisServer, parameters: tuple[str, ...], server: Path | None = None
) -> AbstractContextManager[Gate]:
    """A gate of a fleet. server: None = as it is installed."""
    options = ("-w", "1", "--fleet", redis.url)
    program = str(server) if server else None
    return gated(backend.argv, folder, parameters=parameters, options=options, rules=RULES, server=program)


def pair(
    stack: ExitStack, backend: Scripted, folder: Path, redis: RedisServer, parameters: tuple[str, ...]
) -> list[Gate]:
    """Two that wait for their store."""
    server = folder / "pytcpserver"
    server.write_text(PATIENT.format(sys.executable))
    server.chmod(0o755)
    hosts = [host(backend, folder / name, redis, parameters, server) for name in ("one", "other")]
    return [stack.enter_context(gate) for gate in hosts]


@pytest.fixture(scope="module")
def gates(
    backend: Scripted, redis: RedisServer, by_daemon: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Gate]]:
    """Two gates; each test has a user and a network of its own."""
    with ExitStack() as stack:
        yield pair(stack, backend, tmp_path_factory.mktemp("gates"), redis, by_daemon)


def plain(user: str, password: str) -> bytes:
    """AUTH PLAIN with its response."""
    return b"AUTH PLAIN " + b64encode(f"\0{user}\0{password}".encode())


def logs_in(gate: Gate, user: str, source: str) -> bytes:
    """The code that a right password gets."""
    return gate.converse([b"EHLO c", plain(user, "right")], source=source)[-1][:3]


def is_tried(gate: Gate, user: str, source: str) -> bool:
    """Try a wrong password, and do not wait for the answer to it -> whether somebody was asked."""
    mark = gate.mark()
    with gate.client(source) as client:
        client.socket.sendall(plain(user, "wr0ng") + b"\r\n")
        until(lambda: any(line in gate.since(mark) for line in (FAILED, NOT_TRIED)), "a line")
    return FAILED in gate.since(mark)


def test_guesses_that_alternate_are_no_more_than_at_one_host(gates: list[Gate]) -> None:
    """Whoever is over the limit is told to come later, as at one host; the log says where that was counted."""
    assert [is_tried(gate, "joe", AWAY) for gate in islice(cycle(gates), 7)] == [True] * 5 + [False] * 2

    assert [logs_in(gate, "joe", AWAY) for gate in gates] == [LATER] * 2
    for gate in gates:
        log = gate.log()
        assert SPENT % b" on all hosts" in log
        assert b"wr0ng" not in log
        assert b"hold alone" not in log


def test_nobody_locks_a_user_out_at_a_host_that_does_not_know_it(gates: list[Gate]) -> None:
    """It has logged in at the other one; elsewhere it is locked out."""
    one, other = gates
    assert logs_in(one, "ann", HOME) == IN
    assert [is_tried(other, "ann", FAR) for _ in range(6)] == [True] * 5 + [False]

    assert [logs_in(other, "ann", source) for source in (HOME, FAR)] == [IN, LATER]
    assert logs_in(one, "ann", FAR) == LATER


def test_the_guard_is_not_asked_beyond_the_limit(backend: Scripted, redis: RedisServer, tmp_path: Path) -> None:
    """Of either host: no program runs."""
    checker = Checker(tmp_path)
    by_program = *ASKED, "smtpd_sasl_type=checkpassword", f"smtpd_sasl_path={' '.join(checker.argv)}"
    with ExitStack() as stack:
        gates = pair(stack, backend, tmp_path, redis, by_program)
        tried = [is_tried(gate, "bob", AWAY) for gate in islice(cycle(gates), 7)]

    assert tried == [True] * 5 + [False] * 2
    assert checker.asked == ["bob"] * 5


def test_beside_a_store_that_hangs_a_host_has_its_own_limits(
    backend: Scripted, by_daemon: tuple[str, ...], tmp_path: Path
) -> None:
    """Neither open nor closed; the log says so once."""
    with RedisServer(tmp_path) as redis, host(backend, tmp_path / "gate", redis, by_daemon) as gate:
        assert logs_in(gate, "joe", HOME) == IN
        redis.stop()
        assert [is_tried(gate, "joe", AWAY) for _ in range(6)] == [True] * 5 + [False]
        assert [logs_in(gate, "joe", source) for source in (HOME, AWAY)] == [IN, LATER]
        log = gate.log()

    assert SPENT % b"" in log
    assert log.count(b"the limits of this host hold alone") == 1
