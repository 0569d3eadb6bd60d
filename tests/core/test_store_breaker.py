"""When a store that fails is left alone, and when the log says so."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.store.breaker import Standing, answered, asked, failed, is_worth_a_line, may_be_asked


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


def test_one_client_alone_looks_whether_it_is_well_again() -> None:
    """The others go on without it; once it has answered everybody asks it, and if it never does another one looks."""
    resting = failed(Standing(), 100.0)
    probed = asked(resting, 102.0)

    assert not may_be_asked(probed, 102.1)
    assert may_be_asked(answered(probed), 102.1)
    assert may_be_asked(probed, 104.0)
    assert not is_worth_a_line(answered(probed), 102.1)


def test_while_it_is_well_everybody_asks() -> None:
    """Any number at once."""
    standing = asked(Standing(), 100.0)

    assert may_be_asked(standing, 100.0)
    assert asked(answered(standing), 100.0) == standing
