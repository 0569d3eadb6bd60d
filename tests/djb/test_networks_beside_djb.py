"""A source with networks, compiled by ours and obeyed by djb's programs."""

import ipaddress
import random
from pathlib import Path

import pytest

from tests.support.programs import ours, theirs
from tests.support.rules_tools import asked_djb, asked_ours, compile_rules, compiled_by_djb, compiled_by_ours, text
from tests.support.server import QUIET, Server
from ucspi_py.core.rules.match import match
from ucspi_py.system.rules.live import RulesFile

_TABLES = 20
_CLIENTS = 8


def _random_networks(chance: random.Random) -> list[ipaddress.IPv4Network]:
    networks = {ipaddress.IPv4Network((10 << 24, 8))}
    for _ in range(chance.randrange(1, 12)):
        length = chance.randrange(1, 33)
        base = (10 << 24) | chance.choice([0, 1, 0x80, 0x8080, 0x800000, 0xFFFFFF])
        networks.add(ipaddress.IPv4Network((base >> (32 - length) << (32 - length), length)))
    return chance.sample(sorted(networks), len(networks))


@pytest.mark.parametrize("seed", range(_TABLES))
def test_tcprulescheck_finds_the_narrowest_network(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    networks = _random_networks(chance)
    denied = {network for network in networks if chance.random() < 0.5}
    lines = [f"{network}:{'deny' if network in denied else 'allow'}".encode() for network in networks]
    cdb = compiled_by_ours(text(lines), tmp_path / "cdb")

    for _ in range(_CLIENTS):
        around = chance.choice(networks)
        ip = around[chance.choice([0, around.num_addresses - 1, chance.randrange(around.num_addresses)])]
        narrowest = max((network for network in networks if ip in network), key=lambda network: network.prefixlen)

        answer = asked_djb(cdb, str(ip))

        assert answer.endswith(b"deny connection\n" if narrowest in denied else b"allow connection\n"), (ip, lines)
        decided = match(RulesFile(str(cdb)).current(), str(ip).encode())
        assert decided is not None and answer.startswith(b"rule " + decided.key + b":\n")


@pytest.mark.parametrize("program", ["tcpserver", "pytcpserver"])
def test_a_server_obeys_networks(program: str, tmp_path: Path) -> None:
    rules = [b"127.1.0.0/17:deny", b"127.1.4.0/23:allow", b"127.1.5.0/25:deny", b"127.1.5.7:allow", b":deny"]
    cdb = compiled_by_ours(text([*rules, b"127.2.0.0/15:allow"]), tmp_path / "cdb")
    path = ours(program) if program.startswith("py") else theirs(program)
    allowed = ["127.1.4.1", "127.1.5.200", "127.1.5.7", "127.3.255.255"]
    denied = ["127.1.0.1", "127.1.127.254", "127.1.5.8", "127.1.128.1", "127.4.0.1"]

    with Server(path, [*QUIET, "-x", str(cdb)], ["/bin/echo", "in"], tmp_path) as server:
        let_in = [ip for ip in [*allowed, *denied] if server.talk(source=ip)]

    assert let_in == allowed


def test_tcprulescheck_names_an_ipv6_address(tmp_path: Path) -> None:
    cdb = compiled_by_ours(b"2001:db8::1:deny\n2001:db8::/32:allow\n", tmp_path / "cdb")

    assert asked_djb(cdb, "2001:db8::1") == b"rule 2001:db8::1:\ndeny connection\n"
    assert asked_djb(cdb, "2001:db8::2") == b"default:\nallow connection\n"
    assert asked_ours(cdb, "2001:DB8:0::1") == b"rule 2001:db8::1:\ndeny connection\n"
    assert asked_ours(cdb, "2001:db8::2").endswith(b":\nallow connection\n")


_PLAIN = b""".10/-=@:#, 12590,X="'deny allow\t"""


@pytest.mark.parametrize("seed", range(80))
def test_a_source_without_networks_compiles_to_the_same_bytes(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    heads = [b"10.0.0.1/8", b"10/8", b"1.2.3.4", b"1.2-5.", b"=a/b", b"a@1.2.3.4", b"10.0.0.0/33", b"0/0", b""]
    lines = []
    for _ in range(chance.randrange(30)):
        stray = bytes(chance.choice(_PLAIN.replace(b":", b"").replace(b"-", b"")) for _ in range(chance.randrange(4)))
        tail = chance.choice([b"deny", b"allow", b'allow,X="1/2:3"', b"deny,Y=/a/,Z='b'"])
        lines.append(chance.choice([chance.choice(heads) + stray, chance.choice(heads)]) + b":" + tail)

    ours_cdb = compiled_by_ours(text(lines), tmp_path / "ours")

    assert ours_cdb.read_bytes() == compiled_by_djb(text(lines), tmp_path / "theirs").read_bytes(), lines


def test_ipv6_that_is_wrong_is_refused_and_the_old_rules_stay(tmp_path: Path) -> None:
    cdb = compiled_by_ours(b":deny\n", tmp_path / "cdb")
    before = cdb.read_bytes()

    done = compile_rules(b"2001:db8::1/32:deny\n", cdb)

    assert done.returncode == 100
    assert done.stderr.splitlines()[0] == b"tcprules: fatal: unable to parse this line: 2001:db8::1/32:deny"
    assert b"the network is 2001:db8::/32" in done.stderr.splitlines()[1]
    assert cdb.read_bytes() == before
