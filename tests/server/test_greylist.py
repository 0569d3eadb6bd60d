"""pygreylist over SQLite and Redis: who is refused, who is let in, who is known, alone and absorbed alike."""

import os
import re
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from tests.support import nameserver
from tests.support.greylist import (
    GREYLIST,
    LONG,
    MINUTE,
    PAST,
    REFUSED,
    SERVER,
    absorbed,
    alone,
    answer,
    comes_in,
    grow_older,
    made,
    serving,
)
from tests.support.programs import ours, theirs
from tests.support.redisserver import RedisServer, store_of
from tests.support.server import QUIET, Server, children
from tests.support.waiting import PATIENCE, until


@pytest.fixture(params=["sqlite", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty store of each kind."""
    with store_of(request.param, Path(made(tmp_path / "db"))) as kept:
        yield kept


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A server with nothing in it."""
    with RedisServer(tmp_path) as server:
        yield server


class TestNetworks:
    """Who is refused, who is let in, who is known."""

    def test_a_network_comes_back(self, store: str, tmp_path: Path) -> None:
        """Refused, let in after the delay, known then: to every worker, from every address, after a restart."""
        with serving(tmp_path, "-s", store, "-d", "2", options=("-w2",)) as server:
            assert answer(server, "127.1.1.1") == REFUSED
            assert answer(server, "127.1.1.2") == REFUSED
            comes_in(server, "127.1.1.1")
            assert {answer(server, f"127.1.1.{number}") for number in range(1, 20)} == {b"welcome\n"}
            assert answer(server, "127.1.2.1") == REFUSED
        with serving(tmp_path, "-s", store, *LONG, options=("-w2",)) as server:
            assert answer(server, "127.1.1.3") == b"welcome\n"
            assert answer(server, "127.1.3.1") == REFUSED
        assert b"warning" not in server.log()

    def test_a_worker_that_comes_later(self, store: str, tmp_path: Path) -> None:
        """A reload puts new workers in the place of the old ones, and they know what those knew."""
        with serving(tmp_path, "-s", store, "-d", "1", options=("-w2",)) as server:
            comes_in(server, "127.1.1.1")
            workers = set(children(server.process.pid))
            server.process.send_signal(1)
            until(lambda: workers.isdisjoint(children(server.process.pid)), "other workers")
            assert answer(server, "127.1.1.1") == b"welcome\n"
        assert b"warning" not in server.log()

    def test_all_workers_refuse_by_one_record(self, store: str, tmp_path: Path) -> None:
        """Who has told a worker about itself is told by the others that it has to wait less."""
        with serving(tmp_path, "-s", store, *LONG, options=("-w4",)) as server:
            lines = rb"greylist: 127.1.1.1 pid (\d+): 451 Greylisted, try again in (\d+) seconds\n"
            assert answer(server, "127.1.1.1") == REFUSED
            first = time.time()
            until(lambda: time.time() > first + 1.1)

            def both() -> bool:
                answer(server, "127.1.1.1")
                return len({pid for pid, _ in re.findall(lines, server.log())}) > 1

            until(both, "two workers to refuse")
            seconds = [int(number) for _, number in re.findall(lines, server.log())]
            assert seconds == sorted(seconds, reverse=True)
            assert seconds[0] == 3600
            assert seconds[1] < 3600

    def test_who_stays_away_too_long(self, tmp_path: Path) -> None:
        """After the window a network is as new as at first."""
        db = tmp_path / "db"
        with serving(tmp_path, "-s", made(db), *MINUTE, "-w", "120") as server:
            assert answer(server) == REFUSED
            grow_older(db, 121)
            assert answer(server) == REFUSED
            grow_older(db, PAST)
            assert answer(server) == b"welcome\n"

    def test_who_is_forgotten(self, tmp_path: Path) -> None:
        """After the memory too."""
        db = tmp_path / "db"
        with serving(tmp_path, "-s", made(db), *MINUTE, "-m", "100") as server:
            waits(server, db)
            grow_older(db, 101)
            assert answer(server) == REFUSED

    @pytest.mark.parametrize(
        ("prefixes", "neighbour", "known"),
        [("24", "127.1.1.2", True), ("32", "127.1.1.2", False), ("16/64", "127.1.2.2", True)],
    )
    def test_networks_of_other_sizes(self, prefixes: str, neighbour: str, known: bool, tmp_path: Path) -> None:
        """-n says what one network is."""
        db = tmp_path / "db"
        with serving(tmp_path, "-s", made(db), *MINUTE, "-n", prefixes) as server:
            waits(server, db, "127.1.1.1")
            assert answer(server, neighbour) == (b"welcome\n" if known else REFUSED)

    def test_an_ipv6_client(self, store: str, tmp_path: Path) -> None:
        """Known by its /64, before hand-over and under its own address."""
        with serving(tmp_path, "-s", store, "-d", "1", host="::1") as server:
            assert answer(server, "::1") == REFUSED
            comes_in(server, "::1")
            assert b"greylist: ::1 pid " in server.log()

    def test_a_clock_that_was_ahead(self, tmp_path: Path) -> None:
        """Who first came in the future waits one delay; who was let in then is known."""
        db = tmp_path / "db"
        with serving(tmp_path, "-s", made(db), *MINUTE) as server:
            waits(server, db, "127.1.2.1")
            assert answer(server, "127.1.1.1") == REFUSED
            grow_older(db, -9999)
            assert answer(server, "127.1.1.1") == REFUSED
            assert answer(server, "127.1.2.1") == b"welcome\n"
            assert b"try again in 60 seconds" in server.log().splitlines()[-1]
            grow_older(db, PAST)
            assert answer(server, "127.1.1.1") == b"welcome\n"

    def test_hosts_that_share_a_store(self, redis: RedisServer, tmp_path: Path) -> None:
        """Refused by one MX, let in by the other, known to both."""
        words = ("-s", redis.url, "-d", "1")
        with serving(tmp_path, *words) as first, serving(tmp_path, *words) as second:
            assert answer(first) == REFUSED
            comes_in(second, "127.0.0.1")
            assert answer(first) == b"welcome\n"


class TestAloneAndAbsorbed:
    """One program, two ways to run it."""

    @pytest.mark.parametrize(
        ("environment", "refused"),
        [
            ({"TCPREMOTEIP": "192.0.2.7"}, True),
            ({"TCPREMOTEIP": "192.0.2.7", "GREYLIST": "yes"}, True),
            ({"TCPREMOTEIP": "192.0.2.7", "RBLSMTPD": "text"}, True),
            ({"TCPREMOTEIP": "192.0.2.7", "RBLSMTPD": ""}, False),
            ({"TCPREMOTEIP": "2001:db8::7"}, True),
            ({"TCPREMOTEIP": "192.0.2.7", "GREYLIST": ""}, False),
            ({"TCPREMOTEIP": "192.0.2.7", "RELAYCLIENT": ""}, False),
            ({"TCPREMOTEIP": "nowhere"}, False),
            ({"TCPREMOTEIP": ""}, False),
        ],
        ids=str,
    )
    def test_verdicts(self, environment: Mapping[str, str], refused: bool, tmp_path: Path) -> None:
        """The same answer and the same log; who is spared leaves no trace in the store."""
        expected = (b"welcome\n", b"")
        if refused:
            ip = environment["TCPREMOTEIP"].encode()
            expected = (REFUSED, b"greylist: %s pid N: 451 Greylisted, try again in N seconds\n" % ip)

        for folder in (tmp_path / "alone", tmp_path / "absorbed"):
            folder.mkdir()
        assert alone(("-s", made(tmp_path / "alone/db"), *LONG), environment) == expected
        assert absorbed(("-s", made(tmp_path / "absorbed/db"), *LONG), environment, tmp_path) == expected
        assert records(tmp_path / "alone/db") == records(tmp_path / "absorbed/db") == refused

    def test_without_an_address(self, tmp_path: Path) -> None:
        """Under a server that tells no address nobody is refused."""
        assert alone(("-s", made(tmp_path / "db")), {}) == (b"welcome\n", b"")

    def test_one_store_for_both(self, store: str, tmp_path: Path) -> None:
        """Refused by a process of its own, let in behind pytcpserver, known to both."""
        environment = {"TCPREMOTEIP": "127.1.1.1"}
        assert alone(("-s", store, "-d", "1"), environment)[0] == REFUSED
        with serving(tmp_path, "-s", store, "-d", "1") as server:
            comes_in(server, "127.1.1.1")
        assert alone(("-s", store, "-d", "1"), environment) == (b"welcome\n", b"")

    def test_nothing_of_the_store_reaches_the_program(self, store: str, tmp_path: Path) -> None:
        """No descriptor of ours."""
        chain = (GREYLIST, "-s", store, "-d", "1", "ls", "/proc/self/fd")
        environment = {"PATH": os.environ["PATH"], "TCPREMOTEIP": "127.0.0.1"}
        with Server(SERVER, QUIET, chain, tmp_path, env=environment) as server:
            until(lambda: answer(server) == b"0\n1\n2\n3\n", "a program with its own descriptors only")
        done = subprocess.run(chain, input=b"", env=environment, capture_output=True, check=False)
        assert done.stdout == b"0\n1\n2\n3\n"

    def test_the_dialogue(self, tmp_path: Path) -> None:
        """That of rblsmtpd, to the byte."""
        said = b"EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nQUIT\r\nnoop\r\n"
        fine, no = b"250 rblsmtpd.local\r\n", b"451 Greylisted, try again in N seconds\r\n"
        expected = b"220 rblsmtpd.local\r\n" + fine + fine + no + no + b"221 rblsmtpd.local\r\n"
        environment = {"TCPREMOTEIP": "192.0.2.7"}
        assert alone(("-s", made(tmp_path / "db")), environment, said)[0] == expected
        assert absorbed(("-s", made(tmp_path / "db2")), environment, tmp_path, said)[0] == expected
        assert alone(("-t0", "-s", made(tmp_path / "db")), environment, said)[0] == no

    def test_under_tcpserver_of_c(self, tmp_path: Path) -> None:
        """A process of its own under any server."""
        db = tmp_path / "db"
        chain = (GREYLIST, "-s", made(db), *MINUTE, "echo", "welcome")
        with Server(theirs("tcpserver"), QUIET, chain, tmp_path) as server:
            waits(server, db)

    def test_the_log_of_a_refused_client(self, tmp_path: Path) -> None:
        """tcpserver's lines around ours, all under one process id."""
        with serving(tmp_path, "-s", made(tmp_path / "db"), options=("-v",)) as server:
            answer(server)
            log = server.wait_log(b" status 0\n")
        story = rb"""tcpserver: status: 1/40
tcpserver: pid (\d+) from 127.0.0.1
tcpserver: ok \1 0:127.0.0.1:\d+ :127.0.0.1::\d+
greylist: 127.0.0.1 pid \1: 451 Greylisted, try again in 300 seconds
tcpserver: end \1 status 0
tcpserver: status: 0/40
"""
        assert re.search(story, log)

    def test_the_oldest_refused_client_is_left(self, tmp_path: Path) -> None:
        """--held counts whom the greylist refuses, and one more costs the oldest its place."""
        words = ("-s", made(tmp_path / "db"), *LONG)
        with (
            serving(tmp_path, *words, options=("-w1", "--held", "1")) as server,
            server.connect("127.0.1.1") as oldest,
        ):
            assert oldest.recv(100) == b"220 rblsmtpd.local\r\n"
            assert answer(server, "127.0.2.1") == REFUSED
            assert oldest.recv(100).startswith(b"421 ")
            assert oldest.recv(100) == b""

    def test_by_another_name(self, tmp_path: Path) -> None:
        """A link that leads to pygreylist is taken in as well."""
        link = tmp_path / "grey"
        link.symlink_to(GREYLIST)
        chain = (str(link), "-s", made(tmp_path / "db"), "echo", "welcome")
        with Server(SERVER, QUIET, chain, tmp_path) as server:
            assert answer(server) == REFUSED
            assert {f" {pid}: " for pid in children(server.process.pid)} & set(
                re.findall(r" \d+: ", server.log().decode())
            )

    def test_two_screens_in_a_row(self, tmp_path: Path) -> None:
        """Each in its turn: who is listed never comes to the greylist, in one order, and always in the other."""
        zones = (ours("pyrblsmtpd"), "-b", "-r", "listed")
        db = tmp_path / "db"
        grey = (GREYLIST, "-s", made(db), *MINUTE)
        with nameserver.running({"1.1.0.127.listed TXT": ["Listed"]}, tmp_path) as dns:
            env = {"PATH": os.environ["PATH"], "DNSCACHEIP": dns}
            with Server(SERVER, QUIET, (*zones, *grey, "echo", "welcome"), tmp_path, env=env) as server:
                assert answer(server, "127.0.1.1").endswith(b"553 Listed\r\n")
                assert not records(db)
                waits(server, db, "127.0.2.1")
            with Server(SERVER, QUIET, (*grey, *zones, "echo", "welcome"), tmp_path, env=env) as server:
                assert answer(server, "127.0.1.1") == REFUSED
                grow_older(db, PAST)
                assert answer(server, "127.0.1.1").endswith(b"553 Listed\r\n")
                assert answer(server, "127.0.2.1") == b"welcome\n"

    def test_its_totals(self, tmp_path: Path) -> None:
        """SIGUSR1 says whom it has let in and whom not, also where no zone is asked."""
        with serving(tmp_path, "-s", made(tmp_path / "db"), *LONG) as server:
            assert answer(server) == REFUSED
            assert answer(server, "127.0.2.1") == REFUSED

            def reported() -> bool:
                server.process.send_signal(signal.SIGUSR1)
                return b"greylist: totals: accepted 0 refused 2 bounced 0 held now 0\n" in server.log()

            until(reported, "the totals")
            assert b"dnsbl" not in server.log()

    @pytest.mark.parametrize("words", [(), ("-s", "db"), ("-s", "redis://:s3cret@host:port/0", "true")], ids=str)
    def test_options_that_are_wrong(self, words: Sequence[str]) -> None:
        """Exit 100 and the usage line; pytcpserver refuses to start; a password is not repeated."""
        commands = ((GREYLIST, *words), (SERVER, *QUIET, "127.0.0.1", "0", GREYLIST, *words))
        for process in [subprocess.Popen(command, stderr=subprocess.PIPE) for command in commands]:
            with process:
                _, errors = process.communicate(timeout=PATIENCE)
            assert process.returncode == 100
            assert b": usage: " in errors
            assert b"s3cret" not in errors

    def test_a_program_that_is_missing(self, tmp_path: Path) -> None:
        """Exit 111, as rblsmtpd."""
        command = (GREYLIST, "-s", made(tmp_path / "db"), "/nonexistent/smtpd")
        done = subprocess.run(command, env={**os.environ, "GREYLIST": ""}, capture_output=True, check=False)

        assert done.returncode == 111
        assert done.stderr == b"greylist: fatal: unable to run /nonexistent/smtpd: file does not exist\n"


def waits(server: Server, db: Path, source: str = "127.0.0.1") -> None:
    """A new client is refused, comes back when the MINUTE is over, and is let in."""
    assert answer(server, source) == REFUSED
    grow_older(db, PAST)
    assert answer(server, source) == b"welcome\n"


def records(db: Path) -> bool:
    """Whether there is anything in a store."""
    if not db.exists():
        return False
    with closing(sqlite3.connect(db)) as connection:
        begun = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        return bool(begun and connection.execute("SELECT count(*) FROM greylist").fetchone()[0])
