"""What an operator sees of the records of greylists, which of them a place means, and what a report makes of them."""

import ipaddress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ucspi_py.core.client.limits import NETWORK, Prefixes
from ucspi_py.core.greylist import network, visit
from ucspi_py.core.greylist.network import Record
from ucspi_py.core.greylist.records import where
from ucspi_py.core.greylist.records.kinds import Entry, Kind, entry, first_visit
from ucspi_py.core.greylist.records.report import BOUNDS, FirstVisit, Recent, Tally
from ucspi_py.core.greylist.records.where import Letter, Wanted
from ucspi_py.core.greylist.settings import GreylistSettings
from ucspi_py.core.greylist.triplet.key import identity_key, normalised, triplet_key
from ucspi_py.core.store.change import Kept, Row

NOW, DELAY, WINDOW, MEMORY = 1_800_000_000, 300, 172_800, 3_024_000
SETTINGS = GreylistSettings("db", DELAY, WINDOW, MEMORY, NETWORK, 60)


def seen(kind: Kind, row: Row, expires: int = NOW + MEMORY) -> Entry:
    """What is seen of a record."""
    return entry(kind, Kept("key", row, expires))


@pytest.mark.parametrize(
    ("kind", "row", "expected"),
    [
        (Kind.NETWORK, (1, None), (1, None, None, None)),
        (Kind.NETWORK, (NOW - 400, NOW), (NOW - 400, NOW, 400, None)),
        (Kind.NETWORK, (NOW - 30_240, NOW), (NOW - 30_240, NOW, 30_240, None)),
        (Kind.NETWORK, (NOW - 30_241, NOW), (NOW - 30_241, NOW, None, None)),
        (Kind.NETWORK, (NOW, NOW), (NOW, NOW, None, None)),
        (Kind.NETWORK, (NOW + 5, NOW), (NOW + 5, NOW, None, None)),
        (Kind.TRIPLET, (1, 1, None), (1, None, None, None)),
        (Kind.TRIPLET, (1, 100, None), (1, None, None, None)),
        (Kind.TRIPLET, (1, 301, None), (1, 301, None, None)),
        (Kind.TRIPLET, (1, 61, 60), (1, 61, 60, None)),
        (Kind.TRIPLET, (1, NOW, 400), (1, NOW, 400, None)),
        (Kind.CLIENT, (5, NOW), (None, NOW, None, 5)),
    ],
)
def test_what_is_seen(kind: Kind, row: Row, expected: tuple[int | None, ...]) -> None:
    """First visit, when it was let in, how long it waited, and passes; a delay only where it is certain."""
    assert seen(kind, row) == (kind, "key", *expected, NOW + MEMORY)


