"""The stores themselves: they stay small, hold nobody up, and keep what they were given."""

import asyncio
import socket
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from contextlib import closing, nullcontext
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import RedisError

from tests.support.checkout import ROOT
from tests.support.redisserver import RedisServer
from ucspi_py.core.client.limits import NETWORK
from ucspi_py.core.greylist import visit as greylist_visit
from ucspi_py.core.greylist.network import Decision, Record, decide
from ucspi_py.core.greylist.settings import GreylistSettings
from ucspi_py.core.greylist.visit import TENANT, Visit
from ucspi_py.core.smtp.verdict import Accept, Refuse, Verdict
from ucspi_py.system.store.records import Store
from ucspi_py.system.store.redis import RedisStore
from ucspi_py.system.store.sqlite import SqliteStore

NOW = 1_800_000_000
DELAY, WINDOW, MEMORY = 300, 1_000, 10_000


SETTINGS = GreylistSettings("db", DELAY, WINDOW, MEMORY, NETWORK, 60)


def sqlite(path: Path | str, **sizes: int) -> SqliteStore:
    """The file as one process has it."""
    return SqliteStore(str(path), (TENANT,), **sizes)


def redis(url: str) -> RedisStore:
    """The server as one process has it."""
    return RedisStore(url, (TENANT,))


async def visit(store: Store, network: str, now: int) -> Verdict:
    """The verdict on a visit at that time."""
    return await store.update(network, Visit(now, SETTINGS))


def with_store(store: Store, deed: Callable[[Store], Awaitable[None]]) -> None:
    """Do something with a store, in a loop of its own."""

    async def run() -> None:
        try:
            await deed(store)
        finally:
            await store.close()

    asyncio.run(run())


def rows(db: Path) -> dict[str, tuple[int | None, ...]]:
    """Network -> first, passed, expires."""
    with closing(sqlite3.connect(db)) as connection:
        return {network: tuple(rest) for network, *rest in connection.execute("SELECT * FROM greylist")}


def test_what_is_written(tmp_path: Path) -> None:
    """A record for each network, with the time when it goes; none of these times is later than it must be."""

    async def visits(store: Store) -> None:
        assert isinstance(await visit(store, "192.0.2.0/24", NOW), Refuse)
        assert isinstance(await visit(store, "192.0.2.0/24", NOW + 10), Refuse)
        assert isinstance(await visit(store, "198.51.100.0/24", NOW + 20), Refuse)
        assert await visit(store, "192.0.2.0/24", NOW + DELAY) == Accept()

    with_store(sqlite(tmp_path / "db"), visits)
    assert rows(tmp_path / "db") == {
        "192.0.2.0/24": (NOW, NOW + DELAY, NOW + DELAY + MEMORY),
        "198.51.100.0/24": (NOW + 20, None, NOW + 20 + WINDOW),
    }


def test_what_has_expired_goes(tmp_path: Path) -> None:
    """Two of the dead go with each new network, and nobody who is alive."""

    async def visits(store: Store) -> None:
        for number in range(20):
            await visit(store, f"old {number}", NOW)
        await visit(store, "known", NOW)
        await visit(store, "known", NOW + DELAY)
        for number in range(9):
            await visit(store, f"new {number}", NOW + WINDOW + 1)

    with_store(sqlite(tmp_path / "db"), visits)
    left = rows(tmp_path / "db")
    assert len([network for network in left if network.startswith("old")]) == 2
    assert len([network for network in left if network.startswith("new")]) == 9
    assert "known" in left


