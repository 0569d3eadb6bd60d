"""The overflow queue: first come, first served, as soon as there is room and not before."""

import socket

from ucspi_py.core.client.connection import Endpoints
from ucspi_py.system.accept.overflow import OverflowQueue


class Inn:
    """An overflow queue with some room behind it."""

    def __init__(self, rooms: int, capacity: int = 3) -> None:
        self.rooms = rooms
        self.served: list[bytes] = []
        self.failures: list[BaseException] = []
        self.waiting = 0
        self.queue = OverflowQueue(capacity, lambda: self.rooms > 0, self._serve, self.failures.append, self._waits)
        self._socket = socket.socket()

    def come(self, name: bytes) -> None:
        """A new client."""
        self.queue.join(self._socket, Endpoints(b"", b"", name, b""))

    def _waits(self, more: int) -> None:
        self.waiting += more

    def _serve(self, _client: socket.SocketType, endpoints: Endpoints) -> None:
        if endpoints.remote_ip == b"broken":
            raise ValueError("broken")
        self.rooms -= 1
        self.served.append(endpoints.remote_ip)
        self.queue.call_in()  # whoever is served may make room at once
        self._socket.close()


def test_who_comes_waits_behind_those_that_wait() -> None:
    """Each room goes to the one that has waited longest, also when a newcomer finds it free."""
    inn = Inn(rooms=1)
    for name in (b"a", b"b", b"c"):
        inn.come(name)
    assert (inn.served, len(inn.queue)) == ([b"a"], 2)

    inn.rooms = 1
    inn.come(b"d")
    assert inn.served == [b"a", b"b"]

    inn.rooms = 2
    inn.queue.call_in()
    assert inn.served == [b"a", b"b", b"c", b"d"]
    assert not inn.queue


def test_it_is_heard_how_many_wait() -> None:
    """Nobody who is served at once, also where that fails."""
    inn = Inn(rooms=1)
    told = []
    for name in (b"a", b"b", b"broken"):
        inn.come(name)
        told.append(inn.waiting)
    inn.rooms = 2
    inn.queue.call_in()

    assert told == [0, 1, 2]
    assert inn.waiting == len(inn.queue) == 0


def test_there_are_as_many_seats_as_there_are() -> None:
    """One that is left is free again."""
    inn = Inn(rooms=0, capacity=2)
    inn.come(b"a")
    assert inn.queue.has_seats
    inn.come(b"b")
    assert not inn.queue.has_seats
    inn.rooms = 1
    inn.queue.call_in()
    assert inn.queue.has_seats


def test_one_that_cannot_be_served_keeps_nobody_waiting() -> None:
    """It is left and told of, and the next has the room."""
    inn = Inn(rooms=0)
    inn.come(b"broken")
    inn.come(b"a")
    inn.rooms = 1
    inn.queue.call_in()
    assert inn.served == [b"a"]
    assert [str(failure) for failure in inn.failures] == ["broken"]
