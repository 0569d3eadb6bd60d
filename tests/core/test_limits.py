"""How much of the service one client may have."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.client.limits import (
    BUSY,
    MESSAGE,
    ClientLimits,
    Excess,
    Prefixes,
    Presence,
    exceeded,
    keys,
    with_variables,
)

NONE = ClientLimits()
_COUNTS = st.integers(0, 50)
_PRESENCES = st.builds(Presence, _COUNTS, _COUNTS, _COUNTS, _COUNTS)
_IPV4 = st.integers(0, (1 << 32) - 1)
#: ff00::/8 is multicast, from which no client comes.
_IPV6 = st.integers(1, (0xFF << 120) - 1)


def _ipv4(number: int) -> bytes:
    return str(IPv4Address(number)).encode()


def _ipv6(number: int) -> bytes:
    return IPv6Address(number).exploded.encode()


@given(_PRESENCES)
def test_without_limits_everybody_is_welcome(presence: Presence) -> None:
    """None is no limit."""
    assert exceeded(NONE, presence) is None


def test_what_nobody_asked_for() -> None:
    """A network is a /24 or a /64, a rate one of a minute."""
    ipv4 = [keys(NONE, ip).network for ip in (b"10.1.2.3", b"10.1.2.255", b"10.1.3.3")]
    ipv6 = [keys(NONE, ip).network for ip in (b"2001:db8::1", b"2001:db8::ffff:0:0:1", b"2001:db8:0:1::1")]

    assert ipv4[0] == ipv4[1] != ipv4[2]
    assert ipv6[0] == ipv6[1] != ipv6[2]
    assert NONE.period == 60


@given(_COUNTS, _COUNTS)
def test_so_many_at_once_and_not_one_more(most: int, there: int) -> None:
    """A limit of n connections refuses the one that would be n + 1; 0 refuses everybody."""
    of_client = exceeded(ClientLimits(per_client=most), Presence(there, 0, 0))
    of_network = exceeded(ClientLimits(per_network=most), Presence(0, there, 0))

    assert bool(of_client) == bool(of_network) == (there + 1 > most)


@given(st.integers(1, 50), st.integers(1, 50))
def test_an_arrival_counts_itself(most: int, arrivals: int) -> None:
    """n arrivals within the period are welcome, the one after is not."""
    assert bool(exceeded(ClientLimits(arrivals=most), Presence(0, 0, arrivals))) == (arrivals > most)


@given(_COUNTS, _COUNTS)
def test_a_load_up_to_the_limit_is_none_too_many(most: int, load: int) -> None:
    """As the limits patch has it: refused above, not at, MAXLOAD."""
    assert bool(exceeded(ClientLimits(load=most), Presence(0, 0, 0, load))) == (load > most)


@pytest.mark.parametrize(
    ("limits", "presence", "reason"),
    [
        (ClientLimits(per_client=5), Presence(5, 0, 0), b"5/5 connections of the client"),
        (ClientLimits(per_network=2), Presence(9, 3, 0), b"3/2 connections of the network"),
        (ClientLimits(arrivals=5, period=9), Presence(0, 0, 6), b"6/5 connections of the client in 9 seconds"),
        (ClientLimits(load=350), Presence(0, 0, 0, 1205), b"load average 12.05, 3.50 at most"),
        (ClientLimits(per_client=1, per_network=1, load=1), Presence(1, 1, 0), b"1/1 connections of the client"),
    ],
)
def test_the_log_says_which_limit_it_was(limits: ClientLimits, presence: Presence, reason: bytes) -> None:
    """The count and the limit, in the words of the log."""
    excess = exceeded(limits, presence)

    assert excess
    assert excess.reason == reason


_FULL = Presence(9, 9, 9, 900)
_ONE_OF_EACH = [ClientLimits(per_client=1), ClientLimits(per_network=1), ClientLimits(load=1), ClientLimits(arrivals=1)]


@pytest.mark.parametrize(("limits", "said"), list(zip(_ONE_OF_EACH, [MESSAGE, MESSAGE, BUSY, MESSAGE], strict=True)))
def test_a_client_is_told_something_true(limits: ClientLimits, said: bytes) -> None:
    """Words of our own where the operator has none; a busy machine is not the client's fault."""
    excess = exceeded(limits, _FULL)

    assert excess
    assert excess.message == said


@pytest.mark.parametrize("limits", _ONE_OF_EACH)
@pytest.mark.parametrize(("text", "said"), [(b"421 no", b"421 no\r\n"), (b"", b"")])
def test_diemsg_is_for_every_limit(limits: ClientLimits, text: bytes, said: bytes) -> None:
    """A line, or not a word."""
    excess = exceeded(with_variables(limits, [(b"DIEMSG", text)]), _FULL)

    assert excess
    assert excess.message == said


