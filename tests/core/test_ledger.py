"""Grants: who may relay, to the second, by tables; what stands in a record, and what may not."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.ledger import address, record
from ucspi_py.core.ledger.changes import TENANT, Granting, Revoking
from ucspi_py.core.ledger.grant import Grant, How, is_live, speaking
from ucspi_py.core.rules.cidr import Network
from ucspi_py.core.store.change import Row, redis_keys

NOW, LIFE = 1_800_000_000, 900
JOE = Granting(NOW, LIFE, 100, How.POP3, b"joe@our.example", b"1000@host")
ANN = Granting(NOW, LIFE, 100, How.IMAP, b"ann", b"1000@host")

fields = st.binary(max_size=30).filter(lambda text: not any(byte < 32 or byte == 127 for byte in text))
seconds = st.integers(0, 999_999_999_999)
grants = st.builds(Grant, seconds, seconds, seconds, seconds, st.sampled_from(How), fields, fields, fields, fields)


def after(*changes: Granting | Revoking, row: Row | None = None) -> Row | None:
    """The record that some changes leave."""
    for change in changes:
        row = change.apply(row).record
    return row


def users(row: Row | None, now: int) -> list[bytes]:
    """Whose grants live."""
    return [one.user for one in record.grants(row) if is_live(one, now)]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        pytest.param(NOW, True, id="in the second of the login"),
        pytest.param(NOW + LIFE - 1, True, id="in the last second"),
        pytest.param(NOW + LIFE, False, id="a second too late"),
        pytest.param(NOW - 300, True, id="by a clock that is five minutes slow"),
        pytest.param(NOW - 301, False, id="from a future that is no host's"),
        pytest.param(NOW - 3600, False, id="after the clock was set back by an hour"),
        pytest.param(NOW + 3600, False, id="after the clock was set forward by an hour"),
    ],
)
def test_how_long_a_grant_lives(now: int, *, expected: bool) -> None:
    """To the second, and never while it is of the future."""
    assert (speaking(record.grants(after(JOE)), now) is not None) == expected


def test_a_login_renews() -> None:
    """The life counts from the last one; when the first was, and how many there were, is kept."""
    (grant,) = record.grants(after(JOE, Granting(NOW + 600, LIFE, 100, *JOE_IS)))

    assert (grant.granted, grant.renewed, grant.expires, grant.logins) == (NOW, NOW + 600, NOW + 1500, 2)


def test_a_login_never_shortens_a_grant() -> None:
    """One of a short life leaves the end of a longer one."""
    (grant,) = record.grants(after(JOE, Granting(NOW + 1, 60, 100, *JOE_IS)))

    assert grant.expires == NOW + LIFE


def test_a_login_after_the_end_is_the_first() -> None:
    """Nothing is left of a grant that has expired."""
    (grant,) = record.grants(after(JOE, Granting(NOW + LIFE, LIFE, 100, *JOE_IS)))

    assert (grant.granted, grant.logins) == (NOW + LIFE, 1)


def test_a_login_after_a_future_one_is_the_first() -> None:
    """A grant of a clock that was wrong is not prolonged by one that is right."""
    (grant,) = record.grants(after(JOE, Granting(NOW - 3600, LIFE, 100, *JOE_IS)))

    assert grant.expires == NOW - 3600 + LIFE


JOE_IS = (JOE.how, JOE.user, JOE.by)


def test_users_of_one_address() -> None:
    """It is open while any of them has a grant: one revoked, still open; both, closed."""
    both = after(JOE, ANN)
    one = after(Revoking(NOW + 1, b"ann"), row=both)

    assert users(both, NOW) == [JOE.user, b"ann"]
    assert users(one, NOW + 1) == [JOE.user]
    assert after(Revoking(NOW + 2, JOE.user), row=one) is None


def test_two_ways_of_one_user() -> None:
    """A grant by hand and one by a login are two, and count as one user."""
    by_hand = Granting(NOW, 86_400, 100, How.HAND, JOE.user, b"root", b"@fixup")
    row = after(by_hand, JOE)

    assert [one.how for one in record.grants(row)] == [How.HAND, How.POP3]
    assert JOE.apply(row).result == 1
    assert after(Revoking(NOW, JOE.user), row=row) is None


def test_too_many_users() -> None:
    """The next one gets no grant, whoever has one may renew it."""
    few = after(Granting(NOW, LIFE, 2, *JOE_IS), Granting(NOW, LIFE, 2, How.POP3, b"ann", b""))
    third = Granting(NOW, LIFE, 2, How.POP3, b"eve", b"").apply(few)

    assert (third.result, users(third.record, NOW)) == (0, [JOE.user, b"ann"])
    assert Granting(NOW, LIFE, 2, *JOE_IS).apply(few).result == 2


def test_the_latest_login_speaks() -> None:
    """Of several users of an address it is the likeliest."""
    later = Granting(NOW + 5, LIFE, 100, How.POP3, b"ann", b"")

    found = speaking(record.grants(after(JOE, later)), NOW + 5)

    assert found is not None
    assert found.user == b"ann"


@given(st.lists(grants, max_size=4).map(tuple))
def test_a_record_is_read_as_it_was_written(some: tuple[Grant, ...]) -> None:
    """Whatever stands in names and values."""
    assert record.grants(record.row(some)) == some
    assert record.text(some).isascii()


@pytest.mark.parametrize(
    "text",
    [
        "LD_PRELOAD=/tmp/evil.so",
        "1 1 1 1 pop3 joe by - - PATH=/tmp",
        "1 1 1 1 pop3 joe by -",
        "1 1 1 1 pop3 joe by %00 -",
        "1 1 1 1 pop3 joe%0Aeve by - -",
        "1 1 1 1 magic joe by - -",
        "-1 1 1 1 pop3 joe by - -",
        "1 1 1 01 pop3 joe by - -",
        "9999999999999 1 1 1 pop3 joe by - -",
        f"1 1 1 1 pop3 {'j' * 321} by - -",
    ],
)
def test_what_is_no_record(text: str) -> None:
    """It is said to be none: who asks about a client then opens nothing."""
    with pytest.raises(ValueError, match=r"."):
        record.grants((text,))


@pytest.mark.parametrize("value", [b"a\0b", b"a\nb", b"a\x7fb", b"a" * 321])
def test_what_no_field_has(value: bytes) -> None:
    """Nothing that would end a line of the log, or the value of a variable."""
    with pytest.raises(ValueError, match="control character"):
        record.written(value)


@pytest.mark.parametrize(
    ("ip", "length", "expected"),
    [
        (b"192.0.2.1", 64, "192.0.2.1"),
        (b"::ffff:192.0.2.1", 64, "192.0.2.1"),
        (b"::ffff:192.0.2.1", 128, "192.0.2.1"),
        (b"2001:db8:1:2:3::4", 64, "2001:db8:1:2::/64"),
        (b"2001:DB8:1:2:3::4", 128, "2001:db8:1:2:3::4"),
        (b"fe80::1%eth0", 64, "fe80::/64"),
    ],
)
def test_the_key_of_an_address(ip: bytes, length: int, expected: str) -> None:
    """One form for each, a network of IPv6 unless told otherwise; and whoever asks looks there."""
    found = address.address(ip)

    assert address.key(found, length) == expected
    assert expected in address.keys(found)


def test_the_next_network() -> None:
    """A grant is one of its own /64, and no other."""
    keys = address.keys(address.address(b"2001:db8:1:3::4"))

    assert "2001:db8:1:2::/64" not in keys


@pytest.mark.parametrize(
    ("key", "names"),
    [
        ("192.0.2.7", ("u1:{192.0.2.0/24}:r:192.0.2.7",)),
        ("2001:db8:1:2::/64", ("u1:{2001:db8:1:2::/64}:r:2001:db8:1:2::/64",)),
        ("2001:db8:1:2::7", ("u1:{2001:db8:1:2::/64}:r:2001:db8:1:2::7",)),
    ],
)
def test_the_name_of_a_key_in_redis(key: str, names: tuple[str, ...]) -> None:
    """It has the network of the greylist's between braces, so that they are neighbours in a cluster."""
    assert redis_keys(TENANT, key) == names


@pytest.mark.parametrize(
    ("ip", "allows_private", "is_refused"),
    [
        ("198.51.100.9", False, False),
        ("198.51.100.80", False, True),
        ("198.51.100.80", True, True),
        ("2001:db8::1", False, False),
        ("10.1.2.3", False, True),
        ("10.1.2.3", True, False),
        ("100.64.1.1", False, True),
        ("127.0.0.1", False, True),
        ("127.0.0.1", True, False),
        ("::1", False, True),
        ("fe80::1", False, True),
        ("fd00::1", False, True),
        ("169.254.1.1", False, True),
        ("0.0.0.0", True, True),
        ("224.0.0.1", True, True),
    ],
)
def test_who_gets_no_grant(ip: str, *, allows_private: bool, is_refused: bool) -> None:
    """Addresses of many networks, of a carrier's customers, and of our proxies."""
    proxies = (Network(32, int(ipaddress.ip_address("198.51.100.80")), 32),)

    flaw = address.flaw(address.address(ip.encode()), proxies, allows_private=allows_private)

    assert (flaw is not None) == is_refused
