"""Networks in the rules, held against Python's ipaddress."""

import ipaddress
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.rules_tools import table
from ucspi_py.core.address import canonical
from ucspi_py.core.errors import CorruptRules
from ucspi_py.core.rules import cidr as rules_cidr
from ucspi_py.core.rules import ipv6 as rules_ipv6
from ucspi_py.core.rules.data import instructions
from ucspi_py.core.rules.match import keys, match
from ucspi_py.core.rules.source import compiled

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _bases(bits: int) -> st.SearchStrategy[int]:
    """Numbers that lie close together as often as not, so that networks overlap."""
    few = st.sampled_from([0, 1, 0x7F, 0x80, 0xFF])
    return st.lists(few, min_size=bits // 8, max_size=bits // 8).map(lambda octets: int.from_bytes(octets, "big"))


@st.composite
def _networks(draw: st.DrawFn) -> Network:
    if draw(st.booleans()):
        length = draw(st.integers(0, 32))
        return ipaddress.IPv4Network((draw(_bases(32)) >> (32 - length) << (32 - length), length))
    length = draw(st.integers(0, 128))
    return ipaddress.IPv6Network((draw(_bases(128)) >> (128 - length) << (128 - length), length))


@st.composite
def _addresses(draw: st.DrawFn) -> Address:
    if draw(st.booleans()):
        return ipaddress.IPv4Address(draw(_bases(32)))
    address = ipaddress.IPv6Address(draw(_bases(128)))
    return address if address.ipv4_mapped is None else address.ipv4_mapped


def _line(number: int, network: Network) -> bytes:
    return f'{network}:allow,RULE="{number}"'.encode()


def _decided_by_ipaddress(networks: list[Network], address: Address) -> bytes | None:
    """The rule that should decide: the narrowest network, the first one of several that are the same."""
    around = [(network.prefixlen, -number) for number, network in enumerate(networks) if _holds(network, address)]
    return str(-max(around)[1]).encode() if around else None


def _holds(network: Network, address: Address) -> bool:
    """Whether an address lies in a network; one inside ::ffff:0:0/96 is of IPv4."""
    if isinstance(network, ipaddress.IPv6Network) and network.subnet_of(ipaddress.IPv6Network("::ffff:0:0/96")):
        mapped = int(network.network_address) & 0xFFFFFFFF
        return address in ipaddress.IPv4Network((mapped, network.prefixlen - 96))
    return address in network


@given(st.lists(_networks(), max_size=12), st.lists(_addresses(), min_size=1, max_size=12))
def test_the_narrowest_network_decides_wherever_it_stands(networks: list[Network], addresses: list[Address]) -> None:
    get = table(*(_line(number, network) for number, network in enumerate(networks)))

    for address in addresses:
        decided = match(get, str(address).encode())

        told = dict(instructions(decided.value).variables)[b"RULE"] if decided else None
        assert told == _decided_by_ipaddress(networks, address), (networks, address)


@given(st.integers(0, 32), _bases(32))
def test_an_ipv4_network_is_exactly_its_keys(length: int, base: int) -> None:
    network = ipaddress.IPv4Network((base >> (32 - length) << (32 - length), length))
    found = rules_cidr.network(str(network).encode())
    assert found is not None

    blocks = list(_blocks(rules_cidr.keys(found)))

    assert list(ipaddress.collapse_addresses(blocks)) == [network]
    assert sum(block.num_addresses for block in blocks) == network.num_addresses
    assert len(blocks) <= (256 if length == 0 else 128)


def _blocks(found: list[bytes]) -> Iterator[ipaddress.IPv4Network]:
    for key in found:
        octets = key.decode().rstrip(".").split(".")
        yield ipaddress.IPv4Network(f"{'.'.join(octets + ['0'] * (4 - len(octets)))}/{8 * len(octets)}")


@pytest.mark.parametrize(
    "address",
    [b"10.0.0.1/8", b"10.0.0.0/33", b"10.0.0.0/08", b"10.0.0/8", b"010.0.0.0/8", b"256.0.0.0/8", b"10.0.0.0/", b"/8"],
)
def test_what_is_no_ipv4_network_stays_the_key_that_c_makes_of_it(address: bytes) -> None:
    assert rules_cidr.network(address) is None
    assert list(compiled(address + b":deny\n")) == [(address, b"D\0")]


def test_a_plain_rule_beats_a_network_that_shares_its_octets() -> None:
    get = table(b"10.0.0.0/9:deny", b"10.5.:allow", b"10.6.0.0/16:allow", b"10.7.7.7:allow")

    for ip in (b"10.5.1.1", b"10.6.1.1", b"10.7.7.7"):
        decided = match(get, ip)
        assert decided is not None and not instructions(decided.value).deny
    denied = match(get, b"10.7.7.8")
    assert denied is not None and instructions(denied.value).deny


@pytest.mark.parametrize(
    ("written", "key"),
    [
        (b"2001:DB8:0::1", b"2001:db8::1"),
        (b"[2001:db8::1]", b"2001:db8::1"),
        (b"2001:db8::1/128", b"2001:db8::1"),
        (b"::ffff:10.1.2.3", b"10.1.2.3"),
        (b"::ffff:10.1.0.0/112", b"10.1."),
        (b"j@[2001:DB8::1]", b"j@2001:db8::1"),
        (b"j@2001:db8::1", b"j@2001:db8::1"),
        (b"8000::/1", b":1"),
        (b"[4000::/2]", b":01"),
        (b"[4000::]/2", b":01"),
        (b"::/0", b":"),
    ],
)
def test_ipv6_is_stored_in_one_form(written: bytes, key: bytes) -> None:
    assert next(iter(compiled(written + b':allow,X="a:b"\n'))) == (key, b"+X=a:b\0")


def test_only_the_prefix_lengths_that_occur_are_asked_for() -> None:
    get = table(b"2001:db8::/32:allow", b"2001:db8:1::/48:deny", b"2001:db8::9:deny")

    asked = list(keys(b"2001:db8:1::1", b"a.b", None, get))

    lengths = [len(key) - 1 for key in asked if key.startswith((b":0", b":1"))]
    assert lengths == [48, 32]
    assert asked[0] == b"2001:db8:1::1" and asked[1] == b"=a.b" and asked[-3:] == [b"=.b", b"=", b""]


def test_an_ipv4_client_costs_no_question_more() -> None:
    asked: list[bytes] = []

    match(asked.append, b"1.2.3.4")

    assert asked == [b"1.2.3.4", b"1.2.3.", b"1.2.", b"1.", b""]


@pytest.mark.parametrize("stored", [b":200\0", b":x\0", b":\0", b":-1\0"])
def test_a_damaged_list_of_lengths_lets_nobody_in(stored: bytes) -> None:
    with pytest.raises(CorruptRules):
        match({rules_ipv6.LENGTHS: stored}.get, b"::1")


def test_a_table_without_ipv6_networks_has_no_list_of_lengths() -> None:
    written = [key for key, _ in compiled(b"2001:db8::1:deny\n10.0.0.0/9:deny\n")]

    assert rules_ipv6.LENGTHS not in written


@pytest.mark.parametrize("ip", [b"", b"no address", b"::zz", b"\xff"])
def test_what_is_no_address_has_no_networks(ip: bytes) -> None:
    assert list(rules_ipv6.keys(ip, table(b"::/0:deny"))) == []


@given(st.integers(0, 127), st.integers(0, 2**128 - 1))
def test_the_key_of_an_ipv6_network_leads_back_to_it(length: int, base: int) -> None:
    network = rules_cidr.Network(128, base >> (128 - length) << (128 - length), length)

    assert rules_ipv6.from_key(rules_ipv6.key(network)) == network


@pytest.mark.parametrize("key", [b"", b"1.2.", b":/", b":012", b":" + b"0" * 128, b":1x"])
def test_other_keys_are_no_ipv6_networks(key: bytes) -> None:
    assert rules_ipv6.from_key(key) is None


def test_the_matcher_and_the_compiler_agree_about_the_form_of_an_address() -> None:
    get = table(b"2001:0DB8:0:0::1:deny")

    decided = match(get, canonical("2001:db8:0:0:0:0:0:1%eth0"))

    assert decided is not None and decided.key == b"2001:db8::1"
