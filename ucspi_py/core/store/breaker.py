"""The circuit breaker of a store: when one that has failed is asked again, and when that is worth a line. No clock.

``now`` is always in seconds of the monotonic clock.
"""

from typing import NamedTuple

#: Seconds for which a store that has failed is left alone: the next clients do not wait for it as well.
_REST = 2.0
#: Seconds between two lines about that.
_LINES = 60.0


class Standing(NamedTuple):
    """How a store stands; all zero at the start.

    open_until: monotonic second; it is not asked before; 0 = it has not failed, or has answered since. silent_until:
    monotonic second; no line before.
    """

    open_until: float = 0.0
    silent_until: float = 0.0


def may_be_asked(standing: Standing, now: float) -> bool:
    """Whether a client may be made to wait for the store. now: monotonic second."""
    return now >= standing.open_until


def is_worth_a_line(standing: Standing, now: float) -> bool:
    """Whether a failure is written to the log. now: monotonic second."""
    return now >= standing.silent_until


def asked(standing: Standing, now: float) -> Standing:
    """Have one client alone ask a store that has failed; the others go on without it. now: monotonic second."""
    return standing._replace(open_until=now + _REST) if standing.open_until else standing


def answered(standing: Standing) -> Standing:
    """Have everybody ask a store again."""
    return standing._replace(open_until=0.0)


def failed(standing: Standing, now: float) -> Standing:
    """Leave the store alone for two seconds after a failure, and have one line a minute. now: monotonic second."""
    silent_until = now + _LINES if is_worth_a_line(standing, now) else standing.silent_until
    return Standing(now + _REST, silent_until)


def told(standing: Standing, now: float) -> Standing:
    """Have one line a minute of a store that is not left alone. now: monotonic second."""
    return standing._replace(silent_until=now + _LINES)
