"""Arrivals of one client in a sliding period."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.client.rate import Entry, arrive, place

NOBODY = Entry(0, 0, 0, 0)
CLIENT, PERIOD = 7, 60
#: Times of arrivals, in order.
_TIMES = st.lists(st.floats(0, 10 * PERIOD), min_size=1, max_size=40).map(sorted)


def _counts(times: list[float], period: int = PERIOD) -> list[int]:
    """What is counted at each arrival of one client."""
    entry, counts = NOBODY, []
    for now in times:
        entry, count = arrive(entry, CLIENT, now, period)
        counts.append(count)
    return counts


@given(_TIMES)
def test_never_fewer_than_of_the_period_itself_nor_more_than_of_two(times: list[float]) -> None:
    """What came since the period began is counted whole, what came before the last period not at all."""
    for index, count in enumerate(_counts(times)):
        number = times[index] // PERIOD
        seen = [now // PERIOD for now in times[: index + 1]]

        assert seen.count(number) <= count <= seen.count(number) + seen.count(number - 1)


@given(_TIMES, st.integers(0, 39))
def test_one_arrival_more_never_counts_less(times: list[float], left_out: int) -> None:
    """Who comes oftener is never taken for somebody who comes less often."""
    without = times[:left_out] + times[left_out + 1 :]

    assert _counts(times)[-1] >= (_counts(without)[-1] if without and without[-1] == times[-1] else 0)


@pytest.mark.parametrize(("elapsed", "counted"), [(0, 100), (0.25, 75), (0.5, 50), (0.75, 25), (0.999, 0)])
def test_the_period_before_counts_by_the_part_that_is_still_reached(elapsed: float, counted: int) -> None:
    """A hundred arrivals, then one in the next period: the share of them that the last 60 seconds reach into."""
    times = [30.0] * 100 + [PERIOD * (1 + elapsed)]

    assert _counts(times)[-1] == 1 + counted


@given(st.integers(1, 20), st.integers(1, 100), st.floats(0, 1e9))
def test_who_comes_evenly_is_counted_rightly(each: int, period: int, begin: float) -> None:
    """n arrivals in each period are counted as n, give or take one."""
    times = [begin + index * period / each for index in range(5 * each)]

    assert all(abs(count - each) <= 1 for count in _counts(times, period)[3 * each :])


@given(st.floats(0, 1e9), st.integers(1, 100), st.integers(1, 3600))
def test_who_has_not_come_for_two_periods_is_new(begin: float, often: int, period: int) -> None:
    """Nothing is held against a client for longer."""
    assert _counts([begin] * often + [begin + 2 * period], period)[-1] == 1


@given(st.integers(1, 1 << 64), st.integers(0, 1000), st.floats(0, 1e6))
def test_another_client_s_entry_is_taken_over_empty(other: int, often: int, now: float) -> None:
    """Nobody inherits the arrivals of who stood in the place before."""
    entry, count = arrive(Entry(other + CLIENT, int(now // PERIOD), often, often), CLIENT, now, PERIOD)

    assert (entry, count) == (Entry(CLIENT, int(now // PERIOD), 1, 0), 1)


def test_more_arrivals_than_four_bytes_hold_are_many() -> None:
    """The counter stays where it is."""
    most = (1 << 32) - 1

    assert arrive(Entry(CLIENT, 1, most, 0), CLIENT, PERIOD, PERIOD)[0].current == most


_ENTRIES = st.lists(
    st.builds(Entry, st.integers(0, 5), st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)),
    min_size=1,
    max_size=6,
    unique_by=lambda entry: entry.client,
)


@given(_ENTRIES, st.integers(1, 6))
def test_a_client_keeps_its_place(entries: list[Entry], client: int) -> None:
    """Whoever stands there is found; otherwise the one goes who came longest ago, and of those who came least."""
    where = place(entries, client)

    if client in [entry.client for entry in entries]:
        assert entries[where].client == client
    else:
        ages = [(entry.number, entry.current) for entry in entries]
        assert all(ages[where] <= age for age in ages)


def test_each_arrival_moves_the_entry_on() -> None:
    """The period, the arrivals in it, and those of the one before."""
    entries = [NOBODY]
    for now in (0, 59, 60, 61, 62, 180):
        entries.append(arrive(entries[-1], CLIENT, now, PERIOD)[0])

    assert [entry[1:] for entry in entries[1:]] == [(0, 1, 0), (0, 2, 0), (1, 1, 2), (1, 2, 2), (1, 3, 2), (3, 1, 0)]
    assert all(first.number <= second.number for first, second in pairwise(entries))
