"""The stores themselves: they stay small, hold nobody up, and keep what they were given."""

import asyncio
import socket
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from contextlib import closing, nullcontext
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from redis.exceptions import RedisError

from tests.support.redisserver import RedisServer
from ucspi_py.core.client.limits import NETWORK
from ucspi_py.core.greylist.network import Decision, Record, decide
from ucspi_py.core.greylist.settings import GreylistSettings
from ucspi_py.core.smtp.verdict import Accept, Refuse
from ucspi_py.system.screens.greylist import Store, store_of
from ucspi_py.system.store import redis as greylist_redis
from ucspi_py.system.store import sqlite as greylist_sqlite
from ucspi_py.system.store.redis import RedisStore
from ucspi_py.system.store.sqlite import SqliteStore

NOW = 1_800_000_000
DELAY, WINDOW, MEMORY = 300, 1_000, 10_000


def settings(store: object) -> GreylistSettings:
    """The settings with this store."""
    return GreylistSettings(str(store), DELAY, WINDOW, MEMORY, NETWORK, 60)


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
        assert isinstance(await store.visit("192.0.2.0/24", NOW), Refuse)
        assert isinstance(await store.visit("192.0.2.0/24", NOW + 10), Refuse)
        assert isinstance(await store.visit("198.51.100.0/24", NOW + 20), Refuse)
        assert await store.visit("192.0.2.0/24", NOW + DELAY) == Accept()

    with_store(SqliteStore(settings(tmp_path / "db")), visits)
    assert rows(tmp_path / "db") == {
        "192.0.2.0/24": (NOW, NOW + DELAY, NOW + DELAY + MEMORY),
        "198.51.100.0/24": (NOW + 20, None, NOW + 20 + WINDOW),
    }


def test_what_has_expired_goes(tmp_path: Path) -> None:
    """Two of the dead go with each new network, and nobody who is alive."""

    async def visits(store: Store) -> None:
        for number in range(20):
            await store.visit(f"old {number}", NOW)
        await store.visit("known", NOW)
        await store.visit("known", NOW + DELAY)
        for number in range(9):
            await store.visit(f"new {number}", NOW + WINDOW + 1)

    with_store(SqliteStore(settings(tmp_path / "db")), visits)
    left = rows(tmp_path / "db")
    assert len([network for network in left if network.startswith("old")]) == 2
    assert len([network for network in left if network.startswith("new")]) == 9
    assert "known" in left


