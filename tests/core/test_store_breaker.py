"""When a store that fails is left alone, and when the log says so."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.store.breaker import Standing, failed, is_worth_a_line, may_be_asked


def test_it_is_asked_at_first() -> None:
    """And its first failure is worth a line."""
    assert may_be_asked(Standing(), 0.0)
    assert is_worth_a_line(Standing(), 0.0)


def test_after_a_failure() -> None:
    """It is left alone for two seconds, and no line follows for a minute."""
    standing = failed(Standing(), 100.0)

    assert [may_be_asked(standing, now) for now in (100.0, 101.9, 102.0)] == [False, False, True]
    assert [is_worth_a_line(standing, now) for now in (100.0, 159.9, 160.0)] == [False, False, True]


@given(st.lists(st.floats(0, 1000)).map(sorted))
def test_lines_about_any_failures(times: list[float]) -> None:
    """Whenever it fails, lines are a minute apart, and it is never left alone for longer than two seconds."""
    standing, lines = Standing(), list[float]()
    for now in times:
        if is_worth_a_line(standing, now):
            lines.append(now)
        standing = failed(standing, now)
        assert may_be_asked(standing, now + 2.0)
    assert all(after - before >= 59.99 for before, after in pairwise(lines))
