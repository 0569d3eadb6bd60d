"""pyrelay check, alone and absorbed: who may relay by a grant, what a rule says before it, what the program is told.

The combinations of grant, rule, zones and greylist; a store that fails lets nobody relay and lets everybody in.
"""

import os
import re
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from tests.support import nameserver
from tests.support.backends.known import Scripted
from tests.support.gate import MAIL, RCPT, STRANGER, gated
from tests.support.greylist import GREYLIST
from tests.support.greylist import made as greylist_made
from tests.support.nameserver import healthy, lists
from tests.support.programs import ours
from tests.support.redisserver import RedisServer
from tests.support.relay import RELAY, SAYS, grant, made
from tests.support.rules import cdb_of
from tests.support.server import QUIET, Server
from tests.support.smtp_client import shorts

#: Clients by the last octet of the address that they come from: who has a grant, and what a rule says of it.
RULES = """\
127.0.0.1:allow,TCPREMOTEIP="192.0.2.1"
127.0.0.2:allow,TCPREMOTEIP="192.0.2.2"
127.0.0.3:allow,TCPREMOTEIP="192.0.2.1",RELAYCLIENT="@rule"
127.0.0.4:allow,TCPREMOTEIP="192.0.2.1",RELAY="never"
127.0.0.5:deny,TCPREMOTEIP="192.0.2.1"
127.0.0.6:allow,TCPREMOTEIP="192.0.2.1",RBLSMTPD="-go away"
127.0.0.7:allow,TCPREMOTEIP="192.0.2.7",CHANNEL="outside"
127.0.0.8:allow,TCPREMOTEIP="2001:db8::8"
127.0.0.9:allow,TCPREMOTEIP="::ffff:192.0.2.1"
127.0.0.10:allow,TCPREMOTEIP="192.0.2.10"
"""
LISTED = {
    **lists("bl.example", "192.0.2.1", text="listed"),
    **lists("bl.example", "192.0.2.2", text="listed"),
}
GRANTED = b"RBLSMTPD=\nRELAYCLIENT=\nRELAYUSER=joe\nend\n"


