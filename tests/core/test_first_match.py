"""A list of which the first match decides, and the rules that do the same, held against each other."""

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.rules_tools import table
from ucspi_py.core.importers.first_match import Entry, rules
from ucspi_py.core.importers.imported import EVERYBODY, NAMED, UNNAMED, Name, Subject, contains, network, prefix
from ucspi_py.core.rules.cidr import Network
from ucspi_py.core.rules.data import DEFAULT, instructions
from ucspi_py.core.rules.match import match

_OCTETS = st.sampled_from([0, 1, 127, 128, 255])


@st.composite
def _networks(draw: st.DrawFn) -> Network:
    length = draw(st.integers(0, 32))
    base = int.from_bytes(bytes(draw(st.lists(_OCTETS, min_size=4, max_size=4))), "big")
    return Network(32, base >> (32 - length) << (32 - length), length)


_SOME_NETWORKS = ["0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/23", "10.1.2.0/25", "10.1.2.5", "::/8", "::5"]
_NAMES: st.SearchStrategy[Subject] = st.one_of(
    st.builds(Name, st.sampled_from(["a", "b.a", "c.b.a", "d"]), st.booleans()),
    st.sampled_from([EVERYBODY, NAMED, UNNAMED]),
)
_SUBJECTS = st.one_of(st.sampled_from([one for text in _SOME_NETWORKS if (one := network(text))]), _NAMES)
_CLIENTS = list(
    itertools.product(
        ["9.1.1.1", "10.9.9.9", "10.1.1.1", "10.1.3.3", "10.1.2.200", "10.1.2.5", "10.1.2.6", "::5", "::6", "a::"],
        [None, "a", "x.a", "b.a", "x.b.a", "c.b.a", "x.c.b.a", "d", "x.d", "e.f"],
    )
)


@st.composite
def _entry(draw: st.DrawFn, subjects: st.SearchStrategy[Subject]) -> Entry:
    some = st.lists(subjects, min_size=1, max_size=3).map(tuple)
    said = st.sampled_from([b"allow", b"deny", b'allow,RELAYCLIENT=""'])
    return Entry(draw(said), tuple(draw(st.lists(some, min_size=1, max_size=3))))


def _is_in(subject: Subject, ip: str, host: str | None) -> bool:
    if subject == UNNAMED:
        return host is None
    client: Subject | None = network(ip) if isinstance(subject, Network) else Name(host, False) if host else None
    return client is not None and contains(subject, client)


def _said_by_list(entries: list[Entry], ip: str, host: str | None, default: bytes = b"allow") -> bytes:
    """Ask the list about a client, entry by entry and list by list."""
    for entry in entries:
        inside = itertools.takewhile(lambda some: any(_is_in(one, ip, host) for one in some), entry.clients)
        if len(list(inside)) % 2:
            return entry.instructions
    return default


def _said_by_rules(get: Callable[[bytes], bytes | None], ip: str, host: str | None) -> bytes:
    decided = match(get, ip.encode(), host.encode() if host else None)
    said = instructions(decided.value) if decided else DEFAULT
    return b"deny" if said.deny else b'allow,RELAYCLIENT=""' if said.variables else b"allow"


@given(st.lists(_entry(_SUBJECTS), max_size=5), st.sampled_from([b"allow", b"deny"]))
def test_a_client_gets_what_the_list_says_or_less_and_that_is_told(entries: list[Entry], default: bytes) -> None:
    """Rules say what the list says of each client, or less where they cannot say it, and it is told that they do."""
    found = rules(entries, default)
    get = table(*found.lines)

    for ip, host in _CLIENTS:
        listed, said = _said_by_list(entries, ip, host, default), _said_by_rules(get, ip, host)
        is_less = said == b"deny" or (said == b"allow" and listed != b"deny")
        assert said == listed or (is_less and found.unsaid), (ip, host, listed, said, found)


@given(
    st.lists(_entry(st.one_of(_networks(), st.just(EVERYBODY))), max_size=6), st.lists(_OCTETS, min_size=4, max_size=4)
)
def test_all_can_be_said_of_a_list_without_names(entries: list[Entry], octets: list[int]) -> None:
    """A list of addresses alone becomes rules that say the same of each client."""
    ip = ".".join(map(str, octets))

    found = rules(entries)

    assert not found.unsaid
    assert _said_by_rules(table(*found.lines), ip, None) == _said_by_list(entries, ip, None)


@settings(max_examples=50)
@given(st.lists(_entry(_NAMES), max_size=6))
def test_all_can_be_said_of_a_list_without_addresses(entries: list[Entry]) -> None:
    """A list of names alone becomes rules that say the same of each client."""
    found = rules(entries)
    get = table(*found.lines)

    assert not found.unsaid
    assert all(_said_by_rules(get, *one) == _said_by_list(entries, *one) for one in _CLIENTS)


def test_an_entry_without_effect_is_no_rule() -> None:
    wide, narrow = Network(32, 10 << 24, 8), Network(32, 10 << 24, 16)

    assert rules([Entry(b"allow", ((wide,),)), Entry(b"deny", ((narrow,),))]).lines == (b"10.:allow",)


def test_a_long_list_is_no_long_work() -> None:
    """Tens of thousands of networks with exceptions and of names are read at once."""
    entries = [Entry(b"deny", ((Network(32, one << 8, 24),), (Network(32, one << 8, 32),))) for one in range(10_000)]
    entries += [Entry(b"deny", ((Name(f"host{one}.example.org", below=False),),)) for one in range(10_000)]

    assert len(rules(entries).lines) == 30_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.1.2.3", Network(32, 0x0A010203, 32)),
        ("10.1.2.3/8", Network(32, 0x0A000000, 8)),
        ("10.0.0.0/255.128.0.0", Network(32, 0x0A000000, 9)),
        ("[::1]", Network(128, 1, 128)),
        ("[::1]/127", Network(128, 0, 127)),
        ("::ffff:10.0.0.0/104", Network(32, 0x0A000000, 8)),
        ("10.1", None),
        ("10.0.0.0/33", None),
        ("::/129", None),
        ("example.org", None),
        ("::zz/8", None),
    ],
)
def test_networks_as_other_programs_write_them(text: str, expected: Network | None) -> None:
    assert network(text) == expected


@pytest.mark.parametrize("text", ["10", "10.", "10.1", "10.1.", "10.1.2", "10.1.2."])
def test_the_beginning_of_an_address_is_a_network(text: str) -> None:
    octets = text.rstrip(".").split(".")

    assert prefix(text) == network(".".join(octets + ["0"] * (4 - len(octets))) + f"/{8 * len(octets)}")
    assert prefix("256.") is None and prefix("1.2.3.4") is None and prefix(".") is None


def test_everybody_contains_everybody() -> None:
    for subject in (EVERYBODY, NAMED, Name("a", below=True), Network(128, 0, 0)):
        assert contains(EVERYBODY, subject)
        assert subject == EVERYBODY or not contains(subject, EVERYBODY)
