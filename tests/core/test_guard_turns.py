"""Whose check is next, as laws over any order of comings."""

from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.guard.turns import Turns

LIMIT, SECONDS = 4, 20.0


def taken(turns: Turns[int]) -> list[int]:
    return [item for _ in range(len(turns)) if (item := turns.take()) is not None]


@given(st.lists(st.booleans(), max_size=20))
def test_known_users_come_first_and_push_out_the_last_of_the_others(kinds: list[bool]) -> None:
    """Each kind in the order of its coming; of the known none is turned away while another waits."""
    turns: Turns[int] = Turns(LIMIT, SECONDS)

    away = [turns.join(number, 0.0, known=known) for number, known in enumerate(kinds)]

    waiting = taken(turns)
    assert sorted(waiting + [number for number in away if number is not None]) == list(range(len(kinds)))
    known, others = [n for n in waiting if kinds[n]], [n for n in waiting if not kinds[n]]
    assert waiting == sorted(known) + sorted(others)
    assert len(known) == min(LIMIT, sum(kinds))
    assert turns.take() is None


def test_one_more_than_may_wait_is_turned_away() -> None:
    """The one that comes last."""
    turns: Turns[int] = Turns(LIMIT, SECONDS)

    assert [turns.join(number, 0.0, known=False) for number in range(LIMIT + 1)] == [None] * LIMIT + [LIMIT]


def test_who_has_waited_too_long_is_taken_out() -> None:
    """At that second, whichever kind; the first of them is known beforehand."""
    turns: Turns[int] = Turns(LIMIT, SECONDS)
    assert turns.next_overdue is None
    turns.join(0, 1.0, known=False)
    turns.join(1, 2.0, known=True)
    turns.join(2, 3.0, known=False)

    assert turns.next_overdue == 21.0
    assert turns.take_overdue(20.9) == []
    assert turns.take_overdue(22.0) == [1, 0]
    assert turns.next_overdue == 23.0
    assert taken(turns) == [2]
