"""Rules that other rules leave nothing to decide."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.rules_tools import table, text
from ucspi_py.core.lint.lint import lint
from ucspi_py.core.rules.match import match


def _told(*lines: bytes) -> list[tuple[int, str]]:
    return [(one.line, one.sentence) for one in lint(text(lines)) if not one.error]


@pytest.mark.parametrize(
    ("first", "second", "what"),
    [
        (b"1.2.3.4:allow", b"1.2.3.4:deny", "1.2.3.4"),
        (b"1.2.:allow", b"1.2.0.0/16:deny", "1.2.0.0/16"),
        (b"1.2.0.0/17:allow", b"1.2.0.0/17:deny", "1.2.0.0/17"),
        (b"1.2.3.4:allow", b"::ffff:1.2.3.4:deny", "::ffff:1.2.3.4"),
        (b"2001:db8::/32:allow", b"[2001:DB8::]/32:deny", "[2001:DB8::]/32"),
        (b"=host:allow", b"=host:deny", "=host"),
        (b"a@::1:allow", b"a@0::1:deny", "a@0::1"),
        (b":allow", b":deny", "the default"),
        (b"1.2-4.:allow", b"1.3.:deny", "1.3."),
        (b"1.2-4.:allow", b"1.3-4.:deny", "1.3-4."),
    ],
)
def test_the_later_of_two_rules_about_the_same_is_dead(first: bytes, second: bytes, what: str) -> None:
    between = [b"# one", b"9.9.9.9:deny", b""]

    assert _told(first, *between, second) == [(5, f"line 1 decides about {what} already, so this line never does")]


def test_a_range_is_told_which_part_of_it_is_dead() -> None:
    told = _told(b"1.2.3.4:allow", b"1.2.3.5-9:allow", b"1.2.3.0-20:deny")

    assert told == [
        (3, "line 1 decides about 1.2.3.4 already, so this line does not"),
        (3, "line 2 decides about 1.2.3.5 and 4 more already, so this line does not"),
    ]


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        (b"1.2.", [b"1.2.0-255."]),
        (b"1.2.3.", [b"1.2.3.0-127", b"1.2.3.128-255"]),
        (b"1.2.3.0/24", [b"1.2.3.0/25", b"1.2.3.128/25"]),
        (b"1.2.3.0/25", [b"1.2.3.0/26", b"1.2.3.64-127"]),
        (b"2001:db8::/32", [b"2001:db8::/33", b"2001:db8:8000::/34", b"2001:db8:c000::/34"]),
        (b"2001:db8::/127", [b"2001:db8::", b"2001:db8::1"]),
    ],
)
def test_a_rule_is_dead_where_narrower_ones_cover_it(wide: bytes, narrow: list[bytes]) -> None:
    lines = [address + b":deny" for address in [*narrow[:1], wide, *narrow[1:]]]
    address = wide.decode()

    assert _told(*lines) == [(2, f"every address of {address} has a more specific rule, so this line never decides")]
    assert _told(*lines[1:]) == []


def test_a_filled_prefix_is_found_in_plain_rules() -> None:
    lines = [b"1.2.3.%d:deny" % octet for octet in range(256)]

    assert [line for line, _ in _told(b"1.2.3.:allow", *lines)] == [1]
    assert _told(b"1.2.3.:allow", *lines[:100], *lines[101:]) == []


def test_the_default_rule_is_dead_where_both_families_are_covered() -> None:
    assert _told(b"0.0.0.0/0:deny", b"::/0:deny", b":allow") == [
        (3, "every address has a more specific rule, so this line never decides")
    ]
    assert _told(b"0.0.0.0/0:deny", b":allow") == []


def test_a_line_that_never_matches_is_not_told_twice() -> None:
    assert [line for line, _ in _told(b"10.0:deny", b"10.0:deny")] == [1, 2]


_OCTETS = st.sampled_from([0, 1, 128, 255])


@st.composite
def _networks(draw: st.DrawFn) -> ipaddress.IPv4Network:
    length = draw(st.integers(20, 32))
    base = 10 << 24 | draw(_OCTETS) << 8 | draw(_OCTETS)
    return ipaddress.IPv4Network((base >> (32 - length) << (32 - length), length))


@given(st.lists(_networks(), min_size=1, max_size=14))
def test_a_rule_is_called_dead_exactly_if_no_client_meets_it(networks: list[ipaddress.IPv4Network]) -> None:
    lines = [f'{network}:allow,RULE="{number}"'.encode() for number, network in enumerate(networks, 1)]
    get = table(*lines)
    met = set()
    for edge in {int(end) + step for network in networks for end in (network[0], network[-1]) for step in (-1, 0, 1)}:
        decided = match(get, str(ipaddress.IPv4Address(edge)).encode())
        if decided:
            met.add(int(decided.value.split(b"=")[1].rstrip(b"\0")))

    assert {line for line, _ in _told(*lines)} == set(range(1, len(networks) + 1)) - met
