"""Rows of the scoreboard: whose they are, who is held longest, and what the dead leave behind."""

import os

import pytest

from tests.support.forked import in_child
from ucspi_py.system.accept.scoreboard import Scoreboard


@pytest.fixture
def board() -> Scoreboard:
    """Two slots, three places."""
    return Scoreboard(2, 3)


def test_a_backend_counts_until_its_row_is_given_back(board: Scoreboard) -> None:
    """Claimed is not running yet; given back is neither."""
    row = board.claim(board.slots)
    assert row is not None
    assert board.running() == 0

    board.hold(row, 4711)
    assert (board.running(), list(board.backends())) == (1, [(row, 4711)])

    board.give_back(row)
    assert (board.running(), board.free(board.slots)) == (0, 2)


def test_a_client_is_counted_by_its_keys_until_its_row_is_given_back(board: Scoreboard) -> None:
    """In slots and places alike."""
    rows = [board.claim(board.slots), board.claim(board.pending)]
    for row in rows:
        assert row is not None
        board.name(row, 11, 22)
    assert (board.count_client(11), board.count_network(22), board.count_client(22)) == (2, 2, 0)

    for row in rows:
        assert row is not None
        board.give_back(row)
    assert (board.count_client(11), board.count_network(22)) == (0, 0)


def test_what_a_dead_worker_had_claimed_is_found_in_slots_and_places(board: Scoreboard) -> None:
    """Held or not, asked to leave or not; what others have is not among it."""

    def claim_and_hold() -> None:
        board.claim(board.slots)
        for since in (1, 2):
            row = board.claim(board.pending)
            assert row is not None
            board.hold_pending(row, since)
        board.claim(board.pending)
        board.dismiss_oldest()

    ours = board.claim(board.slots)
    dead = in_child(claim_and_hold)

    assert len(board.claimed_by(dead)) == 4
    assert board.claimed_by(os.getpid()) == [ours]
    for row in board.claimed_by(dead):
        board.give_back(row)
    assert (board.free(board.slots), board.free(board.pending)) == (1, 3)
    assert not board.anybody_held()
    assert not board.dismiss_oldest()


def test_who_is_held_longest_is_asked_to_leave_whoever_has_it(board: Scoreboard) -> None:
    """Each call asks the next; a row is told to its own process alone, and free once it is given back."""
    rows = [board.claim(board.pending) for _ in range(2)]
    for row, since in zip(rows, (300, 100), strict=True):
        assert row is not None
        board.hold_pending(row, since)

    def hold_the_one_between() -> None:
        row = board.claim(board.pending)
        assert row is not None
        board.hold_pending(row, 200)

    in_child(hold_the_one_between)
    asked = []
    for _ in range(3):
        assert board.anybody_held()
        assert board.dismiss_oldest()
        asked.append(sorted(board.dismissed()))

    assert asked == [[rows[1]], [rows[1]], sorted(row for row in rows if row is not None)]
    assert not board.anybody_held()
    assert not board.dismiss_oldest()
    for row in rows:
        assert row is not None
        board.give_back(row)
    assert board.free(board.pending) == 2
    assert board.dismissed() == []
