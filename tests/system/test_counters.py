"""Counters that processes share: a column goes on to the next one with all but what is true of one process alone."""

from ucspi_py.core.metrics.names import CONNECTIONS, OVERFLOW
from ucspi_py.system.metrics.counters import Counters


def test_what_a_process_has_counted_stays_and_its_gauges_go_with_it() -> None:
    """As nobody of its waits any more."""
    counters = Counters(2)
    counters.given(1, 4711)
    column = counters.column(1)
    column.count(CONNECTIONS.first, 3)
    column.move(OVERFLOW.first, 2)
    assert (counters.sum(CONNECTIONS.first), counters.sum(OVERFLOW.first)) == (3, 2)

    counters.ended(4711)

    assert (counters.sum(CONNECTIONS.first), counters.sum(OVERFLOW.first)) == (3, 0)
    assert counters.free() == 1


def test_a_gauge_is_never_below_zero() -> None:
    """Not even of processes that share a column, as all are taken."""
    counters = Counters(1)
    column = counters.column(1)
    for by in (1, -1, -1, 1):
        column.move(OVERFLOW.first, by)

    assert counters.sum(OVERFLOW.first) == 1
