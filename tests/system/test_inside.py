"""Who is inside, as rows that processes share: each client once, and nobody who is half written or gone."""

import os
from collections.abc import Iterator

import pytest

from ucspi_py.core.top.visitor import State, unpacked
from ucspi_py.system.accept.scoreboard import Scoreboard
from ucspi_py.system.top import inside as rooms
from ucspi_py.system.top.inside import Inside, Visit

IP, PORT = b"192.0.2.7", b"4711"


@pytest.fixture
def board() -> Scoreboard:
    """Two slots, and two places for clients without a program."""
    return Scoreboard(2, 2)


@pytest.fixture
def inside(board: Scoreboard) -> Inside:
    """The clients on it."""
    return Inside(board)


def came(board: Scoreboard, inside: Inside) -> Visit:
    """A client that has got a place."""
    row = board.claim(board.pending)
    assert row is not None
    return Visit(inside, row, IP, PORT, socket=99)


def states(inside: Inside) -> list[State]:
    """Of all that are shown."""
    return [visitor.state for visitor in inside.visitors()]


def test_a_client_is_shown_while_it_has_its_place(board: Scoreboard, inside: Inside) -> None:
    """With what has become of it."""
    visit = came(board, inside)
    visit.known(b"mx.example.net")
    visit.at(State.RCPT, b"helo")
    visit.logged_in(b"joe")
    visit.took()

    (one,) = inside.visitors()
    assert (one.worker, one.ip, one.port, one.socket) == (os.getpid(), IP, 4711, 99)
    assert (one.name, one.helo, one.user, one.state, one.messages) == (
        b"mx.example.net",
        b"helo",
        b"joe",
        State.RCPT,
        1,
    )

    visit.close()
    visit.at(State.DATA)
    assert states(inside) == []


def test_all_zones_are_named_that_have_not_answered(board: Scoreboard, inside: Inside) -> None:
    """In the order in which they are asked; one may be asked twice."""
    visit = came(board, inside)
    waits = []
    for zone in (b"a", b"b", b"a"):
        visit.asks(zone)
    for zone in (b"a", b"b", b"a"):
        waits.append(next(inside.visitors()).waits)
        visit.answered(zone)

    assert waits == [b"a b a", b"b a", b"a"]
    assert next(inside.visitors()).waits == b""


def test_a_program_is_shown_once_and_outlives_the_place_of_its_client(board: Scoreboard, inside: Inside) -> None:
    """By the place as long as that is there: it knows more."""
    visit = came(board, inside)
    visit.at(State.MAIL)
    slot = board.claim(board.slots)
    assert slot is not None
    board.hold(slot, 4321)
    visit.started(slot, 4321, IP, PORT, None)
    assert states(inside) == [State.MAIL]

    visit.close()
    assert states(inside) == [State.PROGRAM]

    board.give_back(slot)
    assert states(inside) == []


def test_a_row_that_another_one_has_by_now_is_not_shown(board: Scoreboard, inside: Inside) -> None:
    """A program's row stays as it was when its slot is another program's."""
    slot = board.claim(board.slots)
    assert slot is not None
    board.hold(slot, 4321)
    came(board, inside).started(slot, 4321, IP, PORT, None)
    board.hold(slot, 4322)

    assert [visitor.program for visitor in inside.visitors()] == [4321]  # by its place alone


def test_a_row_that_is_being_written_is_read_again(
    board: Scoreboard, inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three times at most; nobody waits for who writes it."""
    visit = came(board, inside)
    told: Iterator[bool] = iter([False, False, True])
    monkeypatch.setattr(rooms, "unpacked", lambda row: unpacked(row) if next(told, False) else None)

    assert len(states(inside)) == 1
    assert states(inside) == []
    visit.close()
