"""Several services on addresses of their own that share one store: together they let in what one would."""

import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import cycle, islice
from pathlib import Path
from typing import TypeVar

import pytest

from tests.support import proxying
from tests.support.metrics import wait_for
from tests.support.programs import ours
from tests.support.redisserver import RedisServer
from tests.support.rules import cdb_of
from tests.support.server import QUIET, Server, children
from tests.support.waiting import until

SERVER = ours("pytcpserver")
TOO_MANY = b"421 4.7.0 too many connections from you, try again later\r\n"
T = TypeVar("T")
HOSTS = ("127.0.0.1", "127.0.0.2", "127.0.0.3")


@contextmanager
def fleet(url: str, folder: Path, *options: str, hosts: int = 2) -> Iterator[list[Server]]:
    """So many services, each on an address of its own."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(Server(SERVER, ("-v", *options, "--fleet", url, *QUIET), ("cat",), folder, host=host))
            for host in HOSTS[:hosts]
        ]


def together(url: str, folder: Path, options: Sequence[str], scene: Callable[[list[Server]], T], hosts: int = 2) -> T:
    """What a scene with so many services comes to where the store has answered in time: a busy machine may be slow."""
    for _ in range(5):
        with fleet(url, folder, *options, hosts=hosts) as servers:
            found = scene(servers)
            if not any(b"hold alone" in server.log() for server in servers):
                return found
    raise AssertionError("the store was too slow five times")


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

    def come(servers: list[Server]) -> list[bytes]:
        redis.empty()
        told = [server.talk(b"x", "127.0.0.9") for server in islice(cycle(servers), 9)]
        return [*told, servers[0].talk(b"x", "127.0.0.8")]

    assert together(redis.url, tmp_path, ("--rate", "5/3600"), come, hosts) == [*5 * [b"x"], *4 * [TOO_MANY], b"x"]


def test_connections_count_wherever_a_client_is(redis: RedisServer, tmp_path: Path) -> None:
    """A place that is left is free again, at the other host as well."""

    def come(servers: list[Server]) -> list[bool]:
        one, other = servers
        with ExitStack() as stack:
            are_in = [is_in(server, stack) for server in (one, other, one, other)]
            are_in.append(is_in(one, stack, "127.0.0.8"))
        until(lambda: redis.ask("DBSIZE") == b":0", "the store to have heard that all have left")
        with ExitStack() as stack:
            return are_in + [is_in(server, stack) for server in (other, other, one)]

    found = together(redis.url, tmp_path, ("-C2",), come)

    assert found == [*(True, True, False, False), True, *(True, True, False)]


def test_connections_of_a_network_count_as_well(redis: RedisServer, tmp_path: Path) -> None:
    """Of its size in the options, which are those of each host; the log says where they were counted."""

    def come(servers: list[Server]) -> list[bool]:
        redis.empty()
        one, other = servers
        clients = ((one, "127.1.1.1"), (other, "127.1.2.2"), (one, "127.1.3.3"), (one, "127.2.1.1"))
        with ExitStack() as stack:
            return [is_in(server, stack, source) for server, source in clients]

    assert together(redis.url, tmp_path, ("--per-network", "2/16"), come) == [True, True, False, True]
    logs = b"".join(log.read_bytes() for log in tmp_path.glob("log-*"))
    assert b" from 127.1.3.3: 2/2 connections of the network on all hosts\n" in logs


def test_a_host_s_own_limit_comes_first(redis: RedisServer, tmp_path: Path) -> None:
    """The store is not asked about whoever is over it; and a rule may set another one."""
    rules = cdb_of('127.0.0.8:allow,MAXCONNIP="1"\n:allow\n', tmp_path)

    def come(servers: list[Server]) -> tuple[list[bool], bytes]:
        (server,) = servers
        with ExitStack() as stack:
            are_in = [is_in(server, stack, "127.0.0.8") for _ in range(2)]
            server.wait_log(b" from 127.0.0.8: 1/1 connections of the client\n")
            return are_in, redis.ask("ZCARD u1:{127.0.0.0/24}:c:127.0.0.8")

    assert together(redis.url, tmp_path, ("-C3", "-x", rules), come, 1) == ([True, False], b":1")


def test_behind_a_proxy_the_client_itself_counts(redis: RedisServer, tmp_path: Path) -> None:
    """And a proxy's own checks do not, though a rule limits its address."""
    rules = cdb_of('127.0.0.1:allow,MAXCONNIP="9"\n:allow\n', tmp_path)

    def come(servers: list[Server]) -> list[bytes]:
        redis.empty()
        (server,) = servers
        with ExitStack() as stack:
            for header in (proxying.LOCAL, proxying.LOCAL, proxying.line()):
                client = stack.enter_context(server.connect())
                client.sendall(header + b"x")
                assert client.recv(1) == b"x"
            return [redis.ask("EXISTS u1:{127.0.0.0/24}:c:127.0.0.1"), redis.ask("ZCARD u1:{192.0.2.0/24}:c:192.0.2.7")]

    assert together(redis.url, tmp_path, ("-C1", "-x", rules, "--proxy-from", "127.0.0.1"), come, 1) == [b":0", b":1"]


