"""check_greylist at the gate, in a worker of pytcpserver and alone: cases 67 to 72."""

import re
import signal
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support import greylist as networks
from tests.support import triplets
from tests.support.backends.known import Scripted
from tests.support.gate import LOCAL, MAIL, RCPT, RELAY, STRANGER, Gate, gated
from tests.support.nameserver import NameServer, Records, serving
from tests.support.programs import ours, theirs
from tests.support.redisserver import RedisServer
from tests.support.smtp_client import Content
from tests.support.waiting import until

EHLO = b"EHLO client.example.com"
SECOND = b"RCPT TO:<second@example.org>"
BODY = Content(b"Subject: x\r\n\r\nbody\r\n.\r\n")
RULES = """\
127.0.0.1:allow,TCPREMOTEIP="192.0.2.7"
127.0.0.2:allow,TCPREMOTEIP="192.0.2.8",RELAYCLIENT=""
127.0.0.4:allow,TCPREMOTEIP="198.51.100.7"
127.0.0.5:allow,TCPREMOTEIP="203.0.113.7",GREYLIST=""
127.0.0.6:allow,TCPREMOTEIP="2001:db8::1"
127.0.0.7:allow,TCPREMOTEIP="2001:db8::2"
127.0.0.8:allow,TCPREMOTEIP="192.0.2.200"
:allow
"""
#: The same organisation elsewhere; a rule's friend; two hosts of one /64; a neighbour of the stranger.
ELSEWHERE, FRIEND, SIX, SIXTH, NEIGHBOUR = "127.0.0.4", "127.0.0.5", "127.0.0.6", "127.0.0.7", "127.0.0.8"
DNS: Records = {
    "7.2.0.192.in-addr.arpa PTR": ["mx1.pool.example.net."],
    "mx1.pool.example.net A": ["192.0.2.7"],
    "7.100.51.198.in-addr.arpa PTR": ["mx2.pool.example.net."],
    "mx2.pool.example.net A": ["198.51.100.7"],
}
DEFERRED = b"450 4.2.0 <r@example.org>: Recipient address rejected: Greylisted, try again in N seconds"
HOUR, DAY = 3600, 86400
USERS = ("r", "s", "second", "postmaster", "abuse")


class World(NamedTuple):
    """A gate, its backend and its store."""

    gate: Gate
    backend: Scripted
    db: Path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NameServer]:
    """The name server of all clients."""
    with serving(DNS, tmp_path_factory.mktemp("dns")) as found:
        yield found


def parameters(store: str, *more: str) -> Sequence[str]:
    """Lists as the guides have them, check_greylist last but one."""
    return (
        "compatibility_level=3.6",
        "myhostname=mx.example.org",
        "mydestination=example.org",
        f"local_recipient_maps=inline:{{ {', '.join(f'{user}@example.org=x' for user in USERS)} }}",
        "smtpd_error_sleep_time=0",
        "mynetworks=127.0.0.9",
        "smtpd_recipient_restrictions=permit_mynetworks, reject_unauth_destination, "
        f"check_greylist {store}, check_recipient_access inline:{{ {{s@example.org=REJECT not s}} }}",
        *more,
    )


