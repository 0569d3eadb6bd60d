"""What a client is held against its limits by: counted only where it is limited."""

import os

import pytest

from ucspi_py.core.client.limits import ClientLimits, Keys, Presence
from ucspi_py.system.accept.arrivals import Arrivals
from ucspi_py.system.accept.client_counter import ClientCounter
from ucspi_py.system.accept.scoreboard import Place, Scoreboard

KEYS = Keys(client=11, network=22)
ALL = ClientLimits(per_client=5, per_network=5, load=100)


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> Scoreboard:
    """Two connections of the client, one more of its network, one of somebody else, on a machine with a load."""
    monkeypatch.setattr(os, "getloadavg", lambda: (1.239, 9.0, 9.0))
    board = Scoreboard(3, 3)
    for row, keys in enumerate((KEYS, KEYS, Keys(12, 22), Keys(13, 23))):
        board.name(row, *keys)
    return board


def test_connections_are_counted_but_the_one_in_question(board: Scoreboard) -> None:
    """Whether it has a row already or not."""
    counter = ClientCounter(board, None)

    assert counter.presence(KEYS, ALL, has_row=True) == Presence(1, 2, 0, 123)
    assert counter.presence(KEYS, ALL, has_row=False) == Presence(2, 3, 0, 123)


def test_what_is_not_limited_is_not_counted(board: Scoreboard) -> None:
    """Nor where nobody is let in anyway; arrivals are, as a rule may limit the next."""
    counter = ClientCounter(board, Arrivals(60))

    assert counter.presence(KEYS, ClientLimits(), has_row=True) == Presence(0, 0, 1, 0)
    assert counter.presence(KEYS, ClientLimits(per_client=0, per_network=0), has_row=False) == Presence(0, 0, 2, 0)


def test_a_system_without_a_load_average(board: Scoreboard, monkeypatch: pytest.MonkeyPatch) -> None:
    """It counts as idle."""

    def fail() -> tuple[float, float, float]:
        raise OSError

    monkeypatch.setattr(os, "getloadavg", fail)

    assert ClientCounter(board, None).presence(KEYS, ALL, has_row=True) == Presence(1, 2, 0, 0)


def test_a_client_whose_backend_has_ended_is_counted_for_its_place_again(board: Scoreboard) -> None:
    """As one of three."""
    ClientCounter(board, None).count(Place(board.pending.start, KEYS))

    assert board.count_client(KEYS.client) == 3
