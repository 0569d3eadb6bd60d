"""pyrblsmtpd alone, absorbed by pytcpserver, and pyrblcheck: three forms, one verdict."""

import asyncio
import json
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import nameserver
from tests.support.nameserver import Records
from tests.support.programs import ours
from tests.support.screened import PASSED, environment, refusal, screened
from tests.support.table import Table
from tests.support.waiting import PATIENCE
from tests.support.warm import Warm, standing
from ucspi_py.cli.chain import program
from ucspi_py.core.address import reversed_name
from ucspi_py.core.dns.message import TXT, A, Answer, Failed, Found
from ucspi_py.core.service.settings import Program
from ucspi_py.core.smtp.verdict import Refuse, Verdict
from ucspi_py.system.dnsbl import check as zone_check
from ucspi_py.system.dnsbl.client import DnsblClient
from ucspi_py.system.dnsbl.shared_state import SharedZones
from ucspi_py.system.dnsbl.uncached import UncachedZones
from ucspi_py.system.lookup import resolver
from ucspi_py.system.report.log import QUIET, Log
from ucspi_py.system.screens import kinds
from ucspi_py.system.screens.screen import Host

PROGRAMS = Warm("pyrblcheck")
_stands = standing(PROGRAMS)

#: Cases that are run as real processes.
CASES = 24

IPS = ["127.0.7.7", "192.0.2.7", "192.0.2.8", "10.1.2.3", "2001:db8::1", "fd00::1"]
ADDRESSES: list[list[str] | str | None] = [
    *([None] * 2),
    *([["127.0.0.2"]] * 8),
    ["127.0.0.4", "127.0.0.9"],
    ["127.0.5.40"],
    ["127.0.0.1"],
    ["127.255.255.254"],
    ["203.0.113.9"],
    "servfail",
]
TEXTS: list[list[str] | str | None] = [None, [""], ["listed"], ["listed"], ["one", "two"], ["a\r\n250 ok"], "servfail"]
CODES = ["", "=127.0.0.[2..4]", "=127.0.[0..5].[9;40]"]


class Case(NamedTuple):
    """Options of pyrblsmtpd, a client, and what its name servers know."""

    words: tuple[str, ...]
    ip: str
    records: Records

    def table(self) -> Table:
        """The name servers as a table."""
        return Table({_key(name): _answer(_key(name)[1], told) for name, told in self.records.items()})


def case(chance: random.Random, suffix: str = "example") -> Case:
    """Some zones in written order, by order or by weight, and their answers."""
    weighed = chance.random() < 0.5
    words: list[str] = []
    records: dict[str, list[str] | str] = {}
    ip = chance.choice(IPS)
    for number in range(chance.randrange(1, 5)):
        name = f"z{number}.{suffix}"
        bounce: list[str] = [] if weighed else ["-b"]  # which -T forbids
        words += chance.choice([[], [], bounce, bounce, ["-B"], ["-c"], ["-C"], ["-p"]])
        words += [chance.choice(["-r", "-r", "-r", "-a"]), _zone(chance, name, weighed)]
        front = reversed_name(ip.encode()).decode()
        for kind, answers in (("A", ADDRESSES), ("TXT", TEXTS)):
            told = chance.choice(answers)
            if told is not None:
                records[f"{front}{name} {kind}"] = told
        records[f"2.0.0.127.{name} A"] = ["127.0.0.2"]
    least = chance.randrange(1, 5)
    scores = ["-T", chance.choice([f"{least}", f"{least}/{least + chance.randrange(3)}"])] if weighed else []
    return Case((*scores, *words), ip, records)


def _zone(chance: random.Random, name: str, weighed: bool) -> str:
    alias = chance.choice(["", "", "short@"])
    flags = chance.choice(["", "+v6", "+notest", "+v6+notest"])
    weight = chance.choice(["", "*1", "*2", "*5", "*-2", "*-5"]) if weighed else ""
    text = chance.choice(["", "", ":see %IP%"])
    return f"{alias}{name}{flags}{chance.choice(CODES)}{weight}{text}"


def _key(name: str) -> tuple[bytes, int]:
    front, _, kind = name.partition(" ")
    return front.encode(), {"A": A, "TXT": TXT}[kind]


def _answer(kind: int, told: object) -> Answer:
    if not isinstance(told, list):
        return Failed("temporary failure")
    if kind == TXT:
        return Found(tuple(text.encode() for text in told))
    return Found(tuple(bytes(map(int, address.split("."))) for address in told))


