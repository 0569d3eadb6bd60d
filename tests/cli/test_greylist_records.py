"""pygreylist's commands: records of greylists as an operator lists, shows, forgets and writes them, in each store."""

import asyncio
import json
import os
import re
import sqlite3
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.greylist import GREYLIST
from tests.support.in_process import Command, command_of
from tests.support.redisserver import RedisServer
from tests.support.rules_tools import Run
from ucspi_py.cli.greylist import commands
from ucspi_py.cli.greylist.spans import span
from ucspi_py.core.client.limits import NETWORK
from ucspi_py.core.greylist.attempt import Deferred, Passed
from ucspi_py.core.greylist.settings import GreylistSettings
from ucspi_py.core.greylist.triplet.changes import CLIENTS, TRIPLETS, ClientPass, ClientVisit, TripletVisit
from ucspi_py.core.greylist.triplet.key import triplet_key
from ucspi_py.core.greylist.triplet.settings import TripletSettings
from ucspi_py.core.greylist.visit import TENANT, Visit
from ucspi_py.core.smtp.verdict import Accept, Refuse
from ucspi_py.core.store.change import Change
from ucspi_py.system.store.records import keeper

NOW = int(time.time())
#: When what is written by hand meanwhile is of the past.
LATER = NOW + 86_400
SETTINGS = GreylistSettings("db", 300, 172_800, 3_024_000, NETWORK, 60)
TRIPLET = TripletSettings("db")
TENANTS = (TENANT, TRIPLETS, CLIENTS)
LETTER = ("joe@example.org", "ann@example.net")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Valkey or Redis server."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture(params=["sqlite", "redis"])
def store(request: pytest.FixtureRequest, server: RedisServer, tmp_path: Path) -> str:
    """A store of each kind, with nobody in it."""
    if request.param == "redis":
        server.empty()
        return server.url
    update(str(tmp_path / "db"), [])
    return str(tmp_path / "db")


def update(place: str, changes: Iterable[tuple[str, Change[Any]]]) -> list[Any]:
    """What becomes of visits."""

    async def updates() -> list[Any]:
        kept = keeper(place)(place, TENANTS)
        await kept.open()
        try:
            return [await kept.update(key, change) for key, change in changes]
        finally:
            await kept.close()

    return asyncio.run(updates())


def key(identity: str) -> str:
    """That of the triplet of LETTER."""
    sender, recipient = LETTER
    return triplet_key(identity.encode(), sender.encode(), recipient.encode())


def insert(path: str, number: int) -> None:
    """So many networks that wait, in a file."""
    rows = ((f"10.{one >> 8}.{one & 255}.0/24", NOW, NOW + 172_800) for one in range(number))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany("INSERT INTO greylist VALUES (?, ?, NULL, ?)", rows)


def fill(place: str) -> None:
    """Of two networks each kind of record; the first one has been let in."""
    update(
        place,
        [
            ("192.0.2.0/24", Visit(NOW - 1000, SETTINGS)),
            ("192.0.2.0/24", Visit(NOW - 500, SETTINGS)),
            ("198.51.100.0/24", Visit(NOW - 1000, SETTINGS)),
            (key("192.0.2.0/24"), TripletVisit(NOW - 1000, TRIPLET)),
            (key("192.0.2.0/24"), TripletVisit(NOW - 400, TRIPLET)),
            (key("198.51.100.0/24"), TripletVisit(int(time.time()), TRIPLET)),
            ("192.0.2.0/24", ClientPass(NOW, TRIPLET)),
            ("198.51.100.9", ClientPass(NOW, TRIPLET)),
        ],
    )