def test_who_has_no_limit_costs_the_store_nothing(redis: RedisServer, tmp_path: Path) -> None:
    """Nobody is counted who cannot be too many."""
    with fleet(redis.url, tmp_path, hosts=1) as (server,), ExitStack() as stack:
        assert is_in(server, stack)
        keys = (f"u1:{{127.0.0.0/24}}:{kind}" for kind in ("a:127.0.0.9", "c:127.0.0.9", "n"))
        assert redis.ask(" ".join(("EXISTS", *keys))) == b":0"


def test_a_program_counts_until_its_end_though_its_worker_was_relieved(redis: RedisServer, tmp_path: Path) -> None:
    """The old worker stays as long as its clients' programs do."""
    with fleet(redis.url, tmp_path, "-C1", "-w1", hosts=1) as (server,):
        with ExitStack() as stack:
            assert is_in(server, stack)
            (old,) = children(server.process.pid)
            server.process.send_signal(signal.SIGHUP)
            until(lambda: len(children(server.process.pid)) > 1, "a new worker")
            until(lambda: redis.ask("DBSIZE") == b":1", "the client to count")
            assert old in children(server.process.pid)
        until(lambda: old not in children(server.process.pid), "the old worker to leave")
        until(lambda: redis.ask("DBSIZE") == b":0", "the client to count no more")


def _killed(redis: RedisServer) -> None:
    redis.kill()


def _stopped(redis: RedisServer) -> None:
    redis.stop()


@pytest.mark.parametrize("fail", [_killed, _stopped])
def test_a_service_goes_on_without_its_store(fail: Callable[[RedisServer], None], tmp_path: Path) -> None:
    """By the limits of the host, which are exact; and the log says so once."""
    with (
        RedisServer(tmp_path) as redis,
        fleet(redis.url, tmp_path, "-C2", "-w1", hosts=1) as (server,),
        ExitStack() as stack,
    ):
        fail(redis)
        assert [is_in(server, stack) for _ in range(4)] == [True, True, False, False]
        log = server.wait_log(b" from 127.0.0.9: 2/2 connections of the client\n")
        assert log.count(b"tcpserver: warning: fleet: unable to use %s: " % redis.url.encode()) == 1


def test_a_client_waits_once_for_a_server_that_has_all_records(tmp_path: Path) -> None:
    """It hangs: neither ledger nor greylist is asked once the fleet has had no answer; each says so."""
    place = tmp_path / "numbers"
    with RedisServer(tmp_path) as redis:
        chain = (ours("pyrelay"), "check", "-s", redis.url, ours("pygreylist"), "-s", redis.url, "cat")
        options = ("-w1", "-C2", "--fleet", redis.url.replace("/0", "/2"), "--metrics", f"unix:{place}")
        with Server(SERVER, (*options, *QUIET), chain, tmp_path) as server:
            server.talk(b"x")
            redis.stop()
            assert server.talk(b"x") == b"x"
            found = wait_for(place, 1, "program_exits_total", status="0")
            log = server.wait_log(b"relay: warning: ", b"greylist: warning: ", b"tcpserver: warning: fleet: ")
    assert log.count(b": timed out, ") == 3
    failed = [found("server_queries_total", server=name, result="failed") for name in ("fleet", "ledger", "greylist")]
    assert sum(failed) == 1


def test_questions_to_the_store_are_counted(redis: RedisServer, tmp_path: Path) -> None:
    """Those about clients, and no others."""
    place = tmp_path / "numbers"
    with fleet(redis.url, tmp_path, "-C9", "-w1", "--metrics", f"unix:{place}", hosts=1) as (server,):
        for _ in range(3):
            server.talk(b"x", "127.0.0.9")
        found = wait_for(place, 3, "program_exits_total", status="0")

    results = ("answered", "failed", "skipped")
    asked = {result: found("server_queries_total", server="fleet", result=result) for result in results}
    assert sum(asked.values()) == 3
    assert found("server_query_seconds_count", server="fleet") == asked["answered"] + asked["failed"]


@pytest.mark.parametrize("url", ["/var/lib/fleet", "", "http://h/", "redis://:s3cret@h/abc"])
def test_a_store_that_is_none(url: str) -> None:
    """Exit 100 with a sentence that names the option, and no password."""
    done = subprocess.run([SERVER, "--fleet", url, "127.0.0.1", "0", "true"], capture_output=True, check=False)

    assert done.returncode == 100
    assert b"--fleet" in done.stderr.splitlines()[0]
    assert b"s3cret" not in done.stderr
