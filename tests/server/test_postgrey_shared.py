"""pypostgrey beside others: hosts that share records, zones that are asked before."""

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from tests.support.nameserver import Records, healthy, lists, running
from tests.support.pypostgrey import NEW, Postgrey
from tests.support.redisserver import RedisServer
from tests.support.waiting import until

_ZONES: Records = {
    **healthy("bl.example.net", "slow.example.net", "wl.example.net"),
    **lists("bl.example.net", "192.0.2.66", text="spam from 192.0.2.66"),
    **lists("slow.example.net", "192.0.2.67", text="some"),
    **lists("wl.example.net", "192.0.2.68"),
}


@pytest.fixture(scope="module")
def zones(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgrey]:
    """One with zones before its greylist."""
    words = ("-b", "-r", "bl.example.net", "-B", "-r", "slow.example.net", "-a", "wl.example.net")
    with (
        running(_ZONES, tmp_path_factory.mktemp("zones")) as dns,
        Postgrey(*words, "-v", variables={"DNSCACHEIP": dns}) as found,
    ):
        yield found


def test_two_hosts_share_one_redis(tmp_path: Path) -> None:
    """A client comes to one first, and is let in by the other; then it is known to both."""
    with (
        RedisServer(tmp_path) as redis,
        Postgrey("--delay=1", store=redis.url) as one,
        Postgrey("--delay=1", store=redis.url) as other,
    ):
        assert one.ask() == NEW
        until(lambda: other.ask(instance="2").startswith(b"PREPEND X-Greylist: "), "the delay at the other host")
        assert one.ask(instance="3") == b"DUNNO"
        one.wait_log(b"reason=triplet found, client")


def test_a_redis_that_hangs_delays_hardly_any_question(tmp_path: Path) -> None:
    """Those behind the first that has waited for it are answered at once, and it is asked again when it goes on."""
    with RedisServer(tmp_path) as redis, Postgrey("--processes=1", store=redis.url) as server:
        assert server.ask() == NEW
        redis.stop()
        waits = []
        for _ in range(30):
            since = time.monotonic()
            assert server.ask() == b"DUNNO"
            waits.append(time.monotonic() - since)
        redis.go_on()
        until(lambda: server.ask().startswith(b"DEFER_IF_PERMIT "), "the store")
    assert median(waits) < 0.2


def test_a_redis_that_is_away_lets_everybody_in_and_counts_again_when_it_is_back(tmp_path: Path) -> None:
    """A host that has lost its records is not one that refuses mail."""
    with RedisServer(tmp_path) as redis, Postgrey("--processes=1", store=redis.url) as server:
        assert server.ask() == NEW
        redis.kill()
        assert server.ask() == b"DUNNO"
        server.wait_log(b"warning: unable to use redis://", b"everybody is let in\n")
        redis.start()
        until(lambda: server.ask() == NEW, "the store")


def test_a_client_that_a_zone_lists_is_refused_with_its_text(zones: Postgrey) -> None:
    """For good behind -b; and has no record."""
    assert zones.ask(client_address="192.0.2.66") == b"553 5.7.1 spam from 192.0.2.66"
    zones.wait_log(b"action=reject, reason=listed: spam from 192.0.2.66, client_name=mail.example.net, ")
    assert zones.ask(client_address="192.0.2.67") == b"451 4.7.1 some"


def test_a_client_that_an_allow_list_has_does_not_wait(zones: Postgrey) -> None:
    """Whoever runs it knows the client."""
    assert zones.ask(client_address="192.0.2.68") == b"DUNNO"
    zones.wait_log(b"action=pass, reason=listed by an allow-list, ")


def test_any_other_client_is_greylisted(zones: Postgrey) -> None:
    """After the zones were asked, which -v tells."""
    assert zones.ask(client_address="192.0.2.69") == NEW
    zones.wait_log(b"dnsbl: zones for 192.0.2.69 pid ", b"bl.example.net=clean/")


def test_what_the_zones_were_good_for_is_told(zones: Postgrey) -> None:
    """On USR1, of all processes together."""
    zones.ask(client_address="192.0.2.66")
    zones.usr1()
    zones.wait_log(b"dnsbl: zone bl.example.net: asked ")