@pytest.fixture
def pygreylist(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Command:
    """Runs a command of pygreylist in this process."""
    return command_of("pygreylist", commands.main, monkeypatch, capfdbinary)


def told(done: Run) -> list[dict[str, Any]]:
    """The records of --json."""
    assert done.stderr == b""
    records: list[dict[str, Any]] = json.loads(done.stdout)
    assert done.returncode == (0 if records else 1)
    return records


def keys(done: Run) -> set[str]:
    """The keys of the records of --json."""
    return {one["key"] for one in told(done)}


def test_all_are_listed(pygreylist: Command, store: str) -> None:
    """Of each kind, with the times that it keeps; or of one kind alone."""
    fill(store)

    found = {(one["kind"], one["key"]): one for one in told(pygreylist("list", "-s", store, "--json"))}

    network = found["network", "192.0.2.0/24"]
    assert (network["first"], network["last"], network["waited"]) == (NOW - 1000, NOW - 500, 500)
    assert network["expires"] > NOW + 3_000_000
    waiting = found["network", "198.51.100.0/24"]
    assert (waiting["first"], waiting["last"], waiting["waited"]) == (NOW - 1000, None, None)
    triplet = found["triplet", key("192.0.2.0/24")]
    assert (triplet["first"], triplet["last"], triplet["waited"]) == (NOW - 1000, NOW - 400, 600)
    assert found["client", "198.51.100.9"]["passes"] == 1
    assert len(found) == 6
    assert keys(pygreylist("list", "-s", store, "--json", "--kind", "client")) == {"192.0.2.0/24", "198.51.100.9"}


def test_a_table(pygreylist: Command, store: str) -> None:
    """For people, with times as they read them."""
    fill(store)

    lines = pygreylist("list", "-s", store).stdout.decode().splitlines()

    heads, *rows = [re.sub(r"\d+ (s|min|h|d)\b", "T", " ".join(line.split())) for line in lines]
    assert heads == "kind record state first visit let in waited ends"
    assert rows.count("network 192.0.2.0/24 let in T ago T ago T in T") == 1
    assert rows.count("network 198.51.100.0/24 waiting T ago in T") == 1
    assert rows.count("client 198.51.100.9 passes 1 T ago in T") == 1
    assert len(rows) == 6


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("192.0.2.7",), {"192.0.2.0/24", key("192.0.2.0/24")}),
        (("192.0.2.0/24", "--kind", "network"), {"192.0.2.0/24"}),
        (("192.0.0.0/16", "--kind", "triplet"), {key("192.0.2.0/24")}),
        (("198.51.100.9", "--kind", "client"), {"198.51.100.9"}),
        (("198.51.100.8", "--kind", "client"), set()),
        (("192.0.2.7", *LETTER), {key("192.0.2.0/24")}),
        (("192.0.2.7", "<joe@example.org>", "ANN@example.net"), {key("192.0.2.0/24")}),
        (("192.0.2.7", "<>", "ann@example.net"), set()),
        (("203.0.113.1",), set()),
        (("example.org",), set()),
    ],
    ids=str,
)
def test_shown(words: tuple[str, ...], expected: set[str], pygreylist: Command, store: str) -> None:
    """What is around an address and within a network, and the triplet of a letter."""
    fill(store)

    assert keys(pygreylist("show", "-s", store, "--json", *words)) == expected


def test_forgotten(pygreylist: Command, store: str) -> None:
    """It has to wait once more, and nobody else."""
    fill(store)

    assert pygreylist("forget", "-s", store, "192.0.2.7", *LETTER).stdout == b"forgot 1\n"
    assert pygreylist("forget", "-s", store, "192.0.2.7").stdout == b"forgot 2\n"
    again = pygreylist("forget", "-s", store, "192.0.2.7")

    assert (again.returncode, again.stdout) == (1, b"forgot 0\n")
    assert keys(pygreylist("list", "-s", store, "--json")) == {
        "198.51.100.0/24",
        "198.51.100.9",
        key("198.51.100.0/24"),
    }
    assert isinstance(update(store, [("192.0.2.0/24", Visit(NOW, SETTINGS))])[0], Refuse)


def test_many_are_forgotten(pygreylist: Command, store: str, server: RedisServer) -> None:
    """More than are forgotten at once."""
    if store == server.url:
        server.ask(
            "EVAL \"for n=0,1099 do local net = '10.'..math.floor(n/256)..'.'..(n%256)..'.0/24'; "
            "redis.call('SET', 'u1:{'..net..'}:g', '1 -') end\" 0"
        )
    else:
        insert(store, 1_100)
    fill(store)

    assert pygreylist("forget", "-s", store, "10.0.0.0/8").stdout == b"forgot 1100\n"
    assert len(keys(pygreylist("list", "-s", store, "--json", "--kind", "network"))) == 2


