"""The ledger in either kind of store: grants are given and found by several processes; one that fails opens nothing."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from tests.support.redisserver import RedisServer, store_of
from ucspi_py.core.errors import Failure
from ucspi_py.core.ledger.address import ADDRESS, address
from ucspi_py.core.ledger.grant import Grant, How
from ucspi_py.core.ledger.settings import LedgerSettings
from ucspi_py.system.ledger.ledger import Entry, Granted, Ledger, Login, NotGranted
from ucspi_py.system.ledger.reader import LedgerReader

#: That a server answers late is for another file.
pytestmark = pytest.mark.usefixtures("patient")

V4, V6 = b"192.0.2.1", b"2001:db8:1:2:3::4"


@pytest.fixture(params=["sqlite", "redis"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty store of each kind."""
    with store_of(request.param, tmp_path / "db") as kept:
        yield kept


def login(ip: bytes = V4, user: bytes = b"joe", how: How = How.POP3) -> Login:
    """A user who has logged in from an address."""
    return Login(address(ip), how, user, b"tests")


@asynccontextmanager
async def both(place: str, settings: LedgerSettings | None = None) -> AsyncIterator[tuple[Ledger, LedgerReader]]:
    """Who grants, and who is asked, as two processes have them."""
    ledger, reader = Ledger(settings or LedgerSettings(place), 10.0), LedgerReader(place, pytest.fail)
    await ledger.open()
    await reader.open()
    try:
        yield ledger, reader
    finally:
        await ledger.close()
        await reader.close()


def names(grants: tuple[Grant, ...]) -> list[bytes]:
    """Whose grants these are."""
    return [one.user for one in grants]


def test_a_grant(place: str) -> None:
    """It is of the address of the login, in whichever form that was written, and of no other."""

    async def work() -> None:
        async with both(place) as (ledger, reader):
            assert await reader.grants(V4) == ()
            assert await ledger.grant(login(), 900) == Granted("192.0.2.1", 1)
            assert await ledger.grant(login(V4, b"ann"), 900) == Granted("192.0.2.1", 2)
            assert names(await reader.grants(V4)) == [b"joe", b"ann"]
            assert names(await reader.grants(b"::ffff:192.0.2.1")) == [b"joe", b"ann"]
            assert await reader.grants(b"192.0.2.2") == ()
            assert await reader.grants(b"unknown") == ()

    asyncio.run(work())


def test_networks_of_ipv6(place: str) -> None:
    """A grant is of the /64, or of the address alone; whoever is asked need not know which."""

    async def work() -> None:
        async with both(place) as (ledger, reader):
            assert await ledger.grant(login(V6), 900) == Granted("2001:db8:1:2::/64", 1)
            assert names(await reader.grants(b"2001:db8:1:2::5")) == [b"joe"]
            assert await reader.grants(b"2001:db8:1:3::5") == ()
        async with both(place, LedgerSettings(place, length=ADDRESS)) as (ledger, reader):
            assert await ledger.grant(login(V6, b"ann"), 900) == Granted("2001:db8:1:2:3::4", 1)
            assert names(await reader.grants(V6)) == [b"ann", b"joe"]
            assert names(await reader.grants(b"2001:db8:1:2::5")) == [b"joe"]

    asyncio.run(work())


def test_revoked(place: str) -> None:
    """Two users of one address: one revoked, still open; both, closed, and nothing is kept."""

    async def work() -> None:
        async with both(place) as (ledger, reader):
            for user in (b"joe", b"ann"):
                await ledger.grant(login(V4, user), 900)
            assert await ledger.revoke("192.0.2.1", b"joe") == 1
            assert names(await reader.grants(V4)) == [b"ann"]
            assert await ledger.revoke("192.0.2.1") == 1
            assert await reader.grants(V4) == ()
            assert await ledger.revoke("192.0.2.1") == 0
            assert [entry async for entry in ledger.entries()] == []

    asyncio.run(work())


def test_all_that_is_kept(place: str) -> None:
    """Each address once, however many there are."""

    async def work() -> None:
        async with both(place) as (ledger, _):
            ips = [f"198.51.{number // 200}.{number % 200}" for number in range(1203)]
            for ip in [*ips, "2001:db8::1"]:
                await ledger.grant(login(ip.encode()), 900)
            entries = [entry async for entry in ledger.entries()]
            assert {entry.key for entry in entries} == {*ips, "2001:db8::/64"}
            assert all(names(entry.grants) == [b"joe"] for entry in entries)

    asyncio.run(work())


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        (login(b"10.1.2.3"), "10.1.2.3 is private, or shared by the customers of a carrier"),
        (login(user=b"joe\nann"), "a name or a value has more than 320 bytes, or a control character"),
    ],
)
def test_what_is_not_granted(tmp_path: Path, wanted: Login, sentence: str) -> None:
    """It is said why, and nothing is kept."""

    async def work() -> None:
        async with both(str(tmp_path / "db")) as (ledger, _):
            assert await ledger.grant(wanted, 900) == NotGranted(sentence)
            assert [entry async for entry in ledger.entries()] == list[Entry]()

    asyncio.run(work())


