"""Greylisting by triplet in service: over either kind of store, whitelists that are read again, and failing open."""

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.admission import Lines
from tests.support.checkout import ROOT
from tests.support.redisserver import RedisServer, store_of
from ucspi_py.core.client.limits import NETWORK, Prefixes
from ucspi_py.core.greylist.attempt import Attempt, Deferred, Passed, Verdict
from ucspi_py.core.greylist.settings import GreylistSettings
from ucspi_py.core.greylist.triplet.settings import TripletSettings
from ucspi_py.core.smtp.verdict import Accept, Refuse
from ucspi_py.system.greylist.greylister import Greylister
from ucspi_py.system.screens.greylist import Greylist

#: That a server answers late is for another file.
pytestmark = pytest.mark.usefixtures("patient", "own_time")

NOW, HOUR = 1_800_000_000, 3600
NEW, FOUND = Deferred(300, True), Passed(b"triplet found")
LISTED, RECIPIENT = Passed(b"client whitelist"), Passed(b"recipient whitelist")
ATTEMPT = Attempt(b"192.0.2.7", b"mx1.example.com", b"mx.example.com", b"s@example.com", b"r@example.org")
#: Another network of the same organisation.
ELSEWHERE = ATTEMPT._replace(ip=b"198.51.100.7", name=b"mx2.example.com")


