"""Several services on addresses of their own that share one store: together they let in what one would."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import cycle, islice
from pathlib import Path

import pytest

from tests.support.programs import ours
from tests.support.redisserver import RedisServer
from tests.support.rules import cdb_of
from tests.support.server import QUIET, Server, children
from tests.support.waiting import until

SERVER = ours("pytcpserver")
TOO_MANY = b"421 4.7.0 too many connections from you, try again later\r\n"
HOSTS = ("127.0.0.1", "127.0.0.2", "127.0.0.3")


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One store of all tests that do not harm it."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as redis:
        yield redis


@pytest.fixture(autouse=True)
def _empty(redis: RedisServer) -> None:
    redis.ask("FLUSHALL")


@contextmanager
def fleet(
    url: str, folder: Path, *options: str, hosts: int = 2, program: Sequence[str] = ("cat",)
) -> Iterator[list[Server]]:
    """So many services, each on an address of its own."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(Server(SERVER, ("-v", *options, "--fleet", url, *QUIET), program, folder, host=host))
            for host in HOSTS[:hosts]
        ]


def is_in(server: Server, stack: ExitStack, source: str = "127.0.0.9") -> bool:
    """Whether a client is let in; then it stays until the end of the stack."""
    client = stack.enter_context(server.connect(source))
    client.sendall(b"x")
    first = client.recv(1)
    if first != b"x":
        assert first + client.recv(1000) == TOO_MANY
    return first == b"x"


@pytest.mark.parametrize("hosts", [2, 3])
def test_arrivals_count_wherever_a_client_comes(hosts: int, redis: RedisServer, tmp_path: Path) -> None:
    """Exactly so many of a burst are let in; others have theirs."""
    with fleet(redis.url, tmp_path, "--rate", "5/3600", hosts=hosts, program=("echo", "hello")) as servers:
        told = [server.talk(source="127.0.0.9") for server in islice(cycle(servers), 9)]
        assert told == [b"hello\n"] * 5 + [TOO_MANY] * 4
        assert servers[0].talk(source="127.0.0.8") == b"hello\n"
        servers[-1].wait_log(b" from 127.0.0.9: 6/5 connections of the client in 3600 seconds on all hosts\n")


def test_connections_count_wherever_a_client_is(redis: RedisServer, tmp_path: Path) -> None:
    """A place that is left is free again, at the other host as well."""
    with fleet(redis.url, tmp_path, "-C2") as (one, other):
        with ExitStack() as stack:
            assert [is_in(server, stack) for server in (one, other, one, other)] == [True, True, False, False]
            other.wait_log(b" from 127.0.0.9: 2/2 connections of the client on all hosts\n")
            with ExitStack() as more:
                assert is_in(one, more, "127.0.0.8")
        until(lambda: redis.ask("DBSIZE") == b":0", "the store to have heard that all have left")
        with ExitStack() as stack:
            assert [is_in(server, stack) for server in (other, other, one)] == [True, True, False]


def test_connections_of_a_network_count_as_well(redis: RedisServer, tmp_path: Path) -> None:
    """Of its size in the options, which are those of each host."""
    with fleet(redis.url, tmp_path, "--per-network", "2/16") as (one, other), ExitStack() as stack:
        clients = ((one, "127.1.1.1"), (other, "127.1.2.2"), (one, "127.1.3.3"), (one, "127.2.1.1"))
        assert [is_in(server, stack, source) for server, source in clients] == [True, True, False, True]


def test_a_host_s_own_limit_comes_first(redis: RedisServer, tmp_path: Path) -> None:
    """The store is not asked about whoever is over it; and a rule may set another one."""
    rules = cdb_of('127.0.0.8:allow,MAXCONNIP="1"\n:allow\n', tmp_path)
    with fleet(redis.url, tmp_path, "-C3", "-x", rules, hosts=1) as (server,), ExitStack() as stack:
        assert [is_in(server, stack, "127.0.0.8") for _ in range(2)] == [True, False]
        server.wait_log(b" from 127.0.0.8: 1/1 connections of the client\n")
        assert redis.ask("ZCARD u1:{127.0.0.0/24}:c:127.0.0.8") == b":1"


def test_who_has_no_limit_costs_the_store_nothing(redis: RedisServer, tmp_path: Path) -> None:
    """Nobody is counted who cannot be too many."""
    with fleet(redis.url, tmp_path, hosts=1) as (server,), ExitStack() as stack:
        assert is_in(server, stack)
        assert redis.ask("DBSIZE") == b":0"


def test_a_program_counts_until_its_end_though_its_worker_was_relieved(redis: RedisServer, tmp_path: Path) -> None:
    """The old worker stays as long as its clients' programs do."""
    with fleet(redis.url, tmp_path, "-C1", "-w1") as (one, other):
        with ExitStack() as stack:
            assert is_in(one, stack)
            (old,) = children(one.process.pid)
            one.process.send_signal(1)
            until(lambda: len(children(one.process.pid)) > 1, "a new worker")
            assert not is_in(other, stack)
            assert old in children(one.process.pid)
        until(lambda: old not in children(one.process.pid), "the old worker to leave")
        with ExitStack() as stack:
            until(lambda: is_in(other, stack), "room for the client")


@pytest.mark.parametrize("url", ["/var/lib/fleet", "", "http://h/", "redis://:s3cret@h/abc"])
def test_a_store_that_is_none(url: str) -> None:
    """Exit 100 with a sentence that names the option, and no password."""
    done = subprocess.run([SERVER, "--fleet", url, "127.0.0.1", "0", "true"], capture_output=True, check=False)

    assert done.returncode == 100
    assert b"--fleet" in done.stderr.splitlines()[0]
    assert b"s3cret" not in done.stderr