def test_too_many_users_of_one_address(place: str) -> None:
    """The next gets no grant."""

    async def work() -> None:
        async with both(place, LedgerSettings(place, users=1)) as (ledger, _):
            assert await ledger.grant(login(), 900) == Granted("192.0.2.1", 1)
            told = await ledger.grant(login(user=b"ann"), 900)
            assert told == NotGranted("192.0.2.1 has grants of 1 users already")

    asyncio.run(work())


def test_logins_at_once(place: str) -> None:
    """None of a hundred is lost while what has expired is swept away, whichever process records it."""

    async def work() -> None:
        ledgers = [Ledger(LedgerSettings(place, users=200), 10.0) for _ in range(4)]
        await ledgers[0].grant(login(b"192.0.2.9", b"old"), 1)
        granting = (ledgers[number % 4].grant(login(user=b"%d" % number), 900) for number in range(100))
        await asyncio.gather(*granting)
        reader = LedgerReader(place, pytest.fail)
        assert {*names(await reader.grants(V4))} == {b"%d" % number for number in range(100)}
        await reader.close()
        for ledger in ledgers:
            await ledger.close()

    asyncio.run(work())


def test_two_hosts_on_one_server(tmp_path: Path) -> None:
    """What one of them grants, the other knows."""

    async def work(place: str) -> None:
        async with both(place) as (one, _), both(place) as (_, other):
            await one.grant(login(), 900)
            assert names(await other.grants(V4)) == [b"joe"]

    with RedisServer(tmp_path) as redis:
        asyncio.run(work(redis.url))
        life = int(redis.ask('TTL "u1:{192.0.2.0/24}:r:192.0.2.1"')[1:])

    assert 800 < life <= 900


#: Reads as another user, who may write neither the file nor its folder.
READ_ONLY = """
import asyncio, os, sys
from ucspi_py.system.ledger.reader import LedgerReader, reader
reader(sys.argv[1])
ledger = LedgerReader(sys.argv[1], sys.exit)
with asyncio.Runner() as runner:
    runner.get_loop()
    os.setgid(65534)
    os.setuid(65534)
    for _ in range(2):
        print([grant.user for grant in runner.run(ledger.grants(b"192.0.2.1"))], flush=True)
        sys.stdin.readline()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
@pytest.mark.parametrize("is_open", [True, False])
def test_a_reader_that_cannot_write(tmp_path: Path, *, is_open: bool) -> None:
    """It sees each grant at once, whether somebody has the file open or nobody has."""
    place = tmp_path / "db"

    async def begin() -> Ledger:
        ledger = Ledger(LedgerSettings(str(place)), 10.0)
        await ledger.grant(login(), 900)
        if not is_open:
            await ledger.close()
        return ledger

    with asyncio.Runner() as runner:
        ledger = runner.run(begin())
        for folder in (tmp_path, *tmp_path.parents[:2]):
            folder.chmod(folder.stat().st_mode | 0o055)
        with subprocess.Popen(
            [sys.executable, "-c", READ_ONLY, place], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as reading:
            assert reading.stdin is not None
            assert reading.stdout is not None
            first = reading.stdout.readline()
            if not is_open:
                ledger = Ledger(LedgerSettings(str(place)), 10.0)
            runner.run(ledger.grant(login(user=b"ann"), 900))
            reading.stdin.write(b"\n\n")
            reading.stdin.flush()
            second = reading.stdout.readline()
        runner.run(ledger.close())

    assert (first, second) == (b"[b'joe']\n", b"[b'joe', b'ann']\n")


@pytest.mark.parametrize("harm", ["missing", "damaged", "of another"])
def test_a_store_that_fails(tmp_path: Path, harm: str) -> None:
    """Nobody is granted anything, and one reason is heard; whoever grants hears it each time."""
    place, reasons = tmp_path / "missing" / "db", list[str]()
    if harm != "missing":
        place.parent.mkdir()
        place.write_bytes(b"no database, and long enough to be seen to be none" * 100)
    if harm == "of another":
        place.unlink()
        place.mkdir()

    async def work() -> None:
        reader = LedgerReader(str(place), reasons.append)
        assert await reader.grants(V4) == ()
        assert await reader.grants(V4) == ()
        ledger = Ledger(LedgerSettings(str(place)), 10.0)
        for _ in range(2):
            with pytest.raises(Failure, match="unable to use"):
                await ledger.grant(login(), 900)

    asyncio.run(work())
    assert len(reasons) == 1


def test_a_store_that_somebody_else_writes(tmp_path: Path) -> None:
    """Grants count meanwhile; a new one waits for as long as it may."""
    place = str(tmp_path / "db")

    async def work() -> None:
        async with both(place) as (ledger, reader):
            await ledger.grant(login(), 900)
            hasty = Ledger(LedgerSettings(place), 0.3)
            with closing(sqlite3.connect(place, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                assert names(await reader.grants(V4)) == [b"joe"]
                with pytest.raises(Failure, match=r"unable to use .*(is locked|timed out)"):
                    await hasty.grant(login(user=b"ann"), 900)
            await hasty.grant(login(user=b"ann"), 900)
            assert names(await reader.grants(V4)) == [b"joe", b"ann"]
            await hasty.close()

    asyncio.run(work())


#: Grants as many as it is told to, from a process of its own.
GRANTING = """
import asyncio, resource, sys
from ucspi_py.core.ledger.address import address
from ucspi_py.core.ledger.grant import How
from ucspi_py.core.ledger.settings import LedgerSettings
from ucspi_py.system.ledger.ledger import Ledger, Login
place, first, number, size = sys.argv[1], *map(int, sys.argv[2:])
if size:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
async def work():
    ledger = Ledger(LedgerSettings(place, users=1000), 10.0)
    for user in range(first, first + number):
        await ledger.grant(Login(address(b"192.0.2.1"), How.POP3, b"%d" % user, b"tests"), 900)
    await ledger.close()