@pytest.mark.parametrize("name", ["MAXCONNIP", "MAXCONNC", "MAXLOAD"])
def test_a_message_of_one_limit_goes_before_diemsg(name: str) -> None:
    """DIEMSG_MAXLOAD and its like are of one limit alone, and count only if they say something (limits patch, 2007)."""
    variable = name.encode()
    own = [(b"DIEMSG", b"all"), (variable, b"1"), (b"DIEMSG_" + variable, b"own")]
    others = [(b"DIEMSG_" + other, b"other") for other in (b"MAXCONNIP", b"MAXCONNC", b"MAXLOAD") if other != variable]
    empty = [*own, (b"DIEMSG_" + variable, b"")]

    def told(variables: list[tuple[bytes, bytes]]) -> Excess | None:
        return exceeded(with_variables(NONE, variables), _FULL)

    assert [found and found.message for found in (told([*others, *own]), told([*others, *empty]))] == [
        b"own\r\n",
        b"all\r\n",
    ]


@pytest.mark.parametrize(
    ("value", "number"),
    [(b"5", 5), (b"0", 0), (b"", 0), (b"x", 0), (b"-1", 0), (b"5x", 5), (b" 5", 0), (b"0000000005", 5)],
)
def test_a_variable_is_read_as_the_patch_reads_it(value: bytes, number: int) -> None:
    """scan_ulong: the digits at the beginning, and 0 where there are none; 0 refuses everybody."""
    limits = with_variables(ClientLimits(per_client=7, per_network=7, load=7), [(b"MAXCONNIP", value)])
    network = with_variables(NONE, [(b"MAXCONNC", value)])
    load = with_variables(ClientLimits(load=7), [(b"MAXLOAD", value)])

    assert (limits.per_client, limits.per_network, limits.load) == (number, 7, 7)
    assert network == ClientLimits(per_network=number)
    assert load == ClientLimits(load=number or None)


def test_later_variables_win_and_others_change_nothing() -> None:
    """As in the environment of a program."""
    variables = [(b"MAXCONNIP", b"1"), (b"RELAYCLIENT", b""), (b"maxconnip", b"3"), (b"MAXCONNIP", b"2")]

    assert with_variables(NONE, variables) == ClientLimits(per_client=2)


@given(_IPV6, _IPV6, st.integers(0, 64), st.sampled_from([0, 1, 15, 16, 63, 64, 65, 127]))
def test_an_ipv6_client_is_its_64_and_its_network_a_prefix(number: int, other: int, length: int, bit: int) -> None:
    """Two addresses are one client in the same /64 only, and one network in the same prefix only."""
    limits = ClientLimits(network=Prefixes(24, length))
    for second in (other, number ^ (1 << bit)):
        if not 0 < second < 0xFF << 120:
            continue
        first_keys, second_keys = keys(limits, _ipv6(number)), keys(limits, _ipv6(second))

        assert (first_keys.client == second_keys.client) == (number >> 64 == second >> 64)
        assert (first_keys.network == second_keys.network) == (number >> (128 - length) == second >> (128 - length))


@given(_IPV6)
def test_no_ipv6_network_is_narrower_than_a_client(number: int) -> None:
    """A prefix of more than 64 bits would let one client have many shares."""
    assert keys(ClientLimits(network=Prefixes(24, 128)), _ipv6(number)).network == keys(NONE, _ipv6(number)).client


@given(_IPV4, _IPV4, st.integers(0, 32), st.integers(0, 31))
def test_an_ipv4_client_is_its_address_and_its_network_a_prefix(number: int, other: int, length: int, bit: int) -> None:
    """Two addresses are one network in the same prefix only."""
    limits = ClientLimits(network=Prefixes(length, 64))
    for second in (other, number ^ (1 << bit)):
        first_keys, second_keys = keys(limits, _ipv4(number)), keys(limits, _ipv4(second))

        assert (first_keys.client == second_keys.client) == (number == second)
        assert (first_keys.network == second_keys.network) == (number >> (32 - length) == second >> (32 - length))


@given(_IPV4, _IPV6, st.integers(0, 32), st.integers(0, 64))
def test_keys_fit_their_places_and_families_stay_apart(ipv4: int, ipv6: int, length4: int, length6: int) -> None:
    """64 bits, never 0, and no IPv4 client is ever counted as one of IPv6."""
    limits = ClientLimits(network=Prefixes(length4, length6))
    old, new = keys(limits, _ipv4(ipv4)), keys(limits, _ipv6(ipv6))

    assert all(0 < key < 1 << 64 for key in (*old, *new))
    assert old.client != new.client
    assert old.network != new.network
