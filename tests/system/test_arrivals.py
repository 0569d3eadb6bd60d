"""How often clients have come, in memory that workers share."""

import os

from ucspi_py.system.accept.arrivals import Arrivals

PERIOD = 60


class Clock:
    """A time that goes on when a test says so."""

    def __init__(self) -> None:
        self.now = 1000 * PERIOD + 0.0

    def __call__(self) -> float:
        return self.now


def test_each_client_is_counted_by_itself() -> None:
    """Many clients, each as often as it came."""
    arrivals = Arrivals(PERIOD, clock=Clock())
    clients = [(0xFFFF << 48) + number for number in range(1, 200)]

    assert [arrivals.note(client) for client in clients * 3] == [1] * 199 + [2] * 199 + [3] * 199


def test_the_count_slides() -> None:
    """Half a period later half of the last period's arrivals are left, two periods later none."""
    clock = Clock()
    arrivals = Arrivals(PERIOD, clock=clock)
    for _ in range(10):
        arrivals.note(1)
    clock.now += 1.5 * PERIOD

    assert arrivals.note(1) == 1 + 5
    clock.now += 2 * PERIOD
    assert arrivals.note(1) == 1


def test_in_a_full_table_who_has_not_come_again_is_forgotten_first() -> None:
    """Four stand in a place; the fifth takes that of the one who came in the period before, not that of a busy one."""
    clock = Clock()
    arrivals = Arrivals(PERIOD, places=4, clock=clock)
    for client in (1, 2, 3, 4):
        for _ in range(5):
            arrivals.note(client)
    clock.now += PERIOD
    for client in (1, 2, 4):
        arrivals.note(client)

    assert arrivals.note(5) == 1
    assert [arrivals.note(client) for client in (1, 2, 4)] == [7, 7, 7]
    assert arrivals.note(3) == 1


def test_of_those_of_one_period_the_rarest_is_forgotten() -> None:
    """Who comes once and never again does not push out who comes all the time."""
    arrivals = Arrivals(PERIOD, places=4, clock=Clock())
    for client in (1, 2, 3):
        arrivals.note(client)
        arrivals.note(client)

    assert [arrivals.note(static_names) for static_names in range(100, 200)] == [1] * 100
    assert [arrivals.note(client) for client in (1, 2, 3)] == [3, 3, 3]


def test_workers_count_together() -> None:
    """What a forked process has noted is known to the others."""
    arrivals = Arrivals(PERIOD, clock=Clock())
    child = os.fork()
    if child == 0:
        arrivals.note(1)
        arrivals.note(1)
        os._exit(0)
    assert os.waitpid(child, 0) == (child, 0)

    assert arrivals.note(1) == 3
