"""Which attempts are one triplet, and which clients are one."""

import pytest

from ucspi_py.core.client.limits import Prefixes
from ucspi_py.core.greylist.attempt import Attempt
from ucspi_py.core.greylist.triplet.identity import client_key, identity
from ucspi_py.core.greylist.triplet.key import identity_key, neighbourhood, normalised, triplet_key
from ucspi_py.core.greylist.triplet.organisation import organisation
from ucspi_py.core.greylist.triplet.settings import TripletSettings


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        (b"", b""),
        (b"17", b"17"),
        (b"user@17.example", b"user@17.example"),
        (b"user+extension@example.com", b"user@example.com"),
        (b"list-123-x@example.com", b"list-#-x@example.com"),
        (b"list-456-x@example.com", b"list-#-x@example.com"),
        (b"v1@example.com", b"v1@example.com"),
        (b"a_1@example.com", b"a_1@example.com"),
        (b"prvs=0123456789=user@example.com", b"user@example.com"),
        (b"prvs=user=0123456789@example.com", b"user@example.com"),
        (b"prvs=0123456789=0123456789@example.com", b"#@example.com"),
        (b"prvs=short=user@example.com", b"user@example.com"),
        (b"prvs=0123456789=user==@example.com", b"user@example.com"),
        (b"prvs=a=b=c@example.com", b"prvs=a=b=c@example.com"),
        (b"PRVS=0123456789=user@example.com", b"PRVS=#=user@example.com"),
        (b"a@b@c", b"a@b@c"),
    ],
)
def test_what_changes_with_each_message_is_taken_from_a_sender(sender: bytes, expected: bytes) -> None:
    """Extensions, numbers and tags; the domain stays."""
    assert normalised(sender) == expected


def test_a_key_is_16_bytes_in_hexadecimal_digits() -> None:
    """In front those of the client, whoever writes to whom; capitals make no difference."""
    key = triplet_key(b"192.0.2.0/24", b"s@example.com", b"r@example.org")

    assert len(bytes.fromhex(key)) == 16
    assert key == triplet_key(b"192.0.2.0/24", b"S@Example.com", b"R@EXAMPLE.org")
    assert neighbourhood(key) == identity_key(b"192.0.2.0/24")
    assert neighbourhood(key) == neighbourhood(triplet_key(b"192.0.2.0/24", b"", b"r@example.org"))
    assert key != triplet_key(b"192.0.2.0/24", b"", b"r@example.org")
    assert neighbourhood(key) != neighbourhood(triplet_key(b"192.0.3.0/24", b"s@example.com", b"r@example.org"))


@pytest.mark.parametrize(
    ("name", "helo", "expected"),
    [
        (b"mx1.example.com", b"out.example.com", b"example.com"),
        (b"MX1.Example.com.", b"example.com", b"example.com"),
        (b"example.com", b"mx.example.com", b"example.com"),
        (b"mx.example.co.uk", b"out.example.co.uk", b"example.co.uk"),
        (b"mx.example.com.au", b"out.example.com.au", b"example.com.au"),
        (b"mx.one.co.uk", b"mx.other.co.uk", None),
        (b"co.uk", b"co.uk", None),
        (b"com", b"com", None),
        (b"unknown", b"unknown", None),
        (b"", b"", None),
        (b"mx..example.com", b"a..example.com", None),
        (b"mx.example..com", b"mx.example..com", None),
        (b"mx1.example.com", b"mx1.example.net", None),
        (b"mx1.example.com", b"", None),
        (b"mx1.example.com", b"[192.0.2.77]", None),
        (b"192.0.2.77", b"192.0.2.77", None),
        (b"host-192-0-2-77.example.com", b"x.example.com", None),
        (b"77.2.pool.example.com", b"x.example.com", None),
        (b"077-002.example.com", b"x.example.com", None),
        (b"192000002077.example.com", b"x.example.com", None),
        (b"c000024d.example.com", b"x.example.com", None),
        (b"mx77.example.com", b"x.example.com", b"example.com"),
    ],
)
def test_an_organisation_by_its_names(name: bytes, helo: bytes, expected: bytes | None) -> None:
    """The domain that is registered, where both names have it and none is made of the address."""
    assert organisation(Attempt(b"192.0.2.77", name, helo, b"", b"")) == expected


