"""How many wrong passwords there may be, without a clock and without memory."""

import pytest

from ucspi_py.core.auth.tries import (
    REMEMBERED,
    Bucket,
    Limit,
    give_back,
    is_known,
    network_of,
    place,
    take,
)

LIMIT = Limit(2, 60)


def test_a_period_begins_with_its_first_try() -> None:
    """Two are free, the third is too many, and the next period has two again."""
    first = take(Bucket(7), LIMIT, 1000)
    assert first is not None
    second = take(first, LIMIT, 1059)
    assert second == Bucket(7, 1000, 2)
    assert take(second, LIMIT, 1059) is None
    assert take(second, LIMIT, 1060) == Bucket(7, 1060, 1)


def test_what_was_no_wrong_password_is_taken_back() -> None:
    """And never more than there was."""
    assert give_back(Bucket(7, 1000, 2)) == Bucket(7, 1000, 1)
    assert give_back(Bucket(7, 1000, 0)) == Bucket(7, 1000, 0)


def test_a_login_is_remembered_for_thirty_days() -> None:
    """To the second; a pair that never logged in is not known, whatever the clock says."""
    assert is_known(Bucket(7, known=1000), 1000 + REMEMBERED - 1)
    assert not is_known(Bucket(7, known=1000), 1000 + REMEMBERED)
    assert not is_known(Bucket(7), 10)


def test_where_there_is_no_room_the_oldest_is_forgotten() -> None:
    """A free entry first, and a login that is remembered last."""
    known, busy, old, free = Bucket(1, 5, 1, 900), Bucket(2, 990, 9), Bucket(3, 100, 9), Bucket(0)

    assert place([known, busy, old, free], 2) == 1
    assert place([known, busy, old, free], 9) == 3
    assert place([known, busy, old], 9) == 2
    assert place([known, busy], 9) == 1


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        (b"192.0.2.7", b"192.0.2.0/24"),
        (b"2001:db8:1:2:3::4", b"2001:db8:1:2::/64"),
        (b"unknown", b"unknown"),
    ],
)
def test_a_client_is_counted_with_its_network(ip: bytes, network: bytes) -> None:
    """A provider gives each customer as many addresses as that."""
    assert network_of(ip) == network