def test_a_network_that_is_allowed(pygreylist: Command, store: str) -> None:
    """Either greylist lets it in, whatever was known of it; by address pypostgrey too."""
    fill(store)

    assert pygreylist("allow", "-s", store, "198.51.100.7").stdout == b"allowed 198.51.100.0/24\n"

    assert update(
        store,
        [
            ("198.51.100.0/24", Visit(LATER, SETTINGS)),
            ("198.51.100.0/24", ClientVisit(LATER, TRIPLET)),
            ("198.51.100.7", ClientVisit(LATER, TRIPLET)),
            ("198.51.100.8", ClientVisit(LATER, TRIPLET)),
        ],
    ) == [Accept(), True, True, False]


def test_a_triplet_that_is_allowed(pygreylist: Command, store: str) -> None:
    """That one alone, whatever the delay of the greylist is."""
    fill(store)

    assert pygreylist("allow", "-s", store, "198.51.100.7", *LETTER).stdout == b"allowed 198.51.100.0/24\n"
    assert pygreylist("allow", "-s", store, "Example.org", *LETTER).stdout == b"allowed example.org\n"

    slow = TripletSettings("db", delay=86_400)
    assert update(
        store,
        [
            (key("198.51.100.0/24"), TripletVisit(LATER, slow)),
            (key("example.org"), TripletVisit(LATER, slow)),
            (key("203.0.113.0/24"), TripletVisit(LATER, slow)),
            ("198.51.100.0/24", ClientVisit(LATER, slow)),
        ],
    ) == [Passed(b"triplet found"), Passed(b"triplet found"), Deferred(86_400, True), False]


def test_the_networks_of_the_greylist_are_allowed(pygreylist: Command, store: str) -> None:
    """All in a larger one, by its own prefixes."""
    done = pygreylist("allow", "-s", store, "-n", "26/48", "192.0.2.0/25")

    assert done.stdout == b"allowed 192.0.2.0/26\nallowed 192.0.2.64/26\n"
    assert keys(pygreylist("list", "-s", store, "--json")) == {"192.0.2.0/26", "192.0.2.64/26"}