def test_a_flood(tmp_path: Path) -> None:
    """The file has its size, and of too many networks those that would go first have gone."""
    pages = 20

    async def visits(store: Store) -> None:
        await visit(store, "known", NOW)
        await visit(store, "known", NOW + DELAY)
        for number in range(5_000):
            await visit(store, f"network {number}", NOW + DELAY + number // 100)

    with_store(sqlite(tmp_path / "db", pages=pages), visits)
    left = rows(tmp_path / "db")
    assert (tmp_path / "db").stat().st_size <= (pages + 4) * 4096
    assert 100 < len(left) < 4_000
    assert {"known", "network 4999", "network 4900"} <= left.keys()
    assert "network 0" not in left


def test_somebody_who_keeps_reading(tmp_path: Path) -> None:
    """All three files together have their size, whatever a reader prevents; when it is gone all goes on."""
    db, size = tmp_path / "db", 400_000
    numbers = iter(range(10_000))

    def total() -> int:
        return sum(file.stat().st_size for file in tmp_path.iterdir())

    async def visit_until_full(store: Store) -> None:
        while True:
            await visit(store, f"network {next(numbers)}", NOW)
            assert total() < size + 100_000

    async def visits(store: Store) -> None:
        await visit(store, "known", NOW)
        await visit(store, "known", NOW + DELAY)
        with closing(sqlite3.connect(db, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM greylist").fetchall()
            for _ in range(2):
                with pytest.raises(sqlite3.OperationalError, match="it is full, and another program keeps reading it"):
                    await visit_until_full(store)
            assert await visit(store, "known", NOW + DELAY) == Accept()
        for _ in range(100):
            await visit(store, f"network {next(numbers)}", NOW)
        assert total() < size

    with_store(sqlite(db, size=size), visits)


def test_nobody_loses_a_pass_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Another worker, whose clock is right, lets a network in between our look and our write: in it stays."""
    entered = threading.Event()

    def decide_late(record: Record | None, now: int, settings: GreylistSettings) -> Decision:
        """Ours is decided, and before it is written the other worker has its visit, and a pass."""
        decision = decide(record, now, settings)
        if now == NOW - 60 and not entered.is_set():
            entered.set()
            thread = threading.Thread(target=with_store, args=(sqlite(tmp_path / "db"), let_in))
            thread.start()
            thread.join()
        return decision

    async def let_in(store: Store) -> None:
        assert await visit(store, "192.0.2.0/24", NOW + DELAY) == Accept()

    async def visits(store: Store) -> None:
        assert isinstance(await visit(store, "192.0.2.0/24", NOW), Refuse)
        assert await visit(store, "192.0.2.0/24", NOW - 60) == Accept()
        assert await visit(store, "192.0.2.0/24", NOW + DELAY + 1) == Accept()
        assert await visit(store, "192.0.2.0/24", NOW + 1) == Accept()

    monkeypatch.setattr(greylist_visit, "decide", decide_late)
    with_store(sqlite(tmp_path / "db"), visits)
    assert entered.is_set()


def test_nobody_loses_a_pass_in_redis(tmp_path: Path) -> None:
    """Two hosts meet the same networks at once, and one of their clocks is slow: who was let in by one stays in."""
    networks = [f"192.0.{number}.0/24" for number in range(100)]
    with RedisServer(tmp_path) as server:

        async def visits(slow: Store, right: Store) -> None:
            await asyncio.gather(*(visit(right, network, NOW) for network in networks))
            late = (visit(slow, network, NOW - 60) for network in networks)
            await asyncio.gather(*late, *(visit(right, network, NOW + DELAY) for network in networks))
            assert {await visit(slow, network, NOW + 1) for network in networks} == {Accept()}
            await right.close()

        other = redis(server.url)
        with_store(redis(server.url), lambda store: visits(store, other))


class Moving:
    """A Redis server under a name that leads to another one after a while."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, old: RedisServer, new: RedisServer) -> None:
        self._asked = socket.getaddrinfo
        self._ip = old.ip
        self._new = new
        monkeypatch.setattr(socket, "getaddrinfo", self._answer)
        self.store = redis(f"redis://redis.test:{old.port}/0")

    def move(self) -> None:
        """Let the name lead to the other one."""
        self._ip = self._new.ip

    def _answer(self, host: str, *rest: Any, **options: Any) -> Any:
        return self._asked(self._ip if host == "redis.test" else host, *rest, **options)


def test_a_server_that_was_demoted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The name leads to another server now, and the old one only reads: one visit fails, the next asks the new one."""
    with RedisServer(tmp_path) as old, RedisServer(tmp_path, port=old.port) as new:
        moving = Moving(monkeypatch, old, new)

        async def visits(store: Store) -> None:
            assert isinstance(await visit(store, "192.0.2.0/24", NOW), Refuse)
            old.ask(f"REPLICAOF {new.ip} {new.port}")
            moving.move()
            with pytest.raises(RedisError):
                await visit(store, "198.51.100.0/24", NOW)
            assert isinstance(await visit(store, "198.51.100.0/24", NOW), Refuse)
            assert new.ask("GET u1:{198.51.100.0/24}:g") == b"%d -" % NOW

        with_store(moving.store, visits)


def test_a_server_that_is_gone_in_silence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One visit waits for it, and not one for each connection that was open."""
    with RedisServer(tmp_path) as old, RedisServer(tmp_path, port=old.port) as new:
        moving = Moving(monkeypatch, old, new)

        async def visits(store: Store) -> None:
            await asyncio.gather(*(visit(store, f"192.0.{number}.0/24", NOW) for number in range(5)))
            old.stop()
            moving.move()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await visit(store, "198.51.100.0/24", NOW)
            await asyncio.gather(*(visit(store, f"198.51.{number}.0/24", NOW) for number in range(5)))
            assert new.ask("DBSIZE") == b":5"

        with_store(moving.store, visits)


def test_a_loop_goes_on_while_sqlite_waits(tmp_path: Path) -> None:
    """A lock holds up who must write, and nobody else."""
    db = tmp_path / "db"
    turns = 0

    async def visit_locked(store: Store) -> None:
        nonlocal turns
        await store.open()
        with closing(sqlite3.connect(db, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            waiting = asyncio.ensure_future(visit(store, "192.0.2.0/24", NOW))
            while not waiting.done():
                turns += 1
                await asyncio.sleep(0.001)
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                await waiting

    with_store(sqlite(db), visit_locked)
    assert turns > 10


def test_a_path_that_means_something_to_sqlite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``:memory:`` would forget everybody at once, and refuse them for ever; it is a file like any other."""
    monkeypatch.chdir(tmp_path)

    async def visits(store: Store) -> None:
        await visit(store, "192.0.2.0/24", NOW)

    with_store(sqlite(":memory:"), visits)
    assert rows(tmp_path / ":memory:")


def test_a_file_that_was_lost_meanwhile(tmp_path: Path) -> None:
    """After a failure the file is opened again, whatever is there now."""
    db = tmp_path / "db"

    async def visits(store: Store) -> None:
        await store.open()
        with closing(sqlite3.connect(db)) as other:
            other.execute("DROP TABLE greylist")
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            await visit(store, "192.0.2.0/24", NOW)
        assert isinstance(await visit(store, "192.0.2.0/24", NOW), Refuse)

    with_store(sqlite(db), visits)
    assert rows(db).keys() == {"192.0.2.0/24"}


def test_a_file_that_was_removed(tmp_path: Path) -> None:
    """A new one is begun, by everybody who uses it, and nothing is written where nobody would find it."""
    db = tmp_path / "db"

    async def visits(first: Store, second: Store) -> None:
        for network, store in (("192.0.2.0/24", first), ("198.51.100.0/24", second)):
            assert isinstance(await visit(store, network, NOW), Refuse)
        for file in tmp_path.iterdir():
            file.unlink()
        for network, store in (("198.51.100.0/24", first), ("192.0.2.0/24", second)):
            assert await visit(store, network, NOW + 100) == Refuse(451, b"Greylisted, try again in 300 seconds")
        await second.close()

    other = sqlite(db)
    with_store(sqlite(db), lambda store: visits(store, other))
    assert rows(db).keys() == {"192.0.2.0/24", "198.51.100.0/24"}


def test_redis_forgets_by_itself(tmp_path: Path) -> None:
    """A key lives as long as its record means anything."""
    with RedisServer(tmp_path) as server:

        async def visits(store: Store) -> None:
            await visit(store, "192.0.2.0/24", NOW)
            assert WINDOW - 10 < int(server.ask("TTL u1:{192.0.2.0/24}:g")[1:]) <= WINDOW + 1
            assert await visit(store, "192.0.2.0/24", NOW + DELAY) == Accept()
            assert MEMORY - 10 < int(server.ask("TTL u1:{192.0.2.0/24}:g")[1:]) <= MEMORY + 1
            assert server.ask("GET u1:{192.0.2.0/24}:g") == b"%d %d" % (NOW, NOW + DELAY)
            await visit(store, "2001:db8::/64", NOW + WINDOW)
            assert server.ask("GET u1:{2001:db8::/64}:g") == b"%d -" % (NOW + WINDOW)

        with_store(redis(server.url), visits)


#: RESP 3 came with redis 5.
_OLD = pytest.mark.skipif(int(version("redis").partition(".")[0]) < 5, reason="this redis knows one protocol")


@pytest.mark.parametrize(
    "options", ["", "?decode_responses=true", pytest.param("?protocol=3", marks=_OLD), "?db=1"], ids=str
)
def test_a_url_with_options(options: str, tmp_path: Path) -> None:
    """Whatever a URL may ask of the library, who has waited is let in."""
    with RedisServer(tmp_path) as server:

        async def visits(store: Store) -> None:
            assert isinstance(await visit(store, "192.0.2.0/24", NOW), Refuse)
            assert await visit(store, "192.0.2.0/24", NOW + DELAY) == Accept()

        with_store(redis(server.url + options), visits)


def test_a_unix_socket(tmp_path: Path) -> None:
    """A server on the same host needs no port."""
    place = tmp_path / "redis.sock"
    with RedisServer(tmp_path, "--unixsocket", str(place)):

        async def visits(store: Store) -> None:
            assert isinstance(await visit(store, "192.0.2.0/24", NOW), Refuse)
            assert await visit(store, "192.0.2.0/24", NOW + DELAY) == Accept()

        with_store(redis(f"unix://{place}?db=2"), visits)


@pytest.mark.parametrize("value", ["x", "1", "1 2 3", "1 x", "1 -2", "nan nan", "- 5", ""])
@pytest.mark.parametrize("key", ["u1:{192.0.2.0/24}:g", "greylist:192.0.2.0/24"])
def test_keys_of_somebody_else(key: str, value: str, tmp_path: Path) -> None:
    """They are neither read as records nor written over."""
    with RedisServer(tmp_path) as server:
        server.ask(f'SET {key} "{value}"')

        async def visits(store: Store) -> None:
            with pytest.raises(ValueError, match="something else under our keys"):
                await visit(store, "192.0.2.0/24", NOW)

        with_store(redis(server.url), visits)
        assert server.ask(f"GET {key}") == value.encode()
        assert server.ask("DBSIZE") == b":1"


def test_the_keys_of_an_older_release(tmp_path: Path) -> None:
    """Who is known by one is known, and who waits by one goes on to wait; what changes is written under the new key."""
    with RedisServer(tmp_path) as server:
        server.ask(f'SET greylist:192.0.2.0/24 "{NOW - 999} {NOW - MEMORY}" EX 999')
        server.ask(f'SET greylist:198.51.100.0/24 "{NOW - 10} -" EX 999')
        server.ask(f'SET greylist:203.0.113.0/24 "{NOW - 999} {NOW}" EX 999')

        async def visits(store: Store) -> None:
            assert await visit(store, "192.0.2.0/24", NOW) == Accept()
            assert await visit(store, "198.51.100.0/24", NOW) == Refuse(451, b"Greylisted, try again in 290 seconds")
            assert await visit(store, "203.0.113.0/24", NOW) == Accept()
            assert server.ask("EXISTS u1:{198.51.100.0/24}:g u1:{203.0.113.0/24}:g") == b":0"
            assert await visit(store, "198.51.100.0/24", NOW + DELAY) == Accept()

        with_store(redis(server.url), visits)
        assert server.ask("GET u1:{192.0.2.0/24}:g") == b"%d %d" % (NOW - 999, NOW)
        assert server.ask("GET u1:{198.51.100.0/24}:g") == b"%d %d" % (NOW - 10, NOW + DELAY)
        assert server.ask("GET greylist:198.51.100.0/24") == b"%d -" % (NOW - 10)


#: What the page of pygreylist asks for.
_ACL = (ROOT / "docs/pygreylist.rst").read_text().partition("ACL must allow ``")[2].partition("``")[0].split()


@pytest.mark.parametrize("left_out", [None, *_ACL])
def test_the_acl_of_the_manual(left_out: str | None, tmp_path: Path) -> None:
    """Nothing else is needed, and all of it is."""

    async def visits(store: Store) -> None:
        await store.open()
        assert isinstance(await visit(store, "192.0.2.0/24", NOW), Refuse)
        assert await visit(store, "192.0.2.0/24", NOW + DELAY) == Accept()

    with RedisServer(tmp_path) as server:
        server.ask(" ".join(("ACL SETUSER ucspi reset on >s3cret", *(rule for rule in _ACL if rule != left_out))))
        store = redis(server.url.replace("//", "//ucspi:s3cret@"))
        with pytest.raises(RedisError) if left_out else nullcontext():
            with_store(store, visits)


def test_a_server_that_knows_no_script(tmp_path: Path) -> None:
    """It has begun anew, or was told to forget them: it is told ours again, and nobody notices."""
    with RedisServer(tmp_path) as server:

        async def visits(store: Store) -> None:
            for later in (0, 100, 200):
                assert isinstance(await visit(store, "192.0.2.0/24", NOW + later), Refuse)
                assert server.ask("SCRIPT FLUSH") == b"+OK"
            assert await visit(store, "192.0.2.0/24", NOW + DELAY) == Accept()

        with_store(redis(server.url), visits)


#: A database as release 0.2.0 begins it.
_OLD_FILE = """
PRAGMA journal_mode = WAL;
CREATE TABLE greylist
  (network TEXT PRIMARY KEY, first INTEGER NOT NULL, passed INTEGER, expires INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX greylist_expires ON greylist (expires);
"""
_OLD_ROWS = [
    ("192.0.2.0/24", NOW - 999, NOW - 10, NOW - 10 + MEMORY),
    ("198.51.100.0/24", NOW - 10, None, NOW - 10 + WINDOW),
]


def schema_version(db: Path) -> list[tuple[str, int]]:
    """Which layouts the file says that it has."""
    with closing(sqlite3.connect(db)) as connection:
        return connection.execute("SELECT * FROM schema_version").fetchall()


def test_a_file_of_an_older_release(tmp_path: Path) -> None:
    """It is taken over: who is known is known, who waits goes on to wait, and it has a version from then on."""
    db = tmp_path / "db"
    with closing(sqlite3.connect(db)) as connection, connection:
        connection.executescript(_OLD_FILE)
        connection.executemany("INSERT INTO greylist VALUES (?, ?, ?, ?)", _OLD_ROWS)

    async def visits(store: Store) -> None:
        assert await visit(store, "192.0.2.0/24", NOW) == Accept()
        assert await visit(store, "198.51.100.0/24", NOW) == Refuse(451, b"Greylisted, try again in 290 seconds")

    for _ in range(2):
        with_store(sqlite(db), visits)
        assert schema_version(db) == [("greylist", 1)]


def test_a_file_of_a_later_release(tmp_path: Path) -> None:
    """It is neither read nor written: what its columns mean, nobody here knows."""
    db = tmp_path / "db"

    async def visits(store: Store) -> None:
        await visit(store, "192.0.2.0/24", NOW)

    with_store(sqlite(db), visits)
    with closing(sqlite3.connect(db)) as connection, connection:
        connection.execute("UPDATE schema_version SET version = 2")
    with pytest.raises(sqlite3.DatabaseError, match="table greylist has layout 2 of another release"):
        with_store(sqlite(db), visits)
    assert len(rows(db)) == 1
