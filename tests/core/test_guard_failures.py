"""Nobody guesses faster than the limits say, and nobody locks a user out."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.auth.credentials import Credentials, Peer
from ucspi_py.core.guard import request
from ucspi_py.core.guard.failures import KEYS, NETWORKS, USERS, Attempt, Failures, attempt
from ucspi_py.core.guard.request import CheckAsked
from ucspi_py.core.guard.settings import GuardLimits

LIMITS = GuardLimits()
DAY = 86400.0


def spent(failures: Failures, tries: Callable[[int], Attempt], now: float = 0.0) -> int:
    """How many attempts are made before one is not, all failing."""
    for number in range(1000):
        if failures.excess(tries(number), now):
            return number
        failures.note_failure(tries(number), now)
    raise AssertionError("no limit at all")


def test_one_user_from_everywhere() -> None:
    """5 a minute, by whomever."""
    failures = Failures(LIMITS)

    assert spent(failures, lambda number: Attempt(b"bob", number, number)) == 5
    assert failures.excess(Attempt(b"bob", 99, 99), 59.9) == "this user"
    assert failures.excess(Attempt(b"alice", 1, 1), 0.0) is None
    assert failures.excess(Attempt(b"bob", 99, 99), 60.0) is None


def test_one_client_with_every_name() -> None:
    """10 a minute."""
    failures = Failures(LIMITS)

    assert spent(failures, lambda number: Attempt(b"user%d" % number, 1, 1)) == 10
    assert failures.excess(Attempt(b"bob", 1, 1), 59.9) == "this client"
    assert failures.excess(Attempt(b"bob", 2, 1), 0.0) is None
    assert failures.excess(Attempt(b"bob", 1, 1), 60.0) is None


def test_all_together() -> None:
    """20 a second, each with a name and an address of its own."""
    failures = Failures(LIMITS)

    assert spent(failures, lambda number: Attempt(b"user%d" % number, number, number)) == 20
    assert failures.excess(Attempt(b"bob", 99, 99), 0.9) == "all clients together"
    assert failures.excess(Attempt(b"bob", 99, 99), 1.0) is None


def test_who_has_logged_in_is_not_locked_out() -> None:
    """Whatever others have spent, from that network it is asked; a stranger is not."""
    failures = Failures(LIMITS)
    failures.note_login(Attempt(b"bob", 7, 1), 0.0)
    spent(failures, lambda number: Attempt(b"bob", 10 + number, 10 + number), DAY)
    spent(failures, lambda number: Attempt(b"user%d" % number, 30 + number, 2), DAY)
    spent(failures, lambda number: Attempt(b"user%d" % (99 + number), 8, 1), DAY)

    assert failures.excess(Attempt(b"bob", 8, 1), DAY) is None
    assert failures.excess(Attempt(b"bob", 9, 2), DAY) == "this user"


def test_its_own_failures_are_its_own_alone() -> None:
    """5 a minute for that user of that network, and they take nothing from others."""
    failures = Failures(LIMITS)
    failures.note_login(Attempt(b"bob", 7, 1), 0.0)

    assert spent(failures, lambda _: Attempt(b"bob", 7, 1)) == 5
    assert failures.excess(Attempt(b"bob", 7, 1), 0.0) == "this user from this network"
    assert failures.excess(Attempt(b"bob", 9, 2), 0.0) is None


def test_users_who_have_logged_in_are_counted_apart() -> None:
    """From one network, and a user from two networks."""
    failures = Failures(LIMITS)
    for of_a_user in (Attempt(b"bob", 7, 1), Attempt(b"alice", 7, 1), Attempt(b"bob", 8, 2)):
        failures.note_login(of_a_user, 0.0)
    spent(failures, lambda _: Attempt(b"bob", 7, 1))

    assert failures.excess(Attempt(b"alice", 7, 1), 0.0) is None
    assert failures.excess(Attempt(b"bob", 8, 2), 0.0) is None


def test_no_flood_of_users_is_remembered() -> None:
    """Of logins and of failures the oldest are forgotten."""
    failures = Failures(GuardLimits(failures_a_second=10**6, user_failures=1, client_failures=10**6))
    for number in range(USERS + 1):
        failures.note_login(Attempt(b"user%d" % number, 1, 1), 0.0)
    assert [failures.is_known(Attempt(b"user%d" % number, 1, 1), 0.0) for number in (0, 1, USERS)] == [
        False,
        True,
        True,
    ]

    for number in range(KEYS + 1):
        failures.note_failure(Attempt(b"user%d" % number, 2, 2), 0.0)
    reasons = [failures.excess(Attempt(b"user%d" % number, 2, 2), 0.0) for number in (0, 1, KEYS)]
    assert reasons == [None, "this user", "this user"]


def test_a_login_is_remembered_for_thirty_days() -> None:
    """From the last one on."""
    failures = Failures(LIMITS)
    at_home = Attempt(b"bob", 7, 1)
    failures.note_login(at_home, 0.0)
    assert failures.is_known(at_home, 30 * DAY)
    assert not failures.is_known(at_home, 30 * DAY + 1)

    failures.note_login(at_home, 29 * DAY)
    assert failures.is_known(at_home, 59 * DAY)


@given(st.integers(NETWORKS, 4 * NETWORKS))
def test_a_user_cannot_make_others_forgotten(networks: int) -> None:
    """Who has a password and many addresses is remembered with the last of them, all others as before."""
    failures = Failures(LIMITS)
    failures.note_login(Attempt(b"bob", 7, 1), 0.0)
    for number in range(networks):
        failures.note_login(Attempt(b"mallory", number, number), 0.0)

    assert failures.is_known(Attempt(b"bob", 7, 1), 0.0)
    known = [number for number in range(networks) if failures.is_known(Attempt(b"mallory", number, number), 0.0)]
    assert known == list(range(networks))[-NETWORKS:]


def test_an_of_a_useris_of_a_user_a_client_and_a_network() -> None:
    """The login in any case; IPv4 by address and /24, IPv6 by /64; an unknown address is one client."""

    def of(login: bytes, ip: bytes) -> Attempt:
        return attempt(Credentials(b"PLAIN", login, b"secret"), Peer(ip, b"", b"", secured=True))

    assert of(b"Bob", b"192.0.2.1") == of(b"bob", b"192.0.2.1")
    assert of(b"bob", b"192.0.2.1").client != of(b"bob", b"192.0.2.2").client
    assert of(b"bob", b"192.0.2.1").network == of(b"bob", b"192.0.2.2").network
    assert of(b"bob", b"192.0.2.1").network != of(b"bob", b"192.0.3.1").network
    assert of(b"bob", b"2001:db8::1") == of(b"bob", b"2001:db8::2")
    assert of(b"bob", b"2001:db8::1").network != of(b"bob", b"2001:db8:0:1::1").network
    assert of(b"bob", b"") == Attempt(b"bob", 0, 0)


@given(st.text("0123456789abcdef.:", max_size=45))
def test_whatever_is_let_through_as_an_address_has_its_keys(ip: str) -> None:
    """No request that can be read keeps the guard from going on."""
    asked = CheckAsked(Credentials(b"PLAIN", b"bob", b"secret"), Peer(ip.encode(), b"", b"", secured=True))
    read = request.decode(request.encode(asked) or b"")

    if isinstance(read, CheckAsked):
        assert attempt(*read).user == b"bob"
