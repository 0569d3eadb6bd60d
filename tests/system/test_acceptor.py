"""The listener as one worker sees it, over a real one: accepting as long as clients are welcome, and resting."""

import asyncio
import errno
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.waiting import until
from ucspi_py.system.accept.acceptor import Acceptor
from ucspi_py.system.accept.listener import listen
from ucspi_py.system.process.loop import new_loop


class Host:
    """A worker that takes so many clients, with notes of what the acceptor does."""

    def __init__(self, loop: asyncio.AbstractEventLoop, backlog: int = 100) -> None:
        self.loop = loop
        self.listener = listen("127.0.0.1", 0, backlog)
        self.room = 0
        self.held = 0
        self.stopped = False
        self.looks = self.away = 0
        self.taken: list[int] = []
        self.words: list[str] = []
        self._sockets: list[socket.SocketType] = []
        self.acceptor = Acceptor(loop, (self.listener,), self, lambda: self.stopped)

    def wants_client(self) -> bool:
        """As long as there is room."""
        self.looks += 1
        return self.room > 0

    def take(self, client: socket.SocketType, peer: Any, /) -> None:
        """One more."""
        self.room -= 1
        self.taken.append(peer[1])
        self._sockets.append(client)

    def changed(self) -> None:
        """One more time of looking away."""
        self.away += 1

    def make_room(self) -> bool:
        """One that is held less."""
        self.held -= 1
        return self.held >= 0

    def starved(self, why: str, /) -> None:
        """A line."""
        self.words.append(why)

    def connect(self, number: int) -> list[int]:
        """So many clients; their ports."""
        clients = [socket.create_connection(self.listener.getsockname()[:2]) for _ in range(number)]
        self._sockets += clients
        return [client.getsockname()[1] for client in clients]

    def turn(self, seconds: float = 0.02) -> None:
        """Let the loop go on."""
        self.loop.run_until_complete(asyncio.sleep(seconds))

    def until(self, condition: Callable[[], object]) -> None:
        """Let the loop go on until a condition holds."""

        def holds() -> bool:
            self.turn(0.001)
            return bool(condition())

        until(holds)

    def close(self) -> None:
        """The end."""
        self.acceptor.close()
        for client in self._sockets:
            client.close()


@pytest.fixture(params=[new_loop, asyncio.SelectorEventLoop], ids=["ours", "asyncio's"])
def host(request: pytest.FixtureRequest) -> Iterator[Host]:
    """A host on either loop."""
    make: Callable[[], asyncio.AbstractEventLoop] = request.param
    loop = make()
    host = Host(loop)
    yield host
    host.close()
    loop.close()


def test_as_many_as_are_welcome_are_taken_in_their_order(host: Host) -> None:
    """The others stay in the listener's queue until there is room again, also from a burst."""
    ports = host.connect(20)
    host.room = 5
    host.acceptor.watch()
    host.turn()
    assert host.taken == ports[:5]
    assert host.acceptor.away
    host.acceptor.watch()
    assert host.away == 1

    host.room = 15
    host.acceptor.watch()
    host.turn()
    assert host.taken == ports
    assert host.room == 0


def test_a_queue_that_is_about_to_overflow_is_relieved_as_long_as_clients_are_welcome(host: Host) -> None:
    """In bursts, until it is half empty."""
    host.close()
    small = Host(host.loop, backlog=40)
    small.connect(30)
    assert small.acceptor.is_crowded()
    small.room = 3
    small.acceptor.relieve()
    assert len(small.taken) == 3

    small.room = 100
    small.acceptor.relieve()
    assert not small.acceptor.is_crowded()
    assert len(small.taken) == 19
    small.stopped = True
    small.connect(20)
    small.acceptor.relieve()
    assert len(small.taken) == 19
    small.close()


def test_a_rest_is_a_rest_and_ends_by_itself(host: Host) -> None:
    """Nobody is taken in before."""
    host.room = 10
    host.acceptor.watch()
    host.acceptor.rest(60)
    host.acceptor.watch()
    host.connect(1)
    host.turn()
    assert host.acceptor.is_resting()
    assert not host.taken
    host.acceptor.rest(0.01)
    host.until(lambda: host.taken)
    assert not host.acceptor.is_resting()


def test_while_the_master_is_stopped_nobody_is_taken(host: Host) -> None:
    """Who has come meanwhile is taken a little after it goes on; the acceptor asks only when somebody knocks."""
    host.room, host.stopped = 10, True
    host.acceptor.watch()
    host.turn()
    assert not host.acceptor.away
    host.connect(1)
    host.turn()
    assert not host.taken
    host.stopped = False
    host.until(lambda: host.taken)


def test_without_descriptors_a_held_client_makes_room(host: Host) -> None:
    """As long as any is held nothing is said and nobody rests; then it is said, once in two seconds."""
    host.connect(1)
    host.room, host.held = 10, 100

    def fail() -> Any:
        raise OSError(errno.EMFILE, "none")

    host.listener.next_client = fail  # type: ignore[method-assign]
    host.acceptor.watch()
    host.turn()
    assert 0 < host.held < 100
    assert not host.words
    assert not host.acceptor.is_resting()
    host.held = 0
    for _ in range(2):
        host.acceptor.rest(0)
        host.turn()
    assert host.words == ["process cannot open more files"]
    assert host.acceptor.is_resting()


def test_an_error_of_another_kind_costs_no_held_client(host: Host) -> None:
    """What is not for want of anything is said, and a descriptor more would not help."""
    host.connect(1)
    host.room, host.held = 10, 1

    def fail() -> Any:
        raise OSError(errno.EPERM, "a firewall")

    host.listener.next_client = fail  # type: ignore[method-assign]
    host.acceptor.watch()
    host.turn()
    assert host.held == 1
    assert host.words == ["permission denied"]


def test_a_client_that_cannot_be_taken_is_left(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, and not when somebody cleans up."""
    seen: list[socket.SocketType] = []

    def take(client: socket.SocketType, _peer: Any, /) -> None:
        seen.append(client)
        raise MemoryError

    monkeypatch.setattr(host, "take", take)
    host.loop.set_exception_handler(lambda _loop, _context: None)
    host.connect(1)
    host.room = 1
    host.acceptor.watch()
    host.turn()
    assert [client.fileno() for client in seen] == [-1]


def test_a_closed_door_stays_closed(host: Host) -> None:
    """Whatever is asked of it."""
    host.acceptor.watch()
    host.acceptor.close()
    host.acceptor.close()
    host.acceptor.rest(0)
    host.acceptor.watch()
    host.acceptor.relieve()
    host.turn()
    assert host.acceptor.closed
    assert not host.acceptor.away


def test_while_there_is_no_room_nobody_looks_until_a_client_comes() -> None:
    """On a loop that tells of arrivals: one look for each that comes, or for many that come together."""
    loop = new_loop()
    host = Host(loop)
    host.acceptor.watch()
    host.turn()
    host.looks = 0
    host.turn(0.1)
    assert host.looks == 0

    host.connect(5)
    host.turn(0.1)
    assert 1 <= host.looks <= 5
    host.close()
    loop.close()
