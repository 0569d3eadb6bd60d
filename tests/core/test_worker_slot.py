"""Who is on a worker's post, and when the next one is forked: pure, so every case is a few lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.service.worker_slot import (
    LONGEST_BACK_OFF,
    SHORTEST_BACK_OFF,
    WorkerSlot,
    ended,
    forked,
    next_fork,
    not_forked,
    stood,
    to_be_relieved,
    workers,
)


def serving(pid: int, born: float = 0.0) -> WorkerSlot:
    """A post whose worker stands."""
    return stood(forked(WorkerSlot(), pid, born), pid)[0]


def test_an_empty_post_is_filled_at_once_and_once() -> None:
    """Nobody else is forked for it, whether the worker stands yet or not."""
    assert next_fork(WorkerSlot()) == 0.0
    assert next_fork(forked(WorkerSlot(), 5, 1.0)) is None
    assert next_fork(serving(5)) is None
    assert workers(serving(5)) == {5}


def test_whoever_is_relieved_leaves_once_the_successor_stands() -> None:
    """Not when it is asked for, nor when the successor is forked."""
    slot = to_be_relieved(serving(5))
    assert next_fork(slot) == 0.0
    slot = forked(slot, 6, 9.0)
    assert workers(slot) == {5, 6}
    assert next_fork(slot) is None

    slot, leaver = stood(slot, 6)

    assert leaver == 5
    assert workers(slot) == {6}
    assert next_fork(slot) is None


def test_without_room_for_a_successor_nobody_leaves() -> None:
    """It is tried again, later and later."""
    slot = not_forked(to_be_relieved(serving(5)), 10.0)
    assert workers(slot) == {5}
    assert next_fork(slot) == 10.0 + SHORTEST_BACK_OFF
    assert next_fork(not_forked(slot, 20.0)) == 20.0 + 2 * SHORTEST_BACK_OFF


def test_a_successor_that_dies_before_it_stands_relieves_nobody() -> None:
    """Another one is forked for it."""
    slot = ended(forked(to_be_relieved(serving(5)), 6, 10.0), 6, 10.5)
    assert workers(slot) == {5}
    assert next_fork(slot) == 10.5 + SHORTEST_BACK_OFF


def test_a_worker_that_dies_while_its_successor_comes() -> None:
    """The successor is all that is needed."""
    slot = ended(forked(to_be_relieved(serving(5)), 6, 10.0), 5, 10.5)
    assert workers(slot) == {6}
    assert next_fork(slot) is None
    assert stood(slot, 6)[1] is None


def test_asked_again_while_a_successor_comes() -> None:
    """That one was forked before: it is relieved in its turn."""
    slot = to_be_relieved(forked(to_be_relieved(serving(5)), 6, 10.0))
    assert next_fork(slot) is None
    slot, leaver = stood(slot, 6)
    assert leaver == 5
    assert next_fork(slot) == 0.0
    assert stood(forked(slot, 7, 11.0), 7)[1] == 6


def test_those_who_die_young_are_followed_later_and_later() -> None:
    """Up to some seconds; after one that lived the next comes at once."""
    slot, now, waits = WorkerSlot(), 100.0, []
    for pid in range(10):
        slot = ended(forked(slot, pid, now), pid, now + 0.9)
        due = next_fork(slot)
        assert due is not None
        waits.append(round(due - now - 0.9, 3))
        now = due
    assert waits == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0, 5.0]

    slot = ended(forked(slot, 99, now), 99, now + 1.0)
    assert next_fork(slot) == now + 1.0
    assert next_fork(ended(forked(slot, 98, now), 98, now)) == now + SHORTEST_BACK_OFF


def test_asking_ends_the_wait() -> None:
    """Whoever sends SIGHUP may have mended what the workers died of."""
    slot = WorkerSlot()
    for pid in range(9):
        slot = ended(forked(slot, pid, 100.0), pid, 100.0)
    assert next_fork(to_be_relieved(slot)) == 0.0


@pytest.mark.parametrize("slot", [WorkerSlot(), serving(5), forked(serving(5), 6, 0.0)])
def test_a_stranger_stands_on_no_post(slot: WorkerSlot) -> None:
    """Nor does one that stands already stand again."""
    assert stood(slot, 5) == (slot, None)
    assert stood(slot, 7) == (slot, None)


@pytest.mark.parametrize("slot", [WorkerSlot(), serving(5), forked(serving(5), 6, 0.0)])
def test_the_end_of_a_stranger_changes_nothing(slot: WorkerSlot) -> None:
    """Nobody is relieved for it."""
    assert ended(slot, 7, 1.0) == slot


_STEPS = st.lists(st.sampled_from(("hup", "fork", "no room", "stands", "dies coming")))


@given(_STEPS)
def test_somebody_serves_whatever_happens(steps: list[str]) -> None:
    """But for its own death, a worker leaves only for a successor that stands; and nobody waits too long."""
    slot, next_pid, now = serving(1), 2, 0.0
    for step in steps:
        now += 0.1
        due = next_fork(slot)
        before = slot
        if step == "hup":
            slot = to_be_relieved(slot)
        elif step == "fork" and due is not None:
            slot, next_pid = forked(slot, next_pid, now), next_pid + 1
        elif step == "no room" and due is not None:
            slot = not_forked(slot, now)
        elif step == "stands" and slot.coming:
            slot, leaver = stood(slot, slot.coming.pid)
            assert before.serving
            assert leaver == before.serving.pid
        elif step == "dies coming" and slot.coming:
            slot = ended(slot, slot.coming.pid, now)
        assert slot.serving
        due = next_fork(slot)
        assert due is None or due <= now + LONGEST_BACK_OFF
