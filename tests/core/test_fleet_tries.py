"""What a fleet's store is asked about a password that is tried, and what its answer says."""

from hashlib import sha256

import pytest

from ucspi_py.core.auth.tries import REMEMBERED, TooMany
from ucspi_py.core.fleet import scripts
from ucspi_py.core.fleet.names import LoginNames, login_names
from ucspi_py.core.fleet.tries import (
    Found,
    Trial,
    excess,
    found,
    of_client,
    of_user,
    taken_back,
    was_not_wrong,
    was_right,
)

JOE = sha256(b"joe@example.org").hexdigest()[:16]
NAMES = LoginNames("network", "known", "pair", "user")
#: Microseconds that one wrong password is worth: ten in ten minutes, and five in one.
OF_NETWORK = OF_PAIR = "60000000"
OF_USER = "12000000"


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        (b"192.0.2.7", "192.0.2.0/24"),
        (b"2001:db8:0:1:2::7", "2001:db8:0:1::/64"),
        (b"fe80::1%eth0", "fe80::/64"),
    ],
)
def test_the_names_of_a_try(ip: bytes, network: str) -> None:
    """One tag for what is of a network, another for what is of a user from wherever: each script touches one slot."""
    assert login_names(ip, b"joe@example.org") == (
        f"u1:{{{network}}}:f",
        f"u1:{{{network}}}:k:{JOE}",
        f"u1:{{{network}}}:f:{JOE}",
        f"u1:{{{JOE}}}:f",
    )


@pytest.mark.parametrize("user", [b"JOE@example.org", b"joe@Example.ORG"])
def test_capital_letters_make_no_other_user(user: bytes) -> None:
    """As on one host."""
    assert login_names(b"192.0.2.7", user) == login_names(b"192.0.2.7", b"joe@example.org")


@pytest.mark.parametrize("user", [b"joe", b"", b"}\xff\r\n*", b"x" * 9000])
def test_no_name_of_a_user_is_shown(user: bytes) -> None:
    """Whatever it is, sixteen digits stand for it, and no byte of its own."""
    digits = sha256(user).hexdigest()[:16]

    assert login_names(b"192.0.2.7", user) == (
        "u1:{192.0.2.0/24}:f",
        f"u1:{{192.0.2.0/24}}:k:{digits}",
        f"u1:{{192.0.2.0/24}}:f:{digits}",
        f"u1:{{{digits}}}:f",
    )


@pytest.mark.parametrize("ip", [b"", b"unknown", b"\xff", b"192.0.2", b"}:f"])
def test_what_is_no_address_is_no_client_of_two_hosts(ip: bytes) -> None:
    """It may be anybody."""
    assert login_names(ip, b"joe") is None


def test_what_is_asked_before_a_password_is_checked() -> None:
    """The limits are those of one host; what this one knows of the user is said."""
    keys = ("network", "known", "pair")
    numbers = ("10", OF_NETWORK, "10", OF_PAIR)

    assert of_client(NAMES, is_known=False) == (keys, (*numbers, ""))
    assert of_client(NAMES, is_known=True) == (keys, (*numbers, "1"))
    assert of_user(NAMES) == (("user",), ("5", OF_USER))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ([0, 1], None),
        ([1, 1], None),
        ([0, 0], TooMany.NETWORK),
        ([1, 0], TooMany.PAIR),
    ],
)
def test_what_an_answer_says(answer: list[int], expected: TooMany | None) -> None:
    """A user who is known is not held against its network."""
    assert excess(found(answer)) is expected
    assert found(answer) == Found(bool(answer[0]), bool(answer[1]))


@pytest.mark.parametrize("answer", [None, 1, b"OK", [], [1], [0, 2], [0, b"1"], [0, 1, 0], [None, 1], [[], 1]])
def test_what_is_no_answer(answer: object) -> None:
    """It is taken for a failure."""
    with pytest.raises(ValueError, match="is none"):
        found(answer)


def test_what_was_no_wrong_password_is_taken_back() -> None:
    """Where it was counted, in a slot each."""
    network, user = (("network",), (OF_NETWORK,)), (("user",), (OF_USER,))

    assert was_not_wrong(Trial(NAMES, is_known=False)) == (network, user)
    assert was_not_wrong(Trial(NAMES, is_known=True)) == ((("pair",), (OF_PAIR,)),)
    assert taken_back(NAMES) == network


def test_a_login_is_remembered() -> None:
    """In the slot of its network, for as long as a host does."""
    seconds = str(REMEMBERED)

    assert was_right(Trial(NAMES, is_known=False)) == (
        (("network", "known"), (OF_NETWORK, seconds)),
        (("user",), (OF_USER,)),
    )
    assert was_right(Trial(NAMES, is_known=True)) == ((("pair", "known"), (OF_PAIR, seconds)),)


def test_a_try_costs_the_server_few_commands() -> None:
    """At most."""
    assert [script.count("redis.call") for script in (scripts.TRY, scripts.TAKE_BACK)] == [4, 3]
