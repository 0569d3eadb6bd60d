"""Whether a zone is asked and believed: how it stands, and what happens -> how it stands then. Never asks, never waits.

What clients meet decides little, since whoever can connect could otherwise switch off a healthy list. A zone that lists
client after client is only suspected, and so tested at once; the test asks about addresses that no client has, and they
alone can have it distrusted. One that fails for client after client is tested, too, and left alone meanwhile, unless a
test has just found it well. Whatever is wrong is over as soon as a test says so.

``now`` is always in seconds of the monotonic clock.
"""

from math import log
from typing import NamedTuple

from .health import Health

#: Failed look-ups in a row after which a zone is left alone.
BREAKING_POINT = 5

#: Seconds until a zone that is well is tested again; one that is not, after the first test and at most.
_TEST_WELL = 1800.0
_FIRST_RETEST, _LAST_RETEST = 1.0, 30.0
#: Seconds between the starts of two tests that clients have caused, however many they are.
_SPACING = 3.0
#: Seconds that a worker has for a test. If it has died meanwhile, another one takes the test on.
_CLAIM = 10.0
#: Seconds for which a zone is left alone beyond its next test, should nobody be there to test it.
_GRACE = 30.0
#: Seconds for which a zone that a test has found well is not left alone on the word of clients.
_BELIEF = 30.0
#: Seconds of back-off from which a silent zone is worth a line; what is over sooner is not.
_TOLD_FROM = 8.0
#: Seconds between two lines about the same zone, but for those that tell of a change.
_LINES = 3600.0

#: A zone that lists everybody lists this share of the clients; of others name servers remember what it said before.
_EVERYBODY = 0.95
#: The share that a zone usually lists is taken for no less and no more than this.
_LEAST_SHARE, _MOST_SHARE = 0.01, 0.8
#: The zone is suspected when what it says is 100 times as likely if it lists everybody as if it lists as usual.
_ALARM = log(100)


class Gate(NamedTuple):
    """The part of a standing that every client looks at.

    distrusted, failures, closed_until, forget_before, answers_since: the first fields of Standing, as there.
    """

    distrusted: int
    failures: int
    closed_until: float
    forget_before: float
    answers_since: float


class Standing(NamedTuple):
    """How one zone stands; all zero at the start.

    distrusted: 1 = its listings do not count.
    failures: failed look-ups in a row.
    closed_until: monotonic second; it is not asked before.
    forget_before: monotonic second; its earlier answers are void.
    answers_since: monotonic second; failures of earlier are over.
    control_clean: 1 = the last test that found the zone well saw that it does not list the control address.
    suspicion: the logarithm of how much likelier its answers are if it lists everybody.
    back_off: seconds between the last test and the next one, 0 = it is well.
    tested_at: monotonic second; the last test began.
    well_at: monotonic second; the last test that found it well ended.
    test_at: monotonic second; the next test is due.
    told_at: monotonic second; the last line about it was written.
    """

    distrusted: int = 0
    failures: int = 0
    closed_until: float = 0.0
    forget_before: float = 0.0
    answers_since: float = 0.0
    control_clean: int = 0
    suspicion: float = 0.0
    back_off: float = 0.0
    tested_at: float = 0.0
    well_at: float = 0.0
    test_at: float = 0.0
    told_at: float = 0.0


def usual_share(asked: int, listed: int) -> float:
    """Estimate the share of clients that a zone lists; a quarter before its first answer.

    asked: clients about whom it has answered. listed: those of them that it lists.
    """
    return min(max((listed + 1) / (asked + 4), _LEAST_SHARE), _MOST_SHARE)


def answered(standing: Standing, usual: float, asked: int, listed: int, now: float) -> Standing:
    """Take answers of a zone into account: one that suddenly lists nearly all clients is tested at once.

    usual: the share that it lists else, 0 to 1. asked: clients about whom it has answered. listed: those of them that
    it lists. now: monotonic second.

    Suspicion is a sum of likelihood ratios that never falls below zero (Page's CUSUM, Biometrika 41, 1954).
    """
    if not asked:
        return standing
    evidence = listed * log(_EVERYBODY / usual) + (asked - listed) * log((1 - _EVERYBODY) / (1 - usual))
    standing = standing._replace(failures=0, suspicion=max(0.0, standing.suspicion + evidence))
    return _hastened(standing, now) if standing.suspicion >= _ALARM else standing