@given(
    st.lists(st.integers(1, MEMORY // 50), min_size=1, max_size=20),
    st.integers(1, 2_000),
    st.integers(1_000, MEMORY),
)
def test_a_delay_that_is_seen_is_the_first_one(steps: list[int], delay: int, memory: int) -> None:
    """However often a network comes, what is told of its delay is how long it waited, or nothing."""
    settings = GreylistSettings("db", delay, WINDOW, memory, NETWORK, 60)
    record, now, first_delay = None, NOW, None
    for step in (0, *steps):
        now += step
        was_in = record is not None and record.passed is not None
        if record is not None and network.expiry(record, settings) < now:
            was_in, first_delay = False, None
        record = network.decide(record, now, settings).record
        if record.passed is not None and not was_in:
            first_delay = now - record.first

        told = seen(Kind.NETWORK, record, network.expiry(record, settings)).waited
        assert told in (None, first_delay)


@pytest.mark.parametrize(
    ("kind", "row", "expected"),
    [
        (Kind.NETWORK, (1, None), FirstVisit(1, False)),
        (Kind.NETWORK, (NOW - 400, NOW), FirstVisit(NOW - 400, True, 400)),
        (Kind.NETWORK, (NOW, NOW), None),
        (Kind.TRIPLET, (1, 1, None), FirstVisit(1, False)),
        (Kind.TRIPLET, (1, 401, 400), FirstVisit(1, True, 400)),
        (Kind.CLIENT, (5, NOW), None),
    ],
)
def test_first_visits(kind: Kind, row: Row, expected: FirstVisit | None) -> None:
    """Clients have none, nor has what was let in by hand."""
    assert first_visit(seen(kind, row)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.7", "192.0.2.7/32"),
        ("192.0.2.7/24", "192.0.2.0/24"),
        ("::ffff:192.0.2.7", "192.0.2.7/32"),
        ("[2001:DB8::1]", "2001:db8::1/128"),
        ("2001:db8::1/32", "2001:db8::/32"),
        ("Mail.Example.ORG.", "mail.example.org"),
        ("3com.example", "3com.example"),
        ("", None),
        ("example", None),
        ("192.0.2", None),
        ("192.0.2.7/33", None),
        ("192.0.2.256", None),
        ("192.0.2.7 ", None),
        ("exa mple.org", None),
        ("/24", None),
        ("é.example", None),
    ],
)
def test_a_place(text: str, expected: str | None) -> None:
    """A network, an address or a domain; anything else is refused with its own words."""
    if expected is None:
        with pytest.raises(ValueError, match=r"is no address, no network and no domain$"):
            where.place(text)
    else:
        assert str(where.place(text)) == expected


def means(wanted: Wanted, key: str) -> bool:
    """Whether a record is found there."""
    return key in wanted.keys or (any(map(key.startswith, wanted.beginnings)) and wanted.holds(key))


def of(text: str, kind: Kind) -> Wanted:
    """What a place means of a kind."""
    return next(one for one in where.wanted(where.place(text)) if one.kind is kind)


networks = st.one_of(
    st.tuples(st.integers(0, 2**11 - 1).map(lambda n: 0x0A000000 + (n << 7)), st.integers(15, 32)).map(
        lambda n: ipaddress.ip_network((n[0], n[1]), strict=False)
    ),
    st.tuples(st.integers(0, 2**11 - 1).map(lambda n: (0x20010DB8 << 96) + (n << 63)), st.integers(55, 128)).map(
        lambda n: ipaddress.ip_network((n[0], n[1]), strict=False)
    ),
)


@given(networks, networks)
@example(ipaddress.ip_network("2001:db8::/60"), ipaddress.ip_network("2001:db8::/64"))
@example(ipaddress.ip_network("2001:db8:1::/60"), ipaddress.ip_network("2001:db8:1:0:8::/80"))
@example(ipaddress.ip_network("10.1.0.0/16"), ipaddress.ip_network("10.1.0.0/24"))
def test_records_around_a_place_and_in_it(place: where.Network, key: where.Network) -> None:
    """Whatever prefixes a greylist has: those that overlap."""
    expected = place.version == key.version and place.overlaps(key)

    assert means(of(str(place), Kind.NETWORK), str(key)) == expected
    if key.prefixlen == key.max_prefixlen:
        assert means(of(str(place), Kind.CLIENT), str(key.network_address)) == expected


@pytest.mark.parametrize(
    ("place", "identity", "expected"),
    [
        ("192.0.2.7", "192.0.2.0/24", True),
        ("192.0.2.7", "192.0.0.0/16", True),
        ("192.0.2.7", "192.0.2.7/32", True),
        ("192.0.2.7", "192.0.3.0/24", False),
        ("192.0.0.0/16", "192.0.2.0/24", True),
        ("192.0.0.0/16", "192.1.2.0/24", False),
        ("192.0.2.0/25", "192.0.2.0/24", True),
        ("2001:db8::1", "2001:db8::/64", True),
        ("2001:db8::/56", "2001:db8:0:ff::/64", True),
        ("Example.org", "example.org", True),
        ("example.org", "www.example.org", False),
    ],
)
def test_triplets_of_a_place(place: str, identity: str, expected: bool) -> None:
    """They are found by the hash of who sent them."""
    key = triplet_key(identity.encode(), b"joe@example.org", b"ann@example.net")

    assert means(of(place, Kind.TRIPLET), key) is expected


def test_a_triplet() -> None:
    """It is found by the hash of all three, the sender as greylists have it."""
    (wanted,) = where.wanted(where.place("192.0.2.7"), Letter(b"joe+news@example.org", b"ann@example.net"))

    assert wanted.kind is Kind.TRIPLET
    assert triplet_key(b"192.0.2.0/24", b"joe@example.org", b"ann@example.net") in wanted.keys
    assert wanted.beginnings == ()
    assert len(set(wanted.keys)) == len(wanted.keys)
    assert normalised(b"joe+news@example.org") == b"joe@example.org"


def test_a_domain_has_nothing_but_triplets() -> None:
    """Networks and clients are kept by addresses."""
    (wanted,) = where.wanted("example.org")

    assert (wanted.kind, wanted.beginnings) == (Kind.TRIPLET, (identity_key(b"example.org"),))


@pytest.mark.parametrize("text", ["0.0.0.0/0", "10.0.0.0/7", "::/0", "2001:db8::/32"])
def test_a_place_that_is_too_large(text: str) -> None:
    """It is refused instead of half searched."""
    with pytest.raises(ValueError, match="is more than 65536 networks"):
        where.wanted(where.place(text))


@pytest.mark.parametrize(
    ("text", "prefixes", "expected"),
    [
        ("192.0.2.7", Prefixes(24, 64), ["192.0.2.0/24"]),
        ("192.0.2.0/23", Prefixes(24, 64), ["192.0.2.0/24", "192.0.3.0/24"]),
        ("192.0.2.7", Prefixes(16, 64), ["192.0.0.0/16"]),
        ("2001:db8::1", Prefixes(24, 48), ["2001:db8::/48"]),
    ],
)
def test_networks_of_a_greylist(text: str, prefixes: Prefixes, expected: list[str]) -> None:
    """Those in a larger network, or the one around a smaller."""
    place = where.place(text)
    assert not isinstance(place, str)
    assert list(map(str, where.parts(place, prefixes, 2))) == expected


def test_a_report() -> None:
    """Within the window each first visit counts once; of all that were let in, the delay where it is known."""
    tally = Tally(NOW, DELAY, WINDOW)
    for visited in (
        FirstVisit(NOW - 299, False),
        FirstVisit(NOW - 300, False),
        FirstVisit(NOW - WINDOW, False),
        FirstVisit(NOW - WINDOW - 1, False),
        FirstVisit(NOW - 1000, True, 600),
        FirstVisit(NOW - 90_000, True),
        FirstVisit(1, True, 601),
        FirstVisit(1, True, 200_000),
        FirstVisit(NOW + 10, False),
    ):
        tally.count(visited)

    report = tally.report()
    assert (report.records, report.delays, report.unknown) == (9, 3, 1)
    assert report.recent == Recent(let_in=2, never=2, waiting=2)
    assert report.quantiles == {50: 601, 75: 200_000, 90: 200_000, 95: 200_000, 99: 200_000, 100: 200_000}
    assert report.bars == {600: 1, 1200: 1, 1800: 0, 3600: 0, 7200: 0, 14400: 0, 28800: 0, 86400: 0, 172800: 0, None: 1}


def test_a_report_of_nothing() -> None:
    """There is nothing to tell."""
    report = Tally(NOW, DELAY, WINDOW).report()

    assert (report.records, report.recent, report.quantiles, report.bars) == (0, Recent(0, 0, 0), {}, {})


@given(st.lists(st.integers(0, 300_000), min_size=1))
def test_quantiles_and_bars(delays: list[int]) -> None:
    """So many percent took no longer, and each visit is in one bar."""
    tally = Tally(NOW, DELAY, WINDOW)
    for delay in delays:
        tally.count(FirstVisit(1, True, delay))
    report = tally.report()

    for percent, longest in report.quantiles.items():
        assert sum(delay <= longest for delay in delays) * 100 >= percent * len(delays)
        assert sum(delay < longest for delay in delays) * 100 < percent * len(delays)
    assert report.quantiles[100] == max(delays)
    for lower, bound in zip((-1, *BOUNDS), (*BOUNDS, None), strict=True):
        count = sum(lower < delay and (bound is None or delay <= bound) for delay in delays)
        assert report.bars.get(bound, 0) == count


def test_the_tables_are_those_of_the_greylists() -> None:
    """What is listed is what pygreylist keeps."""
    assert visit.TENANT.table == "greylist"
    assert seen(Kind.NETWORK, network.decide(Record(NOW - DELAY), NOW, SETTINGS).record).waited == DELAY
