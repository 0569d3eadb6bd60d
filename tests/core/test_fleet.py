"""What a fleet's store is asked about a client, and which limit its answer breaks."""

from dataclasses import replace

import pytest

from ucspi_py.core.client.limits import NETWORK, ClientLimits, Excess, Prefixes, limit_of
from ucspi_py.core.fleet import loglines, scripts
from ucspi_py.core.fleet.asking import LIFE, excess, question
from ucspi_py.core.fleet.names import Names, names

ALL = ClientLimits(per_client=2, per_network=5, arrivals=10, period=60)


@pytest.mark.parametrize(
    ("ip", "prefixes", "expected"),
    [
        (
            b"192.0.2.7",
            NETWORK,
            ("u1:{192.0.2.0/24}:a:192.0.2.7", "u1:{192.0.2.0/24}:c:192.0.2.7", "u1:{192.0.2.0/24}:n"),
        ),
        (
            b"2001:db8::1:2",
            NETWORK,
            ("u1:{2001:db8::/64}:a:2001:db8::/64", "u1:{2001:db8::/64}:c:2001:db8::/64", "u1:{2001:db8::/64}:n"),
        ),
        (
            b"2001:db8:0:1::2",
            Prefixes(24, 48),
            (
                "u1:{2001:db8::/48}:a:2001:db8:0:1::/64",
                "u1:{2001:db8::/48}:c:2001:db8:0:1::/64",
                "u1:{2001:db8::/48}:n",
            ),
        ),
        (b"fe80::1%eth0", NETWORK, ("u1:{fe80::/64}:a:fe80::/64", "u1:{fe80::/64}:c:fe80::/64", "u1:{fe80::/64}:n")),
    ],
)
def test_the_names_of_a_client(ip: bytes, prefixes: Prefixes, expected: Names) -> None:
    """All with the tag of its network, so that a cluster keeps them in one slot; an IPv6 client is its /64."""
    assert names(ip, prefixes) == expected


def test_who_has_no_limit_is_not_asked_about() -> None:
    """The load of this host is no other one's."""
    assert question(ClientLimits(load=100), b"192.0.2.7", "mx1:1") is None


def test_what_is_asked() -> None:
    """All keys are named, also those that are not touched; what is not limited is -1 and no lease."""
    every, keys = question(ALL, b"192.0.2.7", "mx1:1"), names(b"192.0.2.7", NETWORK)
    some = question(replace(ALL, per_client=None, arrivals=None), b"192.0.2.7", "mx1:1", 500)

    assert every == (keys, ("2", "5", "10", "6000000", str(LIFE), "mx1:1"), (keys.client, keys.network))
    assert some == (keys, ("-1", "5", "-1", "0", "500", "mx1:1"), (keys.network,))


@pytest.mark.parametrize(
    ("answer", "reason", "limit"),
    [
        ([1, 4, 10], None, None),
        ([2, 4, 10], b"2/2 connections of the client on all hosts", "client"),
        ([1, 5, 10], b"5/5 connections of the network on all hosts", "network"),
        ([1, 4, 11], b"11/10 connections of the client in 60 seconds on all hosts", "rate"),
    ],
)
def test_what_an_answer_says(answer: list[int], reason: bytes | None, limit: str | None) -> None:
    """The same limits, in the same order, in the same words, and that it is about all hosts."""
    found = excess(ALL, answer)

    assert (found and found.reason) == reason
    assert (found and limit_of(found.reason)) == limit


def test_the_load_is_nobody_else_s() -> None:
    """It was looked at before, and a limit of it is none here."""
    assert excess(replace(ALL, load=0), [0, 0, 1]) is None


def test_the_message_is_that_of_the_limit() -> None:
    """As for the limits of one host."""
    limits = replace(ALL, client_message=b"421 two are enough\r\n")

    assert excess(limits, [2, 0, 1]) == Excess(b"2/2 connections of the client on all hosts", b"421 two are enough\r\n")


@pytest.mark.parametrize("answer", [None, 1, b"OK", [], [1, 2], [1, 2, b"3"], [1, 2, 3, 4], [1, 2, None]])
def test_what_is_no_answer(answer: object) -> None:
    """It is taken for a failure."""
    with pytest.raises(ValueError, match="is none"):
        excess(ALL, answer)


def test_a_client_costs_the_server_few_commands() -> None:
    """With all of its limits, each function of the script counted as often as it is called."""
    body, counts = scripts.ENTER.replace("local function", "function"), {"connections": 3, "count": 2}
    functions = {name: body.partition(f"function {name}(")[2].partition("\nend\n")[0] for name in counts}
    rest = body
    for text in functions.values():
        rest = rest.replace(text, "")
    commands = rest.count("redis.call") + sum(2 * text.count("redis.call") for text in functions.values())

    assert {name: text.count("redis.call") for name, text in functions.items()} == counts
    assert commands == 13


def test_the_line_about_a_store_that_is_gone() -> None:
    """It says what holds then."""
    assert loglines.alone("redis://h/0", "timed out\n") == (
        b"tcpserver: warning: fleet: unable to use redis://h/0: timed out?, the limits of this host hold alone\n"
    )
