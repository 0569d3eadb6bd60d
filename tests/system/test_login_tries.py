"""Wrong passwords in memory that all workers share."""

import pytest

from tests.support.forked import in_child
from ucspi_py.core.auth.answer import Verdict
from ucspi_py.core.auth.tries import TooMany
from ucspi_py.system.gate.logins.tries_table import LoginTries, Trial

HOME, AWAY, EVIL = b"192.0.2.7", b"198.51.100.7", b"203.0.113.7"
DAY = 86400


class Clock:
    """A time that goes on when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.5

    def __call__(self) -> float:
        return self.now


def end(tries: LoginTries, user: bytes, ip: bytes, verdict: Verdict = Verdict.NO) -> TooMany | None:
    """Try once; what is too many."""
    trial = tries.begin(user, ip)
    if isinstance(trial, TooMany):
        return trial
    tries.end(trial, verdict)
    return None


def test_a_network_has_ten_tries_in_ten_minutes() -> None:
    """Whatever users it tries, and from whatever address in it; its neighbour is another one."""
    clock = Clock()
    tries = LoginTries(clock)
    said = [end(tries, b"user%d" % number, b"192.0.2.%d" % number) for number in range(12)]

    assert said == [None] * 10 + [TooMany.NETWORK] * 2
    assert end(tries, b"user", b"192.0.3.1") is None
    clock.now += 600
    assert end(tries, b"user11", HOME) is None


def test_a_user_has_five_tries_in_a_minute() -> None:
    """From wherever, in any case of letters; the network is not charged for what was not tried."""
    clock = Clock()
    tries = LoginTries(clock)
    said = [end(tries, b"User" if number % 2 else b"user", b"10.%d.0.1" % number) for number in range(7)]

    assert said == [None] * 5 + [TooMany.USER] * 2
    clock.now += 60
    assert end(tries, b"user", b"10.9.0.1") is None


@pytest.mark.parametrize("verdict", [Verdict.YES, Verdict.LATER])
def test_what_is_no_wrong_password_is_not_counted(verdict: Verdict) -> None:
    """However often."""
    tries = LoginTries(Clock())

    assert {end(tries, b"user", HOME, verdict) for _ in range(30)} == {None}
    assert [end(tries, b"user", AWAY) for _ in range(6)] == [None] * 5 + [TooMany.USER]


def test_nobody_locks_out_a_user_who_has_logged_in_from_there() -> None:
    """Neither who spends the limit of the user, nor who spends that of the network."""
    tries = LoginTries(Clock())
    end(tries, b"user", HOME, Verdict.YES)
    spent = [end(tries, b"user", EVIL) for _ in range(9)] + [end(tries, b"user%d" % one, HOME) for one in range(11)]

    assert {TooMany.USER, TooMany.NETWORK} <= set(spent)
    assert end(tries, b"user", AWAY) is TooMany.USER
    assert end(tries, b"other", HOME) is TooMany.NETWORK
    assert end(tries, b"user", b"192.0.2.9", Verdict.YES) is None


def test_its_own_count_has_an_end() -> None:
    """Ten in ten minutes: who sits in the same network guesses no faster."""
    clock = Clock()
    tries = LoginTries(clock)
    end(tries, b"user", HOME, Verdict.YES)

    assert [end(tries, b"user", HOME) for _ in range(11)] == [None] * 10 + [TooMany.PAIR]
    clock.now += 600
    assert end(tries, b"user", HOME) is None


def test_after_thirty_days_it_is_forgotten() -> None:
    """A login renews it."""
    clock = Clock()
    tries = LoginTries(clock)
    end(tries, b"user", HOME, Verdict.YES)
    for later, is_known in ((29, True), (29, True), (30, False)):
        clock.now += later * DAY
        trial = tries.begin(b"user", HOME)
        assert isinstance(trial, Trial)
        assert trial.is_known is is_known
        tries.end(trial, Verdict.YES)


def test_as_many_at_once_are_no_more() -> None:
    """Each is counted before anybody is asked."""
    tries = LoginTries(Clock())

    assert [isinstance(tries.begin(b"user", HOME), Trial) for _ in range(7)] == [True] * 5 + [False] * 2


def test_all_workers_count_together() -> None:
    """In memory that they share."""
    tries = LoginTries(Clock())
    for _ in range(5):
        in_child(lambda: end(tries, b"user", HOME))

    assert end(tries, b"user", AWAY) is TooMany.USER
