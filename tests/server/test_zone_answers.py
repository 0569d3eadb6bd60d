"""What a zone's answers mean, lie by lie, over real sockets: faults.md D1 to D8 and the list of DNS answers."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pytest

from tests.support import nameserver
from tests.support.nameserver import LIES, Records, lists
from ucspi_py.core.dns.message import UNREACHABLE, A, Absent, Answer, Found
from ucspi_py.core.dnsbl import answers as dnsbl
from ucspi_py.core.dnsbl import zone
from ucspi_py.core.dnsbl.answers import CLEAN, Failing, Finding, Listed, Result
from ucspi_py.system.dnsbl.query import Query, ask_zone
from ucspi_py.system.lookup.futures import answer_to
from ucspi_py.system.lookup.resolver import Resolver
from ucspi_py.system.lookup.server_list import ServerList

ME, FRONT = "127.0.7.7", "7.7.0.127"
CODE = b"\x7f\0\0\2"

HONEST: Records = {
    **lists("listed", ME, text="listed"),
    **lists("address-only", ME),
    f"{FRONT}.text-only TXT": ["listed"],
    f"{FRONT}.empty TXT": [""],
    **lists("other-code", ME, "127.0.0.40", "listed"),
    **lists("two", ME, text="listed"),
    f"{FRONT}.two A": ["127.0.0.40", "127.0.0.2"],
    **lists("error", ME, "127.255.255.254", "Error: open resolver"),
    **lists("never", ME, "127.0.0.1", "listed"),
    **lists("rewritten", ME, "203.0.113.9", "listed"),
    f"{FRONT}.mixed A": ["127.0.0.2", "127.255.255.252"],
    f"{FRONT}.mixed TXT": ["listed"],
    **lists("key.secret", ME, text="see key.secret"),
}
OF_LIARS = (*LIES, "stranger", "twice")
#: Lies in the place of the A record; in ``texts`` the A record is honest and the TXT record lies.
LYING: Records = {
    **{f"{FRONT}.{lie}.lies A": f"{lie} 127.0.0.2" for lie in OF_LIARS},
    **{f"{FRONT}.{lie}.lies TXT": ["listed"] for lie in OF_LIARS},
    **{f"{FRONT}.{lie}.texts A": ["127.0.0.2"] for lie in OF_LIARS},
    **{f"{FRONT}.{lie}.texts TXT": f"{lie} listed" for lie in OF_LIARS},
    **lists("silent", ME, text="listed"),
    f"{FRONT}.silent A": "silent",
    f"{FRONT}.late A": "late 0.6 127.0.0.2",
    f"{FRONT}.truncated A": "truncated 127.0.0.2",
    f"{FRONT}.truncated TXT": "truncated",
    f"{FRONT}.truncated-without-tcp A": "truncated-without-tcp 127.0.0.2",
    f"{FRONT}.truncated-silent A": "truncated-silent 127.0.0.2",
    f"{FRONT}.truncated-drip A": "truncated-drip 127.0.0.2",
    f"{FRONT}.truncated-late A": "truncated-late 1.9 127.0.0.2",
}
LISTED, TIMED_OUT = Listed(b"listed", CODE), Failing("timed out")


class Told(NamedTuple):
    """What a zone says, and after how many seconds."""

    finding: Finding
    seconds: float


@pytest.fixture(scope="module")
def liar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """All of them in one name server."""
    with nameserver.running({**HONEST, **LYING}, tmp_path_factory.mktemp("dns")) as server:
        yield server


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("listed", LISTED),
        ("nothing", CLEAN),
        ("address-only", CLEAN),
        ("address-only=127.0.0.2", Listed(b"127.0.7.7 is listed in address-only", CODE)),
        ("address-only:see http://x/?%IP%", Listed(b"see http://x/?127.0.7.7", CODE)),
        ("listed:see http://x/?%IP%", LISTED),
        ("text-only", Listed(b"listed", b"")),
        ("text-only=127.0.0.2", CLEAN),
        ("empty", CLEAN),
        ("other-code", Listed(b"listed", b"\x7f\0\0\x28")),
        ("other-code=127.0.0.[2..11]", CLEAN),
        ("other-code=127.0.0.[2..11;40]", Listed(b"listed", b"\x7f\0\0\x28")),
        ("two=127.0.0.2", LISTED),
        ("error", Failing("answers 127.255.255.254, which is an error and lists nobody", True)),
        (
            "error=127.[0..255].[0..255].[0..255]",
            Failing("answers 127.255.255.254, which is an error and lists nobody", True),
        ),
        ("never", Failing("answers 127.0.0.1, which is an error and lists nobody", True)),
        ("rewritten", Failing("answers 203.0.113.9, which is an error and lists nobody", True)),
        ("mixed", Failing("answers 127.255.255.252, which is an error and lists nobody", True)),
        ("short@key.secret", Listed(b"see short", CODE)),
    ],
)
def test_of_honest_servers(words: str, expected: Finding, liar: str) -> None:
    """Codes, texts, errors."""
    assert heard(words, liar, 5.0)[0] == expected


@pytest.fixture(scope="module")
def found(liar: str) -> Mapping[str, Told]:
    """What all liars say, who are asked at once."""
    zones = [f"{lie}.{place}" for lie in OF_LIARS for place in ("lies", "texts")]

    async def of_all() -> list[Told]:
        return await asyncio.gather(*(told(name, liar, 1.0) for name in zones))

    return dict(zip(zones, asyncio.run(of_all()), strict=True))


@pytest.mark.parametrize("place", ["lies", "texts"])
@pytest.mark.parametrize("lie", OF_LIARS)
def test_of_liars(lie: str, place: str, found: Mapping[str, Told]) -> None:
    """Whatever is wrong with a packet, it lists nobody; what is only unusual does."""
    finding, seconds = found[f"{lie}.{place}"]

    if lie in ("twice", "mixed-case"):
        assert finding == LISTED
    else:
        assert isinstance(finding, Failing)
        assert finding.reason in ("timed out", "temporary failure", "protocol error")
    assert seconds < 3


@pytest.mark.parametrize(
    ("words", "deadline", "expected"),
    [
        ("silent", 0.3, TIMED_OUT),
        ("late", 0.3, TIMED_OUT),
        ("late", 5.0, CLEAN),
        ("truncated", 5.0, Listed(b"over TCP", CODE)),
        ("truncated-without-tcp", 5.0, Failing("input/output error")),
        ("truncated-silent", 0.3, TIMED_OUT),
        ("truncated-drip", 0.5, TIMED_OUT),
        ("truncated-late", 2.0, TIMED_OUT),
    ],
)
def test_of_servers_that_take_their_time(words: str, deadline: float, expected: Finding, liar: str) -> None:
    """By whatever way an answer comes, there is one deadline."""
    finding, seconds = heard(words, liar, deadline)

    assert finding == expected
    assert seconds < deadline + 1


def test_the_next_server_is_asked_at_once_where_one_is_gone(liar: str) -> None:
    """A closed port costs no time."""
    assert heard("listed", f"127.0.0.1@{closed_port()},{liar}", 5.0)[0] == LISTED


def test_where_all_are_gone_it_is_over_at_once() -> None:
    """No waiting for a deadline then."""
    assert heard("listed", f"127.0.0.1@{closed_port()}", 60.0)[0] == Failing("input/output error")


def test_many_questions_at_once(liar: str) -> None:
    """They leave together, some dozens in one go, and each has its own answer."""
    names = [f"{front}.listed".encode() for front in (FRONT, *(f"{last}.7.0.127" for last in range(50, 150)))]

    first, *others = asyncio.run(answers(names, liar, 60))

    assert isinstance(first, Found)
    assert first.records == (CODE,)
    assert others == [Absent()] * 100


def test_many_questions_to_a_closed_port() -> None:
    """All of them fail at once: none is left to wait for the end of its server's two seconds."""
    assert asyncio.run(answers([b"a.example"] * 100, f"127.0.0.1@{closed_port()}", 1.9)) == [UNREACHABLE] * 100


def closed_port() -> int:
    """A port where nobody listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        return int(closed.getsockname()[1])


async def answers(names: list[bytes], dns: str, patience: float) -> list[Answer]:
    """The A records of all names, asked for at once, within so many seconds."""
    with contextlib.closing(Resolver(ServerList(dns).current)) as resolver:
        deadline = asyncio.get_running_loop().time() + patience
        return await asyncio.gather(*(answer_to(resolver.ask, name, A, deadline) for name in names))


def heard(words: str, dns: str, deadline: float) -> Told:
    """What a zone says of ME."""
    return asyncio.run(told(words, dns, deadline))


async def told(words: str, dns: str, deadline: float) -> Told:
    """The same, within a loop."""
    asked = zone.parse(words)
    name = dnsbl.query(asked, ME.encode(), ask_private=False)
    assert name
    with contextlib.closing(Resolver(ServerList(dns).current)) as resolver:
        loop = asyncio.get_running_loop()
        said: asyncio.Future[Result] = loop.create_future()
        ask_zone(resolver.ask, Query(asked, ME.encode(), name, loop.time() + deadline), said.set_result)
        return Told((await said).finding, said.result().seconds)