@pytest.fixture(scope="module")
def shared(backend: Scripted, server: NameServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A gate that most tests share."""
    folder = tmp_path_factory.mktemp("greylist")
    db = triplets.made(folder / "db")
    dns = {"DNSCACHEIP": server.address}
    with gated(backend.argv, folder, parameters=parameters(str(db)), rules=RULES, variables=dns) as gate:
        yield World(gate, backend, db)


@pytest.fixture
def world(shared: World) -> World:
    """It, and nobody has come before."""
    triplets.forget(shared.db)
    shared.backend.does()
    return shared


def heard(gate: Gate, source: str = STRANGER, mail: bytes = MAIL, rcpt: bytes = RCPT, hello: bytes = EHLO) -> bytes:
    """What a client hears of a recipient, the number of seconds masked."""
    said = gate.converse([hello, mail, rcpt, b"QUIT"], source=source)[2]
    return re.sub(rb"in \d+ seconds", b"in N seconds", said)


def is_let_in(gate: Gate, source: str = STRANGER, mail: bytes = MAIL, rcpt: bytes = RCPT, hello: bytes = EHLO) -> bool:
    """Whether a recipient of a client is taken by the backend."""
    said = heard(gate, source, mail, rcpt, hello)
    assert said.startswith((b"250 ", DEFERRED[:9])), said
    return said.startswith(b"250 ")


def sender(address: bytes) -> bytes:
    """MAIL of a sender."""
    return b"MAIL FROM:<%b>" % address


def test_case_67_a_triplet_waits_once(world: World) -> None:
    """No backend is started meanwhile; a retry that is too early waits on; the message is told of its wait."""
    gate, backend, db = world
    mark, runs = gate.mark(), len(backend.visits())
    assert heard(gate) == DEFERRED
    triplets.grow_older(db, 290)
    assert heard(gate) == DEFERRED
    assert backend.since(runs) == []
    triplets.grow_older(db, 10)
    told = gate.converse([EHLO, MAIL, RCPT, b"DATA", BODY, b"QUIT"])
    assert [line[:3] for line in told] == [b"250", b"250", b"250", b"354", b"250", b"221"]
    assert is_let_in(gate)

    first, _ = backend.since(runs)
    assert (
        len(re.findall(rb"^X-Greylist: delayed 30\d seconds by pysmtpgate-\S+ at mx.example.org; ", first.input, re.M))
        == 1
    )
    said = re.findall(rb"action=[^;]*", gate.since(mark))
    assert [re.sub(rb"\d+", b"N", one) for one in said] == [
        b"action=greylist, reason=new",
        b"action=greylist, reason=early-retry (Ns missing)",
        b"action=pass, reason=triplet found, delay=N",
        b"action=pass, reason=triplet found",
    ]


def test_case_67_who_comes_back_after_two_days_is_new(world: World) -> None:
    """The retry window is over."""
    assert not is_let_in(world.gate)
    triplets.grow_older(world.db, 2 * DAY + 10)
    mark = world.gate.mark()

    assert not is_let_in(world.gate)
    assert b"reason=new" in world.gate.since(mark)


def test_a_gate_with_a_process_for_each_client_remembers(backend: Scripted, server: NameServer, tmp_path: Path) -> None:
    """Under another server it has the store alone for that."""
    db, dns = triplets.made(tmp_path / "db"), {"DNSCACHEIP": server.address}
    words, other = parameters(str(db)), theirs("tcpserver")
    with gated(backend.argv, tmp_path, parameters=words, rules=RULES, variables=dns, server=other) as gate:
        assert heard(gate) == DEFERRED
        triplets.grow_older(db, 300)
        assert is_let_in(gate)
        assert b"warning" not in gate.log()


@pytest.mark.parametrize(
    ("rcpt", "expected"),
    [
        (b"RCPT TO:<r@elsewhere.example>", b"454 4.7.1 <r@elsewhere.example>: Relay access denied"),
        (b"RCPT TO:<s@example.org>", b"554 5.7.1 <s@example.org>: Recipient address rejected: not s"),
        (
            b"RCPT TO:<x@example.org>",
            b"550 5.1.1 <x@example.org>: Recipient address rejected: User unknown in local recipient table",
        ),
    ],
)
def test_case_68_who_is_refused_leaves_no_record(world: World, rcpt: bytes, expected: bytes) -> None:
    """By reject_unauth_destination, by an access map behind it, by the users of our domain."""
    assert heard(world.gate, rcpt=rcpt) == expected
    assert triplets.count(world.db) == 0


def test_case_68_the_gates_own_check_comes_before(backend: Scripted, server: NameServer, tmp_path: Path) -> None:
    """Also where no list refuses mail for elsewhere."""
    db = triplets.made(tmp_path / "db")
    lists = "smtpd_relay_restrictions=check_sender_access inline:{s@example.net=OK}, reject_unauth_destination"
    words = [word for word in parameters(str(db)) if not word.startswith("smtpd_recipient")]
    words += [lists, f"smtpd_recipient_restrictions=check_greylist {db}"]
    with gated(backend.argv, tmp_path, parameters=words, rules=RULES, variables={"DNSCACHEIP": server.address}) as gate:
        told = heard(gate, rcpt=b"RCPT TO:<r@elsewhere.example>")

    assert told == b"554 5.7.1 <r@elsewhere.example>: Relay access denied"
    assert triplets.count(db) == 0


@pytest.mark.parametrize(
    ("first", "later"),
    [
        ((STRANGER, b"VERP-123@example.net"), (STRANGER, b"VERP-456@example.net")),
        ((STRANGER, b"prvs=0123abcdef=u@example.net"), (STRANGER, b"u@example.net")),
        ((STRANGER, b"u+x@example.net"), (STRANGER, b"U@EXAMPLE.net")),
        ((STRANGER, b"u@example.net"), (NEIGHBOUR, b"u@example.net")),
        ((SIX, b"u@example.net"), (SIXTH, b"u@example.net")),
    ],
)
def test_case_69_these_are_one_triplet(world: World, first: tuple[str, bytes], later: tuple[str, bytes]) -> None:
    """VERP, BATV, extensions, a neighbour in the /24 and in the /64."""
    assert not is_let_in(world.gate, first[0], sender(first[1]))
    triplets.grow_older(world.db, 300)

    assert is_let_in(world.gate, later[0], sender(later[1]))
    assert triplets.count(world.db) == 1


def test_case_70_a_network_that_has_passed_five_times_waits_no_more(world: World) -> None:
    """An hour lies between two that count."""
    gate, _, db = world
    for number in range(5):
        assert not is_let_in(gate, mail=sender(b"s%c@example.net" % (97 + number)))
        triplets.grow_older(db, HOUR)
        assert is_let_in(gate, mail=sender(b"s%c@example.net" % (97 + number)))
    mark = gate.mark()

    assert is_let_in(gate, mail=sender(b"new@example.net"))
    assert b"action=pass, reason=client AWL;" in gate.since(mark)
    assert is_let_in(gate, NEIGHBOUR, sender(b"other@example.net"))
    assert not is_let_in(gate, SIX, sender(b"new@example.net"))


@pytest.mark.parametrize(
    ("source", "mail", "rcpt"),
    [
        (STRANGER, b"MAIL FROM:<>", RCPT),
        (STRANGER, MAIL, b"RCPT TO:<postmaster@example.org>"),
        (STRANGER, MAIL, b"RCPT TO:<postmaster>"),
        (STRANGER, MAIL, b"RCPT TO:<abuse@example.org>"),
        (RELAY, MAIL, RCPT),
        (LOCAL, MAIL, RCPT),
        (FRIEND, MAIL, RCPT),
    ],
)
def test_case_71_these_never_wait(world: World, source: str, mail: bytes, rcpt: bytes) -> None:
    """<>, postmaster, abuse, RELAYCLIENT, mynetworks, GREYLIST=""; none of them leaves a record."""
    assert is_let_in(world.gate, source, mail, rcpt)
    assert triplets.count(world.db) == 0


def test_case_71_each_recipient_waits_for_itself(world: World) -> None:
    """The message comes to the one that has passed."""
    gate, backend, _ = world
    runs = len(backend.visits())
    told = gate.converse([EHLO, MAIL, RCPT, b"RCPT TO:<abuse@example.org>", b"DATA", BODY, b"QUIT"])

    assert [line[:3] for line in told] == [b"250", b"250", b"450", b"250", b"354", b"250", b"221"]
    (visit,) = backend.since(runs)
    assert [line for line in visit.lines if line.startswith(b"RCPT")] == [b"RCPT TO:<abuse@example.org>"]


def test_one_header_tells_of_both_waits(world: World) -> None:
    """Two recipients have waited for the same message."""
    gate, backend, db = world
    told = gate.converse([EHLO, MAIL, RCPT, SECOND, b"QUIT"])
    assert [line[:3] for line in told[2:4]] == [b"450", b"450"]
    triplets.grow_older(db, 300)
    mark, runs = gate.mark(), len(backend.visits())
    gate.converse([EHLO, MAIL, RCPT, SECOND, b"DATA", BODY, b"QUIT"])

    assert gate.since(mark).count(b"reason=triplet found, delay=3") == 2
    assert backend.since(runs)[0].input.count(b"X-Greylist:") == 1


def test_a_pool_with_one_name_waits_once(world: World) -> None:
    """Its hosts are in several networks, and their names are of the domain that they say."""
    gate, _, db = world
    assert not is_let_in(gate, STRANGER, hello=b"EHLO mx1.pool.example.net")
    triplets.grow_older(db, 300)

    assert not is_let_in(gate, ELSEWHERE)
    assert is_let_in(gate, ELSEWHERE, hello=b"EHLO mx2.pool.example.net")


def test_a_second_message_of_a_session_is_another_visit(world: World) -> None:
    """What was found out about the first attempt does not answer for it."""
    gate, _, db = world
    with gate.client() as client:
        assert client.converse([EHLO, MAIL, RCPT])[2].startswith(b"450 4.2.0 ")
        triplets.grow_older(db, 300)
        assert client.converse([b"RSET", MAIL, RCPT])[2].startswith(b"250 ")


def bad_stores(folder: Path) -> dict[str, Path]:
    """Stores that cannot be used, by why."""
    (folder / "other").write_bytes(b"precious\n" * 1000)
    return {"unable to open database file": folder / "nowhere/db", "file is not a database": folder / "other"}


@pytest.mark.parametrize("why", ["unable to open database file", "file is not a database"])
def test_case_72_while_the_store_cannot_be_used_nobody_waits(
    backend: Scripted, server: NameServer, tmp_path: Path, why: str
) -> None:
    """The log says so, at the start and once a minute."""
    words, dns = parameters(str(bad_stores(tmp_path)[why])), {"DNSCACHEIP": server.address}
    with gated(backend.argv, tmp_path, parameters=words, rules=RULES, variables=dns) as gate:
        gate.wait_log(b"everybody is let in")
        assert all(is_let_in(gate, mail=sender(b"s%d@example.net" % number)) for number in range(3))
        warnings = [line for line in gate.log().splitlines() if b"warning" in line]

    assert len(warnings) == 1
    assert why.encode() in warnings[0]


def test_case_72_a_store_that_is_locked_delays_for_a_second_at_most(
    backend: Scripted, server: NameServer, tmp_path: Path
) -> None:
    """And whoever comes next not at all; it is asked again when that is over."""
    db = triplets.made(tmp_path / "db")
    dns = {"DNSCACHEIP": server.address}
    with gated(backend.argv, tmp_path, parameters=parameters(str(db)), rules=RULES, variables=dns) as gate:
        with closing(sqlite3.connect(db, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            begin = time.monotonic()
            assert all(is_let_in(gate, mail=sender(b"s%d@example.net" % number)) for number in range(5))
            took = time.monotonic() - begin
            assert took < 5
            other.execute("ROLLBACK")
        until(lambda: not is_let_in(gate), "the store to be asked again")
        assert gate.log().count(b"everybody is let in") == 1


def test_whitelists_are_read_again_by_hup(backend: Scripted, server: NameServer, tmp_path: Path) -> None:
    """Files in postgrey's language: whom they name never waits, and a line that means nothing is named."""
    db, clients = triplets.made(tmp_path / "db"), tmp_path / "clients"
    clients.write_text("# nobody\nno body\n")
    dns = {"DNSCACHEIP": server.address}
    words = parameters(str(db), f"greylist_whitelist_clients={clients}")
    with gated(backend.argv, tmp_path, parameters=words, rules=RULES, variables=dns) as gate:
        gate.wait_log(b"warning: %b line 2: " % bytes(clients))
        assert not is_let_in(gate)
        clients.write_text("pool.example.net\n")
        gate.process.send_signal(signal.SIGHUP)
        until(lambda: is_let_in(gate), "another worker to know the client")

        assert b"action=pass, reason=client whitelist;" in gate.log()


def test_several_hosts_share_a_redis(backend: Scripted, server: NameServer, tmp_path: Path) -> None:
    """Who has waited for one gate comes in at the other."""
    dns = {"DNSCACHEIP": server.address}
    with RedisServer(tmp_path) as redis:
        words = parameters(redis.url, "greylist_delay=1s")
        with (
            gated(backend.argv, tmp_path / "a", parameters=words, rules=RULES, variables=dns) as one,
            gated(backend.argv, tmp_path / "b", parameters=words, rules=RULES, variables=dns) as other,
        ):
            assert not is_let_in(one)
            until(lambda: is_let_in(other), "a second to pass")
            assert is_let_in(one)
            assert b"warning" not in one.log() + other.log()


def test_a_dry_run_has_nobody_wait(backend: Scripted, server: NameServer, tmp_path: Path) -> None:
    """It says who would, and knows whom it has seen."""
    db = triplets.made(tmp_path / "db")
    words, dns = parameters(str(db)), {"DNSCACHEIP": server.address}
    program = ("--dry-run", *backend.argv)
    with gated(program, tmp_path, parameters=words, rules=RULES, variables=dns) as gate:
        assert is_let_in(gate)
        triplets.grow_older(db, 300)
        runs = len(backend.visits())
        gate.converse([EHLO, MAIL, RCPT, b"DATA", BODY, b"QUIT"])
        log = gate.log()

    assert (
        re.sub(rb"in \d+ s", b"in N s", log).count(
            b"reject_warning: RCPT from mx1.pool.example.net[192.0.2.7]: " + DEFERRED
        )
        == 1
    )
    assert b"action=pass, reason=triplet found" in log
    assert b"X-Greylist" not in backend.since(runs)[0].input


def test_whom_pygreylist_has_let_in_does_not_wait_again(backend: Scripted, server: NameServer, tmp_path: Path) -> None:
    """Both stand in one chain, and the store has what each of them knows."""
    db = triplets.made(Path(networks.made(tmp_path / "db")))
    screens = (ours("pygreylist"), "-s", str(db), "-d", "300")
    dns = {"DNSCACHEIP": server.address}
    with gated(
        backend.argv, tmp_path, parameters=parameters(str(db)), rules=RULES, screens=screens, variables=dns
    ) as gate:
        assert heard(gate).startswith(b"451 ")
        networks.grow_older(db, 300)
        assert is_let_in(gate)
        assert b"action=pass, reason=network known;" in gate.log()