def test_a_report(pygreylist: Command, store: str) -> None:
    """Of each kind how many came back, and how long that took; what was let in by hand is none of it."""
    fill(store)
    pygreylist("allow", "-s", store, "203.0.113.1")

    report = json.loads(pygreylist("report", "-s", store, "--json").stdout)
    lines = pygreylist("report", "-s", store, "-d", "90000").stdout.decode().splitlines()

    assert report["network"]["recent"] == {"let_in": 1, "never": 1, "waiting": 0}
    assert report["triplet"]["recent"] == {"let_in": 1, "never": 0, "waiting": 1}
    assert report["triplet"]["quantiles"]["50"] == 600
    assert report["network"]["bars"] == [{"seconds": 600, "visits": 1}]
    words = [" ".join(line.split()) for line in lines[: len(lines) // 2]]
    assert words[0] == "networks: 2, first visits of the last 2 d: 2"
    assert words[1:5] == [
        "let in since 1 50 %",
        "not back after 25 h 0 0 %",
        "still have to wait 1 50 %",
        "delay of 1, not known of 0",
    ]
    assert words[-1] == f"to 10 min {'#' * 40} 1"
    assert lines[len(lines) // 2].startswith("triplets: 2,")


def test_a_report_of_nothing(pygreylist: Command, store: str) -> None:
    """There is nothing to tell, and the exit code says so."""
    done = pygreylist("report", "-s", store)
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"")


def test_what_has_expired_is_not_there(pygreylist: Command, tmp_path: Path) -> None:
    """A file may still have it."""
    db = str(tmp_path / "db")
    update(db, [("192.0.2.0/24", Visit(NOW - 172_801, SETTINGS)), ("198.51.100.0/24", Visit(NOW, SETTINGS))])

    assert keys(pygreylist("list", "-s", db, "--json")) == {"198.51.100.0/24"}
    assert pygreylist("show", "-s", db, "192.0.2.0/24").returncode == 1


def test_a_file_is_read_as_it_is(pygreylist: Command, tmp_path: Path) -> None:
    """Whoever only looks makes no table, and no file either; not even to write one."""
    db = tmp_path / "db"
    for command in (("list",), ("report",), ("show", "192.0.2.7"), ("forget", "192.0.2.7"), ("allow", "192.0.2.7")):
        done = pygreylist(command[0], "-s", db, *command[1:])
        assert (done.returncode, done.stdout) == (111, b"")
        assert done.stderr == f"greylist: fatal: unable to use {db}: file does not exist\n".encode()
    assert not os.listdir(tmp_path)

    db.write_bytes(b"")
    for command in (("list",), ("show", "192.0.2.7"), ("forget", "192.0.2.7"), ("report",)):
        assert pygreylist(command[0], "-s", db, *command[1:]).returncode == 1
    assert db.read_bytes() == b""


@pytest.mark.parametrize("command", [("list",), ("forget", "192.0.2.7"), ("allow", "192.0.2.7")], ids=str)
def test_a_store_that_cannot_be_used(command: tuple[str, ...], pygreylist: Command, tmp_path: Path) -> None:
    """It is named, without its password."""
    (tmp_path / "db").write_bytes(b"no database" * 1000)
    for store, shown in (
        (str(tmp_path / "db"), str(tmp_path / "db")),
        ("redis://:s3cret@127.0.0.1:1/0", "redis://127.0.0.1:1/0"),
    ):
        done = pygreylist(command[0], "-s", store, *command[1:])
        assert done.returncode == 111
        assert done.stdout == b""
        assert f" {shown}: ".encode() in done.stderr
        assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("list",), b""),
        (("list", "-s", "http://s3cret@h/"), b"-s is not "),
        (("show", "-s", "STORE"), b""),
        (("show", "-s", "STORE", "192.0.2"), b"192.0.2 is no address, no network and no domain"),
        (("show", "-s", "STORE", "192.0.2.7", "joe@example.org"), b"behind a SENDER a RECIPIENT is needed"),
        (("forget", "-s", "STORE", "0.0.0.0/0"), b"0.0.0.0/0 is more than 65536 networks"),
        (("allow", "-s", "STORE", "10.0.0.0/8"), b"10.0.0.0/8 is more than 256 networks"),
        (("allow", "-s", "STORE", "example.org"), b"of a domain, triplets alone can be let in"),
        (("allow", "-s", "STORE", "-n", "33", "192.0.2.7"), b"-n takes prefix lengths"),
        (("report", "-s", "STORE", "-d", "0"), b"-d must be a number"),
    ],
    ids=str,
)
def test_what_is_asked_wrongly(words: tuple[str, ...], complaint: bytes, pygreylist: Command, tmp_path: Path) -> None:
    """A sentence and a usage line, and nothing is changed."""
    update(str(tmp_path / "db"), [])
    done = pygreylist(*(str(tmp_path / "db") if word == "STORE" else word for word in words))

    assert (done.returncode, done.stdout) == (100, b"")
    assert complaint in done.stderr
    assert b"greylist: usage: greylist command -s store " in done.stderr
    assert b"s3cret" not in done.stderr


def test_who_has_read_enough_is_no_failure(tmp_path: Path) -> None:
    """As of head: no word on standard error."""
    db = str(tmp_path / "db")
    update(db, [])
    insert(db, 1_500)

    for more in ((), ("--json",)):
        with subprocess.Popen(
            [GREYLIST, "list", "-s", db, *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            assert process.stdout
            assert process.stderr
            assert process.stdout.read(10)
            process.stdout.close()
            assert process.stderr.read() == b""


def test_the_screen_stays_as_it_is(tmp_path: Path) -> None:
    """A program behind it may have the name of a command."""
    program = tmp_path / "list"
    program.write_text("#!/bin/sh\necho welcome\n")
    program.chmod(0o755)

    done = subprocess.run(
        [GREYLIST, "-s", str(tmp_path / "db"), "list"],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "TCPREMOTEIP": "192.0.2.7", "RELAYCLIENT": ""},
        capture_output=True,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, b"welcome\n", b"")


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7_199, "119 min"),
        (7_200, "2 h"),
        (172_799, "47 h"),
        (172_800, "2 d"),
    ],
)
def test_spans(seconds: int, expected: str) -> None:
    """In one unit, at least two of it."""
    assert span(seconds) == expected
