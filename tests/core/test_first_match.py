"""A list of which the first match decides, and the rules that do the same, held against each other."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.rules_tools import table
from ucspi_py.core.importers.first_match import Entry, rules
from ucspi_py.core.importers.imported import EVERYBODY, NAMED, Name, Subject, contains, network, prefix
from ucspi_py.core.rules_cidr import Network
from ucspi_py.core.rules_data import instructions
from ucspi_py.core.rules_match import match

_OCTETS = st.sampled_from([0, 1, 127, 128, 255])


@st.composite
def _networks(draw: st.DrawFn) -> Network:
    length = draw(st.integers(0, 32))
    base = int.from_bytes(bytes(draw(st.lists(_OCTETS, min_size=4, max_size=4))), "big")
    return Network(32, base >> (32 - length) << (32 - length), length)


_NAMES = st.builds(Name, st.sampled_from(["a", "b.a", "c.b.a", "d"]), st.booleans())


def _entries(subjects: st.SearchStrategy[Subject]) -> st.SearchStrategy[list[Entry]]:
    some = st.lists(subjects, max_size=2).map(tuple)
    entry = st.builds(Entry, st.sampled_from([b"allow", b"deny"]), some, some, some)
    return st.lists(entry, max_size=6)


def _denied_by_list(entries: list[Entry], client: Subject) -> bool:
    """Ask the list about a single client, entry by entry."""
    for entry in entries:
        if entry.is_about(client):
            return entry.instructions == b"deny"
    return False


def _denied_by_rules(lines: tuple[bytes, ...], ip: bytes, host: bytes | None = None) -> bool:
    decided = match(table(*lines), ip, host)
    return decided is not None and instructions(decided.value).deny


@given(_entries(st.one_of(_networks(), st.just(EVERYBODY))), st.lists(_OCTETS, min_size=4, max_size=4))
def test_an_address_meets_the_same_entry(entries: list[Entry], octets: list[int]) -> None:
    ip = ipaddress.IPv4Address(bytes(octets))

    denied = _denied_by_rules(rules(entries), str(ip).encode())

    assert denied == _denied_by_list(entries, Network(32, int(ip), 32))


@given(_entries(st.one_of(_NAMES, st.just(NAMED), st.just(EVERYBODY))), st.sampled_from(["a", "b.a", "x.c.b.a", "e.d"]))
def test_a_name_meets_the_same_entry(entries: list[Entry], host: str) -> None:
    denied = _denied_by_rules(rules(entries), b"1.2.3.4", host.encode())

    assert denied == _denied_by_list(entries, Name(host, below=False))


def test_an_entry_without_effect_is_no_rule() -> None:
    wide, narrow = Network(32, 10 << 24, 8), Network(32, 10 << 24, 16)

    assert rules([Entry(b"allow", (wide,)), Entry(b"deny", (narrow,))]) == (b"10.:allow",)


def test_a_long_list_is_no_long_work() -> None:
    entries = [Entry(b"deny", (Network(32, number << 8, 24),)) for number in range(50_000)]

    assert len(rules(entries)) == 50_000


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