@pytest.fixture(params=["sqlite", "redis"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty store of each kind."""
    with store_of(request.param, tmp_path / "db") as kept:
        yield kept


def judged(settings: TripletSettings, *visits: tuple[int, Attempt]) -> list[Verdict]:
    """What becomes of attempts, each with the seconds that pass before it; nothing is wrong meanwhile."""
    return asyncio.run(_judged(settings, pytest.fail, *visits))


async def _judged(
    settings: TripletSettings, tell: Callable[[str], None], *visits: tuple[int, Attempt]
) -> list[Verdict]:
    now, verdicts = NOW, list[Verdict]()
    greylister = Greylister(settings, tell, lambda: now)
    await greylister.open()
    for seconds, attempt in visits:
        now += seconds
        verdicts.append(await greylister.judge(attempt))
    await greylister.close()
    return verdicts


def test_a_server_allows_what_the_manual_asks_for(tmp_path: Path) -> None:
    """Or everybody would be let in for ever."""
    page = (ROOT / "docs/pygreylist.rst").read_text()
    rules = page.partition("ACL must allow ``")[2].partition("``")[0]
    with RedisServer(tmp_path) as redis:
        redis.ask(f"ACL SETUSER ucspi reset on >s3cret {rules}")
        settings = TripletSettings(redis.url.replace("//", "//ucspi:s3cret@"), auto_whitelist_clients=1)
        verdicts = judged(settings, (0, ATTEMPT), (300, ATTEMPT), (HOUR, ATTEMPT), (settings.max_age + 1, ATTEMPT))
    assert verdicts == [NEW, Passed(b"triplet found", 300, True), Passed(b"client AWL"), FOUND]


def test_a_triplet_comes_back(place: str) -> None:
    """It waits, is let in with a header, and is known then, from any address of its network."""
    neighbour = ATTEMPT._replace(ip=b"192.0.2.8", sender=b"S+17@example.com")

    assert judged(
        TripletSettings(place), (0, ATTEMPT), (299, neighbour), (1, neighbour), (0, ATTEMPT), (0, ELSEWHERE)
    ) == [NEW, Deferred(1, False), Passed(b"triplet found", 300), FOUND, NEW]


def test_a_client_waits_no_more_after_enough_passes(place: str) -> None:
    """Five of its triplets an hour apart, whichever of its addresses they come from; another sender is not asked."""
    senders = [ATTEMPT._replace(sender=b"%c@example.com" % letter, ip=b"192.0.2.%d" % letter) for letter in b"abcdef"]
    visits = [(wait, sender) for sender in senders[:5] for wait in (HOUR, 300)]

    verdicts = judged(TripletSettings(place), *visits, (0, senders[5]), (40 * 86400, senders[5]))

    assert verdicts[1:10:2] == [Passed(b"triplet found", 300)] * 4 + [Passed(b"triplet found", 300, lists_client=True)]
    assert verdicts[10:] == [Passed(b"client AWL"), NEW]


def test_passes_may_be_counted_by_address(place: str) -> None:
    """As postgrey does: a neighbour has passes of its own."""
    settings = TripletSettings(place, auto_whitelist_clients=1, counts_networks=False)
    neighbour, another = ATTEMPT._replace(ip=b"192.0.2.8"), ATTEMPT._replace(sender=b"")

    assert judged(
        settings,
        (0, ATTEMPT),
        (300, ATTEMPT),
        (0, ATTEMPT._replace(sender=b"x@x")),
        (0, neighbour._replace(sender=b"x@x")),
        (0, another),
    )[2:] == [Passed(b"client AWL"), NEW, Passed(b"null sender")]


def test_clients_of_one_organisation_may_be_one(place: str) -> None:
    """By their verified names and HELO; by network without them."""
    settings = TripletSettings(place, by_name=True)
    unnamed = ELSEWHERE._replace(name=b"unknown")

    assert judged(settings, (0, ATTEMPT), (300, unnamed), (0, ELSEWHERE)) == [NEW, NEW, Passed(b"triplet found", 300)]


def test_who_is_spared_leaves_no_record(place: str) -> None:
    """The null sender, postmaster and abuse; where they are not spared they wait as others do."""
    bounce, postmaster = ATTEMPT._replace(sender=b""), ATTEMPT._replace(recipient=b"postmaster@example.org")

    assert judged(TripletSettings(place), (0, bounce), (0, postmaster)) == [Passed(b"null sender"), RECIPIENT]
    assert judged(TripletSettings(place, spares=False), (0, bounce), (0, postmaster)) == [NEW, NEW]


def test_a_client_without_an_address_is_let_in(place: str) -> None:
    """It has no network."""
    assert judged(TripletSettings(place), (0, ATTEMPT._replace(ip=b"unknown"))) == [Passed(b"no address")]


def test_whitelists_are_read_again(tmp_path: Path) -> None:
    """What is wrong in them is told; of a file that is gone the old lines hold; a .local one may be missing."""
    clients, recipients, local = (tmp_path / name for name in ("clients", "recipients", "recipients.local"))
    settings = TripletSettings(
        str(tmp_path / "db"), whitelist_clients=(str(clients),), whitelist_recipients=(str(recipients), str(local))
    )
    told = list[str]()

    async def story() -> list[Verdict]:
        greylister = Greylister(settings, told.append)
        recipients.write_text("x@\nto whom\n")
        await greylister.open()
        verdicts = [await greylister.judge(ATTEMPT)]
        recipients.write_text("r@example.org\n")
        greylister.reload()
        verdicts.append(await greylister.judge(ATTEMPT))
        recipients.unlink()
        clients.write_text("example.com\n")
        greylister.reload()
        verdicts += [await greylister.judge(attempt) for attempt in (ATTEMPT._replace(name=b"x"), ATTEMPT)]
        await greylister.close()
        return verdicts

    assert asyncio.run(story()) == [NEW, RECIPIENT, RECIPIENT, LISTED]
    assert told == [
        f"unable to read {clients}: file does not exist",
        f"{recipients} line 2: it is neither an address, nor a domain, "
        "nor an expression between slashes without a blank",
        f"unable to read {recipients}: file does not exist",
    ]


def test_a_search_in_a_whitelist_is_ended(tmp_path: Path) -> None:
    """Whatever an operator writes and a client says: the expression finds nothing, the next one is asked."""
    clients = tmp_path / "clients"
    clients.write_text(r"/^(a|a)*c$/" "\n" r"/b$/" "\n")
    told, begun = list[str](), time.thread_time()

    verdicts = asyncio.run(
        _judged(
            TripletSettings(str(tmp_path / "db"), whitelist_clients=(str(clients),)),
            told.append,
            (0, ATTEMPT._replace(name=60 * b"a" + b"b")),
        )
    )

    assert verdicts == [LISTED]
    assert told == [f"{clients} line 1: the search took too long, and counted as one that finds nothing"]
    assert time.thread_time() - begun < 2


@pytest.mark.parametrize("kind", ["missing", "silent"])
def test_everybody_is_let_in_without_a_store(kind: str, tmp_path: Path) -> None:
    """Within little more than a second, and that is told once."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        store = f"redis://127.0.0.1:{silent.getsockname()[1]}/0" if kind == "silent" else str(tmp_path / "none" / "db")
        told, begun = list[str](), time.monotonic()

        verdicts = asyncio.run(_judged(TripletSettings(store), told.append, (0, ATTEMPT), (0, ELSEWHERE)))

    assert verdicts == [Passed(b"store unavailable")] * 2
    assert len(told) == 1
    assert told[0].startswith(f"unable to use {store}: ")
    assert told[0].endswith(", everybody is let in")
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("network", [NETWORK, Prefixes(16, 48)])
def test_a_network_waits_once_for_both_greylists(place: str, network: Prefixes) -> None:
    """What has passed in one is let in by the other; neither counts for a network that only has tried."""
    triplets = TripletSettings(place, network=network, delay=0)
    waiting = TripletSettings(place, network=network)
    screen = GreylistSettings(place, 300, 2 * 86400, 35 * 86400, network, 60)

    async def story() -> list[object]:
        gate, port = Greylister(waiting, pytest.fail), Greylist(screen, Lines())
        seen: list[object] = [
            (await port.judge({b"TCPREMOTEIP": b"192.0.2.1"}, None)).verdict,
            await gate.judge(ATTEMPT),
        ]
        quick = Greylister(triplets, pytest.fail)
        seen.append(await quick.judge(ELSEWHERE))
        seen.append((await port.judge({b"TCPREMOTEIP": b"198.51.100.200"}, None)).verdict)
        eager = Greylist(GreylistSettings(place, 0, 2 * 86400, 35 * 86400, network, 60), Lines())
        seen.append((await eager.judge({b"TCPREMOTEIP": b"203.0.113.1"}, None)).verdict)
        seen.append(await gate.judge(ATTEMPT._replace(ip=b"203.0.113.200")))
        for one in (gate, port, quick, eager):
            await one.close()
        return seen

    assert asyncio.run(story()) == [
        Refuse(451, b"Greylisted, try again in 300 seconds"),
        NEW,
        Passed(b"triplet found", 0),
        Accept(),
        Accept(),
        Passed(b"network known"),
    ]
