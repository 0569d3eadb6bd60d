"""Accepting in one worker: the listeners are watched while there is room, and left to others without. Never serves."""

import asyncio
import errno
import socket
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from ...core.errors import error_words
from ..process.loop import watch_edges
from ..process.timer import Timer
from .listener import Listener, is_crowded

#: Clients accepted in one wake-up: they share the cost of one turn of the loop, and other workers find the rest.
_BURST = 16
#: Seconds without accepting when there are no descriptors, no memory or no processes for a client.
_REST = 0.5
#: Seconds between two looks whether the master goes on, while it is stopped and clients are in the queue.
_STOPPED_LOOKS = 0.2
#: Seconds between two lines about what is scarce.
_STARVED_LINES = 2.0
#: Seconds from a client's arrival, while there is no room, until a look whether the queue is about to overflow.
_CROWD_LOOK = 0.005

_SCARCE = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))


class Host(Protocol):
    """What the acceptor accepts for."""

    def wants_client(self) -> bool:
        """Whether a client would be welcome now."""

    def take(self, client: socket.SocketType, peer: Any, /) -> None:
        """Take over a client. peer: its address as accept(2) gives it. Raises only where it has not taken it over."""

    def changed(self) -> None:
        """Called when the acceptor has looked away: watch() is to be called once there is room again."""

    def make_room(self) -> bool:
        """Close a client that is held refused, for its descriptor; False where there is none."""

    def starved(self, why: str, /) -> None:
        """Called when no client can be accepted. why: in djb's words for errno."""


class Acceptor:
    """Accepts clients for one worker.

    listeners: closed by close(). host: takes them. stopped: whether the master is stopped (SIGSTOP); no client is
    accepted until it goes on.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, listeners: Sequence[Listener], host: Host, stopped: Callable[[], bool]
    ) -> None:
        self._loop = loop
        self._listeners = tuple(listeners)
        self._host = host
        self._stopped = stopped
        self._watching = self._looked_away = False
        self._timer = Timer(_CROWD_LOOK, self.watch)
        self._resting_until = 0.0
        self._rested: asyncio.TimerHandle | None = None
        self._next_line = 0.0

    @property
    def closed(self) -> bool:
        """Whether this worker listens no more."""
        return not self._listeners

    @property
    def away(self) -> bool:
        """Whether this worker listens, and has looked away for want of room."""
        return bool(self._listeners) and not self._watching

    def is_crowded(self) -> bool:
        """Whether a listener's queue is about to overflow."""
        return any(map(is_crowded, self._listeners))

    def watch(self) -> None:
        """Watch the listeners from now on, if there is room; else only for a queue that is about to overflow."""
        if self._watching or not self._listeners:
            return
        if not self.is_resting() and self._host.wants_client():
            for listener in self._listeners:
                self._loop.add_reader(listener, self._accept, listener)
            self._watching, self._looked_away = True, False
        else:
            self._look_away()

    def is_resting(self) -> bool:
        """Whether no client is accepted for a while, after rest()."""
        return self._loop.time() < self._resting_until

    def rest(self, seconds: float = _REST) -> None:
        """Accept no client for some seconds: what is missing does not come back by asking for it again and again."""
        self._resting_until = self._loop.time() + seconds
        if self._rested:
            self._rested.cancel()
        self._rested = self._loop.call_later(seconds, self._end_rest)
        self._look_away()

    def _end_rest(self) -> None:
        self._resting_until = 0.0
        self.watch()

    def close(self) -> None:
        """Close the listeners."""
        for listener in self._listeners:
            self._loop.remove_reader(listener)
            listener.close()
        self._listeners = ()

    def relieve(self) -> None:
        """Accept clients from a queue that is about to overflow, whether there is room for them or not."""
        for listener in self._listeners:
            while is_crowded(listener) and not self._stopped() and self._accept_some(listener):
                pass

    def _look_away(self) -> None:
        """Leave the listeners to workers that have room."""
        if not self._listeners or self._looked_away:
            return
        watched, self._watching = self._watching, False
        self._looked_away = all(watch_edges(self._loop, each, self._look_soon) for each in self._listeners)
        if not self._looked_away:
            for listener in self._listeners:
                self._loop.remove_reader(listener)
            self._look_soon()
        if watched:
            self._host.changed()

    def _look_soon(self) -> None:
        """One more client may have queued up: look for room, or for an overflow, once for all that come meanwhile."""
        self._timer.ask(self._loop)

    def _accept(self, listener: Listener) -> None:
        if not self._host.wants_client():
            self._look_away()
        elif self._stopped():
            self.rest(_STOPPED_LOOKS)
        else:
            self._accept_some(listener)

    def _accept_some(self, listener: Listener) -> bool:
        """Accept a burst of clients, as long as they are wanted; False where there are none to be had."""
        for _ in range(_BURST):
            if self.closed or not self._host.wants_client():
                return False
            try:
                client, peer = listener.next_client()
            except (BlockingIOError, ConnectionAbortedError, InterruptedError):
                return False
            except OSError as error:
                self._starve(error)
                return False
            try:
                self._host.take(client, peer)
            except BaseException:
                client.close()
                raise
        return True

    def _starve(self, error: OSError) -> None:
        if error.errno in _SCARCE and self._host.make_room():
            self._look_away()  # until it is gone
            return
        if self._loop.time() >= self._next_line:
            self._host.starved(error_words(error.errno))
            self._next_line = self._loop.time() + _STARVED_LINES
        self.rest()