@pytest.fixture(params=["sqlite", "redis"], scope="module")
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A ledger of each kind with the grants of these tests."""
    folder = tmp_path_factory.mktemp("ledger")
    with RedisServer(folder) as redis:
        place = made(folder / "db") if request.param == "sqlite" else redis.url
        grant(place, "192.0.2.1")
        grant(place, "192.0.2.7", b"ann", relayclient=b"@fixup", channel=b"granted")
        grant(place, "2001:db8::1")
        yield place


@pytest.fixture(scope="module")
def server(store: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """pytcpserver with pyrelay check before a program that says what it is told."""
    with serving(tmp_path_factory.mktemp("server"), (RELAY, "check", "-s", store, *SAYS)) as running:
        yield running


def serving(folder: Path, chain: Sequence[str], variables: Mapping[str, str] | None = None) -> Server:
    """pytcpserver with the rules before a chain."""
    env = {"PATH": os.environ["PATH"], **(variables or {})}
    return Server(ours("pytcpserver"), ("-x", cdb_of(RULES, folder), *QUIET), chain, folder, env=env)


CASES = [
    pytest.param("127.0.0.1", GRANTED, id="granted"),
    pytest.param("127.0.0.9", GRANTED, id="the same address, mapped"),
    pytest.param("127.0.0.8", GRANTED, id="another of its /64"),
    pytest.param("127.0.0.2", b"end\n", id="no grant, and no RELAYCLIENT, not an empty one either"),
    pytest.param("127.0.0.3", b"RELAYCLIENT=@rule\nend\n", id="a rule's RELAYCLIENT beats the grant's"),
    pytest.param("127.0.0.4", b"RELAY=never\nend\n", id='RELAY="never" beats a grant'),
    pytest.param("127.0.0.5", b"", id="deny beats a grant"),
    pytest.param(
        "127.0.0.6", b"RBLSMTPD=-go away\nRELAYCLIENT=\nRELAYUSER=joe\nend\n", id="a rule's RBLSMTPD stays as it is"
    ),
    pytest.param(
        "127.0.0.7", b"CHANNEL=granted\nRBLSMTPD=\nRELAYCLIENT=@fixup\nRELAYUSER=ann\nend\n", id="all that a grant says"
    ),
]


@pytest.mark.parametrize(("source", "expected"), CASES)
def test_what_the_program_is_told(server: Server, source: str, expected: bytes) -> None:
    """By a grant, and by what a rule says before it."""
    assert server.talk(source=source) == expected


@pytest.mark.parametrize(("source", "expected"), CASES)
def test_what_the_program_is_told_alone(store: str, source: str, expected: bytes) -> None:
    """The same as a process of its own, whose server has the rules; a denied client never comes to it."""
    (said,) = re.findall(rf"^{source}:(?:allow|(deny))(.*)$", RULES, re.MULTILINE)
    if said[0]:
        return
    variables = dict(re.findall(r',(\w+)="([^"]*)"', said[1]))

    done = alone(store, variables)

    assert done.stdout == expected
    assert (b"granted to" in done.stderr) == (b"RELAYUSER" in expected)


def alone(store: str, variables: Mapping[str, str]) -> "subprocess.CompletedProcess[bytes]":
    """pyrelay check as a process of its own."""
    return subprocess.run(
        [RELAY, "check", "-s", store, *SAYS],
        env={"PATH": os.environ["PATH"], **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )


def test_the_line_of_a_grant_that_counts(server: Server) -> None:
    """Who relays, since when it may, and for how long."""
    server.talk(source="127.0.0.1")

    assert re.search(
        rb"^relay: 192\.0\.2\.1 pid \d+: granted to joe by pop3, for \d+ more seconds$", server.log(), re.MULTILINE
    )


def test_zones_and_greylist_spare_who_is_granted(tmp_path: Path) -> None:
    """A roaming user comes from a network that lists know; strangers are refused by the list, others have to wait."""
    store = made(tmp_path / "relay")
    grant(store, "192.0.2.1")
    records = {**healthy("bl.example"), **LISTED}
    screens = (ours("pyrblsmtpd"), "-t0", "-r", "bl.example", GREYLIST, "-t0", "-s", greylist_made(tmp_path / "grey"))
    chain = (RELAY, "check", "-s", store, *screens, *SAYS)
    with (
        nameserver.running(records, tmp_path) as dns,
        serving(tmp_path, chain, {"DNSCACHEIP": dns}) as server,
    ):
        assert server.talk(source="127.0.0.1") == GRANTED
        assert server.talk(source="127.0.0.2").startswith(b"451 listed")
        assert server.talk(source="127.0.0.10").startswith(b"451 Greylisted")


def test_a_grant_ends(tmp_path: Path) -> None:
    """When its time is up, for whoever was served a moment ago; a login begins a new one."""
    store = made(tmp_path / "db")
    grant(store, "192.0.2.1")
    with serving(tmp_path, (RELAY, "check", "-s", store, *SAYS)) as server:
        assert server.talk() == GRANTED
        with closing(sqlite3.connect(store)) as connection, connection:
            (text,) = connection.execute("SELECT grants FROM relay").fetchone()
            expired = f"{int(text.split()[1])} {text.partition(' ')[2]}"
            connection.execute("UPDATE relay SET grants = ?", (expired,))
        assert server.talk() == b"end\n"
        grant(store, "192.0.2.1")
        assert server.talk() == GRANTED


@pytest.mark.parametrize("harm", ["missing", "damaged"])
def test_a_ledger_that_fails(tmp_path: Path, harm: str) -> None:
    """Everybody is served, nobody may relay, and the log says why, once a minute."""
    store = tmp_path / "db"
    if harm == "damaged":
        store.write_bytes(b"this is no database at all, whoever may have put it here" * 100)
    with serving(tmp_path, (RELAY, "check", "-s", str(store), *SAYS)) as server:
        server.wait_log(b"relay: warning: unable to use ")
        assert [server.talk() for _ in range(3)] == [b"end\n"] * 3
    assert server.log().count(b", no grant counts\n") == server.log().count(b"warning") >= 1


def test_what_else_stands_in_a_record(tmp_path: Path) -> None:
    """It never comes to a program: the record opens nothing, and is named."""
    store = made(tmp_path / "db")
    with closing(sqlite3.connect(store)) as connection, connection:
        row = ("192.0.2.1", "9999999999 1 1 1 pop3 joe x - - LD_PRELOAD=/tmp/evil.so\nEVIL=1", 1 << 40)
        connection.execute("INSERT INTO relay VALUES (?, ?, ?)", row)

    done = alone(store, {"TCPREMOTEIP": "192.0.2.1"})

    assert done.stdout == b"end\n"
    assert b"something else is kept there, and no grant" in done.stderr


def test_the_ledger_of_a_gate(backend: Scripted, tmp_path: Path) -> None:
    """relay_store: a stranger is refused; once it has a grant it may send anywhere, whatever lists say of it."""
    store = made(tmp_path / "relay")
    records = {**healthy("bl.example"), **lists("bl.example", "192.0.2.7", text="listed")}
    screen = (ours("pyrblsmtpd"), "-r", "bl.example")
    steps = [b"EHLO client.example.net", MAIL, RCPT, b"RCPT TO:<x@elsewhere.example>", b"QUIT"]
    with (
        nameserver.running(records, tmp_path) as dns,
        gated(
            backend.argv,
            tmp_path,
            parameters=(f"relay_store={store}",),
            screens=screen,
            variables={"DNSCACHEIP": dns},
        ) as gate,
    ):
        assert [reply[:3] for reply in shorts(gate.converse(steps, source=STRANGER))[2:4]] == ["451", "554"]
        runs = len(backend.visits())

        grant(store, "192.0.2.7", b"joe")

        assert [reply[:3] for reply in shorts(gate.converse(steps, source=STRANGER))[2:4]] == ["250", "250"]
        environment = backend.since(runs)[0].environment
    assert (environment[b"RELAYCLIENT"], environment[b"RELAYUSER"]) == (b"", b"joe")