def failed(standing: Standing, now: float) -> Standing:
    """Take a failed look-up into account: the zone is tested; after five in a row it is not asked until a test is good.

    now: monotonic second.

    Names of one network may fail for ever, while the zone is well: those clients shall not keep it closed for others.
    """
    standing = standing._replace(failures=standing.failures + 1)
    if standing.failures >= BREAKING_POINT and may_be_asked(standing, now) and now >= standing.well_at + _BELIEF:
        standing = standing._replace(closed_until=now + _GRACE)
    return standing if standing.back_off else _hastened(standing, now)


def may_be_asked(standing: Standing | Gate, now: float) -> bool:
    """Whether a client may be made to wait for the zone. now: monotonic second."""
    return standing.closed_until <= now


def is_up(standing: Standing, now: float) -> bool:
    """Whether the zone is asked, and believed. now: monotonic second."""
    return not standing.distrusted and may_be_asked(standing, now)


def claimed(standing: Standing, now: float) -> Standing | None:
    """Claim the test that is due, for one worker, which has 10 seconds; None = none is due. now: monotonic second."""
    return standing._replace(tested_at=now, test_at=now + _CLAIM) if standing.test_at <= now else None


def renewed(standing: Standing) -> Standing:
    """Have the zone tested at once, because the operator wants it (SIGHUP)."""
    return standing._replace(test_at=0.0)


def tested(standing: Standing, health: Health, luck: float, now: float) -> Standing:
    """Take the end of a test into account.

    luck: from 0 to 1, at random, so that not all zones are tested in the same second. now: monotonic second.

    A control address that was clean and is listed now is a zone that lists everybody. One that was always listed is a
    zone of an unusual kind, which an operator may want.
    """
    distrusted, well = standing.distrusted, False
    if health.reachable:
        lists_everybody = bool(health.listed_control) and bool(standing.control_clean or standing.distrusted)
        distrusted = int(bool(health.alarm) or lists_everybody)
        well = not distrusted
    back_off = 0.0 if well else min(max(2 * standing.back_off, _FIRST_RETEST), _LAST_RETEST)
    next_test = now + (back_off or _TEST_WELL) * (0.75 + 0.25 * luck)
    recovers = well and bool(standing.distrusted or standing.closed_until)
    return standing._replace(
        distrusted=distrusted,
        failures=0 if recovers else standing.failures,
        control_clean=int(not health.listed_control) if well else standing.control_clean,
        suspicion=0.0,
        back_off=back_off,
        closed_until=0.0 if health.reachable else next_test + _GRACE,
        well_at=now if well else standing.well_at,
        test_at=min(standing.test_at, next_test) if _asked_for_meanwhile(standing) else next_test,
        forget_before=now if well and standing.distrusted else standing.forget_before,
        answers_since=now if health.reachable and standing.closed_until else standing.answers_since,
    )


def change(before: Standing, after: Standing, health: Health) -> str:
    """Make the sentence about a test that has changed whether the zone is believed; "" where it has not."""
    if after.distrusted == before.distrusted:
        return ""
    return "it is believed again" if before.distrusted else _why(health)


def complaint(after: Standing, health: Health, *, verbose: bool) -> str:
    """Make the sentence that is worth a line now and then after a test; "" where all is well."""
    if after.distrusted:
        return _why(health)
    if not health.reachable:
        return f"{health.remark}; it is left alone until it answers" if after.back_off >= _TOLD_FROM else ""
    return health.remark if verbose else ""


def told(standing: Standing, now: float) -> Standing | None:
    """Mark that a line about the zone is written; None = there was one within the hour. now: monotonic second."""
    return standing._replace(told_at=now) if now >= standing.told_at + _LINES or not standing.told_at else None


def _hastened(standing: Standing, now: float) -> Standing:
    """Tested as soon as the last test is some seconds ago."""
    return standing._replace(test_at=min(standing.test_at, max(now, standing.tested_at + _SPACING)))


def _asked_for_meanwhile(standing: Standing) -> bool:
    """Whether something has happened during a test for which there is to be another one."""
    return standing.test_at < standing.tested_at + _CLAIM


def _why(health: Health) -> str:
    """Why a zone is not believed; "" where it does not say anything now."""
    if health.listed_control and not health.alarm:
        return f"it now lists {health.listed_control}, which no client has: it lists everybody, so it is not believed"
    return health.alarm