asyncio.run(work())
"""


def granting(place: str, first: int, number: int, size: int = 0) -> "subprocess.Popen[bytes]":
    """Begin to grant in another process. size: bytes that a file may have there; 0 = any."""
    words = (sys.executable, "-c", GRANTING, place, *map(str, (first, number, size)))
    return subprocess.Popen(words, stderr=subprocess.PIPE)


def test_logins_at_once_in_many_processes(tmp_path: Path) -> None:
    """None is lost, where each login has a process of its own."""
    place = str(tmp_path / "db")
    processes = [granting(place, 50 * number, 50) for number in range(2)]
    ends = [process.communicate()[1] for process in processes]

    found = asyncio.run(LedgerReader(place, pytest.fail).grants(V4))

    assert ends == [b""] * 2
    assert {*names(found)} == {b"%d" % number for number in range(100)}


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    """Whoever grants is told; grants that there are still count."""
    place = str(tmp_path / "db")

    async def work() -> None:
        async with both(place) as (ledger, reader):
            await ledger.grant(login(), 900)
            process = granting(place, 0, 200, 1 << 15)
            assert b"Failure: unable to use " in process.communicate()[1]
            assert b"joe" in names(await reader.grants(V4))

    asyncio.run(work())


def test_what_check_may_ask_of_a_server(tmp_path: Path) -> None:
    """An ACL that lets read alone is enough."""
    reasons = list[str]()

    async def work(redis: RedisServer) -> None:
        granting = Ledger(LedgerSettings(redis.url), 10.0)
        await granting.grant(login(), 900)
        await granting.close()
        redis.ask("ACL SETUSER check on >secret ~u1:* +ping +mget +get")
        url = redis.url.replace("redis://", "redis://check:secret@")
        reader, writing = LedgerReader(url, reasons.append), Ledger(LedgerSettings(url), 10.0)
        await reader.open()
        assert names(await reader.grants(V4)) == [b"joe"]
        with pytest.raises(Failure, match="permission") as refused:
            await writing.grant(login(user=b"ann"), 900)
        assert "secret" not in refused.value.sentence
        await reader.close()
        await writing.close()

    with RedisServer(tmp_path) as redis:
        asyncio.run(work(redis))

    assert reasons == []


def test_a_look_is_no_login(place: str) -> None:
    """However often somebody sends, the grant ends when it would have."""

    async def work() -> None:
        async with both(place) as (ledger, reader):
            await ledger.grant(login(), 900)
            first = await reader.grants(V4)
            assert [await reader.grants(V4) for _ in range(3)] == [first] * 3
            assert [entry.grants async for entry in ledger.entries()] == [first]

    asyncio.run(work())


def test_a_record_that_somebody_else_has_written(tmp_path: Path) -> None:
    """It opens nothing, and is said; the grants of others count all the while."""
    reasons = list[str]()

    async def work(redis: RedisServer) -> None:
        reader = LedgerReader(redis.url, reasons.append)
        redis.ask('SET "u1:{192.0.2.0/24}:r:192.0.2.1" "LD_PRELOAD=/tmp/evil.so"')
        ledger = Ledger(LedgerSettings(redis.url), 10.0)
        await ledger.grant(login(b"192.0.2.2"), 900)
        with pytest.raises(Failure, match=r"192\.0\.2\.1: something else is kept there"):
            assert [entry async for entry in ledger.entries()] == []
        await ledger.close()
        assert await reader.grants(V4) == ()
        assert names(await reader.grants(b"192.0.2.2")) == [b"joe"]
        await reader.close()

    with RedisServer(tmp_path) as redis:
        asyncio.run(work(redis))

    assert reasons == ["something else is kept there, and no grant"]
