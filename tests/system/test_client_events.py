"""What clients do at the gate, counted in memory that workers share."""

import os

from ucspi_py.core.client.limits import Keys
from ucspi_py.core.client.window import Event
from ucspi_py.system.accept.client_counter import ClientCounter
from ucspi_py.system.accept.client_events import ClientEvents
from ucspi_py.system.accept.scoreboard import Place, Scoreboard

PERIOD = 60


class Clock:
    """A time that goes on when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.5

    def __call__(self) -> float:
        return self.now


def test_each_client_is_counted_by_itself() -> None:
    """Many clients, each kind of event as often as it came."""
    events = ClientEvents(PERIOD, clock=Clock())
    clients = [(0xFFFF << 48) + number for number in range(1, 200)]

    for event in Event:
        assert [events.note(client, event) for client in clients * 3] == [1] * 199 + [2] * 199 + [3] * 199


def test_a_period_ends() -> None:
    """The next begins with the next event."""
    clock = Clock()
    events = ClientEvents(PERIOD, clock=clock)
    assert [events.note(1, Event.MESSAGE) for _ in range(3)] == [1, 2, 3]

    clock.now += PERIOD
    assert events.note(1, Event.MESSAGE) == 4
    clock.now += 1
    assert events.note(1, Event.MESSAGE) == 1


def test_in_a_full_table_who_does_least_is_forgotten() -> None:
    """Who comes once and never again does not push out who comes all the time."""
    events = ClientEvents(PERIOD, places=4, clock=Clock())
    for client in (1, 2, 3):
        events.note(client, Event.CONNECTION)
        events.note(client, Event.MESSAGE)

    assert [events.note(client, Event.CONNECTION) for client in range(100, 200)] == [1] * 100
    assert [events.note(client, Event.CONNECTION) for client in (1, 2, 3)] == [2, 2, 2]


def test_workers_count_together() -> None:
    """What a forked process has noted is known to the others."""
    events = ClientEvents(PERIOD, clock=Clock())
    child = os.fork()
    if child == 0:
        events.note(1, Event.RECIPIENT)
        events.note(1, Event.RECIPIENT)
        os._exit(0)
    assert os.waitpid(child, 0) == (child, 0)

    assert events.note(1, Event.RECIPIENT) == 3


def claimed(board: Scoreboard, keys: Keys) -> Place:
    """A place of a client."""
    row = board.claim(board.pending)
    assert row is not None
    return Place(row, keys)


def test_a_connection_beyond_the_limit_is_none_for_those_who_come_next() -> None:
    """Others do not count, nor does one that has gone."""
    board = Scoreboard(2, 6)
    counter = ClientCounter(board, None)
    ours = [claimed(board, Keys(11, 22)) for _ in range(4)]
    counter.let_in(claimed(board, Keys(12, 22)), 2)

    assert [counter.let_in(place, 2) for place in ours] == [1, 2, 3, 3]
    board.give_back(ours[0].row)
    assert counter.let_in(claimed(board, Keys(11, 22)), 2) == 2


def test_without_a_limit_all_count() -> None:
    """Who is told how many there are need not turn anybody away."""
    counter = ClientCounter(board := Scoreboard(2, 6), None)

    assert [counter.let_in(claimed(board, Keys(11, 22)), 0) for _ in range(3)] == [1, 2, 3]


def test_a_dead_workers_connections_are_not_counted_any_more() -> None:
    """Once its rows are given back by the master."""
    board = Scoreboard(0, 4)
    child = os.fork()
    if child == 0:
        counter = ClientCounter(board, None)
        counts = [counter.let_in(claimed(board, Keys(11, 22)), 9) for _ in range(3)]
        os._exit(counts != [1, 2, 3])
    assert os.waitpid(child, 0) == (child, 0)

    for row in board.claimed_by(child):
        board.give_back(row)
    assert ClientCounter(board, None).let_in(claimed(board, Keys(11, 22)), 9) == 1
