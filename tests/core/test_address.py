"""Canonical addresses and their DNSBL names."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.address import canonical, is_ipv6, network_of, reversed_name

CANONICAL = [
    ("1.2.3.4", b"1.2.3.4"),
    ("::ffff:1.2.3.4", b"1.2.3.4"),
    ("::FFFF:0102:0304", b"1.2.3.4"),
    ("2001:DB8:0:0::1", b"2001:db8::1"),
    ("fe80::1%eth0", b"fe80::1"),
    ("::", b"::"),
    ("::1.2.3.4", b"::102:304"),
]

REVERSED = [
    (b"127.0.0.2", b"2.0.0.127."),
    (b"1", b"1."),
    (b"", b""),
    (b"2001:db8::1", b"1." + 23 * b"0." + b"8.b.d.0.1.0.0.2."),
    (b"not:an:address", b""),
    (b"\xff:", b""),
]


@pytest.mark.parametrize(("ip", "expected"), CANONICAL)
def test_an_address_has_one_form(ip: str, expected: bytes) -> None:
    """Rules, counts and logs see the same client under one name."""
    assert canonical(ip) == expected


@pytest.mark.parametrize("ip", [":", "1::2::3", "::ffff:1.2.3", "%:"])
def test_what_is_no_address_is_refused(ip: str) -> None:
    """The kernel never gives such a thing; if it is given all the same, nothing is guessed."""
    with pytest.raises(ValueError, match=r"."):
        canonical(ip)


@pytest.mark.parametrize(("ip", "expected"), REVERSED)
def test_a_name_for_the_zones(ip: bytes, expected: bytes) -> None:
    """Octets or nibbles, last first."""
    assert reversed_name(ip) == expected


def test_a_mapped_address_has_nibbles_for_the_zones_on_every_python() -> None:
    """From 3.13 on the standard library writes dots into its long form."""
    mapped = ipaddress.IPv6Address("::ffff:1.2.3.4")

    assert reversed_name(str(mapped).encode()) == b"4.0.3.0.2.0.1.0.f.f.f.f." + 20 * b"0."


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_the_same_in_both_families(ip: ipaddress.IPv4Address) -> None:
    """A mapped address must meet the same rules, or a deny could be walked around."""
    assert canonical(f"::ffff:{ip}") == canonical(str(ip)) == str(ip).encode()
    assert not is_ipv6(canonical(f"::ffff:{ip}"))


@given(st.ip_addresses(v=6))
def test_all_spellings_are_one(ip: ipaddress.IPv6Address) -> None:
    """Long, short, in capitals or with a zone identifier."""
    assert len({canonical(text) for text in (ip.exploded, ip.compressed, ip.exploded.upper(), f"{ip}%1")}) == 1
    assert canonical(canonical(str(ip)).decode()) == canonical(str(ip))


@given(st.ip_addresses())
def test_the_reversed_name_is_the_one_of_reverse_lookups(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    """RFC 5782 takes its order from in-addr.arpa and ip6.arpa; the standard library knows those."""
    tree = "ip6.arpa" if ip.version == 6 else "in-addr.arpa"

    assert reversed_name(str(ip).encode()).decode() + tree == ip.reverse_pointer


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        (b"192.0.2.7", "192.0.0.0/20"),
        (b"2001:db8:0:1:2::7", "2001:db8:0:1::/64"),
        (b"::1", "::/64"),
    ],
)
def test_the_network_of_an_address_is_the_first_in_it_and_its_length(ip: bytes, network: str) -> None:
    assert network_of(ip, 20, 64) == network


@pytest.mark.parametrize(
    ("ipv4", "ipv6", "networks"), [(0, 0, ("0.0.0.0/0", "::/0")), (32, 128, ("192.0.2.7/32", "2001:db8::7/128"))]
)
def test_a_network_may_be_everything_or_one_address(ipv4: int, ipv6: int, networks: tuple[str, str]) -> None:
    assert (network_of(b"192.0.2.7", ipv4, ipv6), network_of(b"2001:db8::7", ipv4, ipv6)) == networks


def test_what_is_no_address_has_no_network() -> None:
    with pytest.raises(ValueError, match="unknown"):
        network_of(b"unknown", 24, 64)