def outcome(verdict: Verdict) -> str:
    """The reply, or that there is none."""
    return verdict.reply.decode() if isinstance(verdict, Refuse) else "accepted"


@given(st.randoms(use_true_random=False))
def test_in_one_process(chance: random.Random) -> None:
    """Whatever the zones, the options and the answers."""
    drawn = case(chance)
    found = program.read_options(program.RBLSMTPD, [*drawn.words, "true"])

    verdicts = [alone(drawn, found), absorbed(drawn, found), checked(drawn, found)]

    outcomes = set(map(outcome, verdicts))
    if "-T" in drawn.words:  # whose words are told may depend on who was quicker
        outcomes = {told[:4] for told in outcomes}
    assert len(outcomes) == 1


def alone(drawn: Case, found: Program) -> Verdict:
    """As pyrblsmtpd does it; its way to the name servers is the table."""
    variables = {b"TCPREMOTEIP": drawn.ip.encode()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resolver, "from_environment", drawn.table)
        return asyncio.run(judged(found, variables, Host(Log(QUIET), UncachedZones, lambda _kind, _verdict: None)))


async def judged(found: Program, variables: dict[bytes, bytes], host: Host) -> Verdict:
    """What becomes of a client at the first screen."""
    return await kinds.in_service(found.screens, host)[0].judge(variables, None)


def absorbed(drawn: Case, found: Program) -> Verdict:
    """As a worker does it; asked a second time it must not say another thing."""
    client = DnsblClient(found, SharedZones(len(found.zones)), drawn.table().ask, Log(QUIET))
    host = Host(Log(QUIET), lambda: client, lambda _kind, _verdict: None)

    async def twice() -> Verdict:
        first, second = [await judged(found, {b"TCPREMOTEIP": drawn.ip.encode()}, host) for _ in range(2)]
        assert outcome(first)[:4] == outcome(second)[:4]
        return first

    return asyncio.run(twice())


def checked(drawn: Case, found: Program) -> Verdict:
    """As pyrblcheck does it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resolver, "from_environment", drawn.table)
        return zone_check.clients(found, [drawn.ip.encode()])[0].verdict


def cases() -> list[Case]:
    """Those that are run as processes, each with names of its own."""
    return [case(random.Random(seed), f"case{seed}") for seed in range(CASES)]


@pytest.fixture(scope="module")
def dns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A name server that knows the zones of all cases."""
    records = {name: told for drawn in cases() for name, told in drawn.records.items()}
    with nameserver.running(records, tmp_path_factory.mktemp("dns")) as server:
        yield server


def test_the_cases_are_of_all_kinds() -> None:
    """Some are accepted, some refused, some for good."""
    told = {
        outcome(checked(drawn, program.read_options(program.RBLSMTPD, [*drawn.words, "true"])))[:3] for drawn in cases()
    }

    assert told == {"acc", "451", "553"}


@pytest.mark.parametrize("drawn", cases(), ids=lambda drawn: " ".join(drawn.words))
def test_as_processes(drawn: Case, dns: str, tmp_path: Path) -> None:
    """The programs themselves, with a name server."""
    expected = outcome(checked(drawn, program.read_options(program.RBLSMTPD, [*drawn.words, "true"])))
    rules = f':allow,TCPREMOTEIP="{drawn.ip}"\n'
    env = environment(dns, TCPREMOTEIP=drawn.ip)
    process = subprocess.Popen(
        [ours("pyrblsmtpd"), *drawn.words, "echo", "passed"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=env,
    )
    script = tmp_path / "run"
    script.write_text(f"exec pytcpserver 0 25 pyrblsmtpd {' '.join(map(_quoted, drawn.words))} qmail-smtpd\n")
    with screened(drawn.words, dns, tmp_path, rules=rules, options=("-w1",)) as server:
        told = refusal(server, "127.0.0.1").decode()
    alone_told = process.communicate(b"rcpt\r\nquit\r\n", PATIENCE)[0]
    done = PROGRAMS.run("pyrblcheck", "--json", "--from", str(script), drawn.ip, env=env)

    verdicts = {
        json.loads(done.stdout)[-1]["verdict"],
        told.replace("passed", "accepted"),
        "accepted" if alone_told == PASSED else alone_told.splitlines()[1].decode(),
    }
    if "-T" in drawn.words:
        verdicts, expected = {verdict[:4] for verdict in verdicts}, expected[:4]
    assert verdicts == {expected}


def _quoted(word: str) -> str:
    return f"'{word}'"