def test_a_flood(tmp_path: Path) -> None:
    """The file has its size, and of too many networks those that would go first have gone."""
    pages = 20

    async def visits(store: Store) -> None:
        await store.visit("known", NOW)
        await store.visit("known", NOW + DELAY)
        for number in range(5_000):
            await store.visit(f"network {number}", NOW + DELAY + number // 100)

    with_store(SqliteStore(settings(tmp_path / "db"), pages), visits)
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
            await store.visit(f"network {next(numbers)}", NOW)
            assert total() < size + 100_000

    async def visits(store: Store) -> None:
        await store.visit("known", NOW)
        await store.visit("known", NOW + DELAY)
        with closing(sqlite3.connect(db, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM greylist").fetchall()
            for _ in range(2):
                with pytest.raises(sqlite3.OperationalError, match="it is full, and another program keeps reading it"):
                    await visit_until_full(store)
            assert await store.visit("known", NOW + DELAY) == Accept()
        for _ in range(100):
            await store.visit(f"network {next(numbers)}", NOW)
        assert total() < size

    with_store(SqliteStore(settings(db), size=size), visits)


@pytest.mark.parametrize("module", [greylist_sqlite, greylist_redis], ids=["sqlite", "redis"])
def test_nobody_loses_a_pass(module: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Another host, whose clock is right, lets a network in between our look and our write: in it stays."""
    with RedisServer(tmp_path) if module is greylist_redis else nullcontext() as server:
        place = server.url if server else str(tmp_path / "db")
        kind = store_of(place)
        entered = threading.Event()

        def decide_late(record: Record | None, now: int, settings: GreylistSettings) -> Decision:
            """Ours is decided, and before it is written the other host has its visit, and a pass."""
            decision = decide(record, now, settings)
            if now == NOW - 60 and not entered.is_set():
                entered.set()
                thread = threading.Thread(target=with_store, args=(kind(settings), let_in))
                thread.start()
                thread.join()
            return decision

        async def let_in(store: Store) -> None:
            assert await store.visit("192.0.2.0/24", NOW + DELAY) == Accept()

        async def visits(store: Store) -> None:
            assert isinstance(await store.visit("192.0.2.0/24", NOW), Refuse)
            assert await store.visit("192.0.2.0/24", NOW - 60) == Accept()
            assert await store.visit("192.0.2.0/24", NOW + DELAY + 1) == Accept()
            assert await store.visit("192.0.2.0/24", NOW + 1) == Accept()

        monkeypatch.setattr(module, "decide", decide_late)
        with_store(kind(settings(place)), visits)
        assert entered.is_set()


class Moving:
    """A Redis server under a name that leads to another one after a while."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, old: RedisServer, new: RedisServer) -> None:
        self._asked = socket.getaddrinfo
        self._ip = old.ip
        self._new = new
        monkeypatch.setattr(socket, "getaddrinfo", self._answer)
        self.store = RedisStore(settings(f"redis://redis.test:{old.port}/0"))

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
            assert isinstance(await store.visit("192.0.2.0/24", NOW), Refuse)
            old.ask(f"REPLICAOF {new.ip} {new.port}")
            moving.move()
            with pytest.raises(RedisError):
                await store.visit("198.51.100.0/24", NOW)
            assert isinstance(await store.visit("198.51.100.0/24", NOW), Refuse)
            assert new.ask("GET greylist:198.51.100.0/24") == b"%d -" % NOW

        with_store(moving.store, visits)


def test_a_server_that_is_gone_in_silence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One visit waits for it, and not one for each connection that was open."""
    with RedisServer(tmp_path) as old, RedisServer(tmp_path, port=old.port) as new:
        moving = Moving(monkeypatch, old, new)

        async def visits(store: Store) -> None:
            await asyncio.gather(*(store.visit(f"192.0.{number}.0/24", NOW) for number in range(5)))
            old.stop()
            moving.move()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await store.visit("198.51.100.0/24", NOW)
            await asyncio.gather(*(store.visit(f"198.51.{number}.0/24", NOW) for number in range(5)))
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
            visit = asyncio.ensure_future(store.visit("192.0.2.0/24", NOW))
            while not visit.done():
                turns += 1
                await asyncio.sleep(0.001)
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                await visit

    with_store(SqliteStore(settings(db)), visit_locked)
    assert turns > 10


def test_a_path_that_means_something_to_sqlite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``:memory:`` would forget everybody at once, and refuse them for ever; it is a file like any other."""
    monkeypatch.chdir(tmp_path)

    async def visit(store: Store) -> None:
        await store.visit("192.0.2.0/24", NOW)

    with_store(SqliteStore(settings(":memory:")), visit)
    assert rows(tmp_path / ":memory:")


def test_a_file_that_was_lost_meanwhile(tmp_path: Path) -> None:
    """After a failure the file is opened again, whatever is there now."""
    db = tmp_path / "db"

    async def visits(store: Store) -> None:
        await store.open()
        with closing(sqlite3.connect(db)) as other:
            other.execute("DROP TABLE greylist")
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            await store.visit("192.0.2.0/24", NOW)
        assert isinstance(await store.visit("192.0.2.0/24", NOW), Refuse)

    with_store(SqliteStore(settings(db)), visits)
    assert rows(db).keys() == {"192.0.2.0/24"}


def test_a_file_that_was_removed(tmp_path: Path) -> None:
    """A new one is begun, by everybody who uses it, and nothing is written where nobody would find it."""
    db = tmp_path / "db"

    async def visits(first: Store, second: Store) -> None:
        for network, store in (("192.0.2.0/24", first), ("198.51.100.0/24", second)):
            assert isinstance(await store.visit(network, NOW), Refuse)
        for file in tmp_path.iterdir():
            file.unlink()
        for network, store in (("198.51.100.0/24", first), ("192.0.2.0/24", second)):
            assert await store.visit(network, NOW + 100) == Refuse(451, b"Greylisted, try again in 300 seconds")
        await second.close()

    other = SqliteStore(settings(db))
    with_store(SqliteStore(settings(db)), lambda store: visits(store, other))
    assert rows(db).keys() == {"192.0.2.0/24", "198.51.100.0/24"}


def test_redis_forgets_by_itself(tmp_path: Path) -> None:
    """A key lives as long as its record means anything."""
    with RedisServer(tmp_path) as server:

        async def visits(store: Store) -> None:
            await store.visit("192.0.2.0/24", NOW)
            assert WINDOW - 10 < int(server.ask("TTL greylist:192.0.2.0/24")[1:]) <= WINDOW + 1
            assert await store.visit("192.0.2.0/24", NOW + DELAY) == Accept()
            assert MEMORY - 10 < int(server.ask("TTL greylist:192.0.2.0/24")[1:]) <= MEMORY + 1
            assert server.ask("GET greylist:192.0.2.0/24") == b"%d %d" % (NOW, NOW + DELAY)
            await store.visit("2001:db8::/64", NOW + WINDOW)
            assert server.ask("GET greylist:2001:db8::/64") == b"%d -" % (NOW + WINDOW)

        with_store(RedisStore(settings(server.url)), visits)


#: RESP 3 came with redis 5.
_OLD = pytest.mark.skipif(int(version("redis").partition(".")[0]) < 5, reason="this redis knows one protocol")


@pytest.mark.parametrize(
    "options", ["", "?decode_responses=true", pytest.param("?protocol=3", marks=_OLD), "?db=1"], ids=str
)
def test_a_url_with_options(options: str, tmp_path: Path) -> None:
    """Whatever a URL may ask of the library, who has waited is let in."""
    with RedisServer(tmp_path) as server:

        async def visits(store: Store) -> None:
            assert isinstance(await store.visit("192.0.2.0/24", NOW), Refuse)
            assert await store.visit("192.0.2.0/24", NOW + DELAY) == Accept()

        with_store(RedisStore(settings(server.url + options)), visits)


def test_a_unix_socket(tmp_path: Path) -> None:
    """A server on the same host needs no port."""
    place = tmp_path / "redis.sock"
    with RedisServer(tmp_path, "--unixsocket", str(place)):

        async def visits(store: Store) -> None:
            assert isinstance(await store.visit("192.0.2.0/24", NOW), Refuse)
            assert await store.visit("192.0.2.0/24", NOW + DELAY) == Accept()

        with_store(RedisStore(settings(f"unix://{place}?db=2")), visits)


@pytest.mark.parametrize("value", ["x", "1", "1 2 3", "1 x", "nan nan", ""])
def test_keys_of_somebody_else(value: str, tmp_path: Path) -> None:
    """They are neither read as records nor written over."""
    with RedisServer(tmp_path) as server:
        server.ask(f'SET greylist:192.0.2.0/24 "{value}"')

        async def visit(store: Store) -> None:
            with pytest.raises(ValueError, match="something else under our keys"):
                await store.visit("192.0.2.0/24", NOW)

        with_store(RedisStore(settings(server.url)), visit)
        assert server.ask("GET greylist:192.0.2.0/24") == value.encode()