@pytest.mark.parametrize(
    ("ip", "name", "expected"),
    [
        (b"192.7.7.1", b"mx7.example.com", b"example.com"),
        (b"192.7.7.1", b"mx7-7.example.com", None),
        (b"192.7.7.1", b"007-192.example.com", None),
        (b"192.0.0.1", b"mx0-0-00.example.com", b"example.com"),
        (b"\xff", b"mx.example.com", None),
        (b"", b"mx.example.com", None),
    ],
)
def test_a_name_that_is_made_of_its_address(ip: bytes, name: bytes, expected: bytes | None) -> None:
    """Two of its numbers stand there, zeros not counted; without an address nobody can tell."""
    assert organisation(Attempt(ip, name, b"example.com", b"", b"")) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (b"mx6.example.com", b"example.com"),
        (b"2001-db8--a5-77.example.com", None),
        (b"20010db8000000000000000000a50078.example.com", b"example.com"),
        (b"20010db8000000000000000000a50077.example.com", None),
        (b"7.7.0.0.5.a.0.0.0.0.0.0.0.0.0.0.example.com", None),
    ],
)
def test_an_organisation_by_its_names_of_ipv6(name: bytes, expected: bytes | None) -> None:
    """A name may have the groups of its address, or its digits in either order."""
    assert organisation(Attempt(b"2001:db8::a5:77", name, b"example.com", b"", b"")) == expected


ATTEMPT = Attempt(b"192.0.2.77", b"mx1.example.com", b"out.example.com", b"s@example.com", b"r@example.org")


@pytest.mark.parametrize(
    ("settings", "attempt", "expected"),
    [
        pytest.param(TripletSettings("db"), ATTEMPT, b"192.0.2.0/24", id="network"),
        pytest.param(TripletSettings("db", network=Prefixes(32, 128)), ATTEMPT, b"192.0.2.77/32", id="address"),
        pytest.param(TripletSettings("db", by_name=True), ATTEMPT, b"example.com", id="organisation"),
        pytest.param(
            TripletSettings("db", by_name=True), ATTEMPT._replace(helo=b"x"), b"192.0.2.0/24", id="no organisation"
        ),
        pytest.param(TripletSettings("db", by_name=True), ATTEMPT._replace(ip=b"x"), None, id="no address"),
        pytest.param(
            TripletSettings("db"), ATTEMPT._replace(ip=b"2001:db8:0:1::2"), b"2001:db8:0:1::/64", id="network of IPv6"
        ),
    ],
)
def test_who_a_client_is(settings: TripletSettings, attempt: Attempt, expected: bytes | None) -> None:
    """Its network, or what its names tell of."""
    assert identity(attempt, settings) == expected


@pytest.mark.parametrize(
    ("counts_networks", "ip", "expected"),
    [
        (True, b"192.0.2.77", "192.0.2.0/24"),
        (False, b"192.0.2.77", "192.0.2.77"),
        (True, b"2001:DB8::1", "2001:db8::/64"),
        (False, b"2001:DB8:0::1", "2001:db8::1"),
        (True, b"", None),
        (False, b"x", None),
    ],
)
def test_where_the_passes_of_a_client_are_counted(counts_networks: bool, ip: bytes, expected: str | None) -> None:
    """By its network, where a greylist of networks finds them, or by its address, as in postgrey."""
    settings = TripletSettings("db", by_name=True, counts_networks=counts_networks)

    assert client_key(ATTEMPT._replace(ip=ip), settings) == expected
