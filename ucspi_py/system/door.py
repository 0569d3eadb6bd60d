"""The listener as one worker sees it: watched while there is room, left to others while there is none. Never serves."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from ..core.errors import error_words
from .later import Later
from .listener import Listener, is_crowded

#: Clients accepted in one wake-up: the loop's own cost is then shared by several.
_BURST = 16
#: Seconds for which nobody is accepted when there are no descriptors, no memory or no processes for a client.
_REST = 0.5
#: Seconds between two lines about that.
_STARVED_LINES = 2.0
#: Seconds until a worker that has looked away looks whether there is room again, or the queue about to overflow.
_LOOK_AGAIN = 0.005


class Door:
    """Accepts for one worker.

    wants: whether a client would be welcome now. take: gets each client and its address as accept gives it. starved:
    gets the words for why nobody can be accepted.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        listener: Listener,
        wants: Callable[[], bool],
        take: Callable[[socket.SocketType, Any], None],
        starved: Callable[[str], None],
    ) -> None:
        self._loop = loop
        self._listener: Listener | None = listener
        self._wants = wants
        self._take = take
        self._starved = starved
        self._watching = False
        self._later = Later(_LOOK_AGAIN, self.watch)
        self._resting_until = 0.0
        self._next_line = 0.0

    @property
    def closed(self) -> bool:
        """Whether we listen no more."""
        return self._listener is None

    def is_crowded(self) -> bool:
        """Whether the listener's queue is about to overflow."""
        return self._listener is not None and is_crowded(self._listener)

    def watch(self) -> None:
        """Watch the listener from now on, or, where there is no room, look again soon."""
        if self._watching or not self._listener:
            return
        if not self.is_resting() and self._wants():
            self._loop.add_reader(self._listener, self._accept)
            self._watching = True
        else:
            self._later.ask(self._loop)

    def is_resting(self) -> bool:
        """Whether nobody is taken in for a while."""
        return self._loop.time() < self._resting_until

    def rest(self) -> None:
        """Take nobody in for a while: what is missing does not come back by asking for it again and again."""
        self._resting_until = self._loop.time() + _REST
        self._look_away()

    def close(self) -> None:
        """Listen no more."""
        if self._listener:
            self._loop.remove_reader(self._listener)
            self._listener.close()
            self._listener = None
            self._watching = False

    def _look_away(self) -> None:
        """Leave the listener to others: a client in its queue is accepted by who has room."""
        if self._listener and self._watching:
            self._loop.remove_reader(self._listener)
            self._watching = False
            self._later.ask(self._loop)

    def relieve(self) -> None:
        """Take clients off a queue that is about to overflow, whether there is room for them or not."""
        while self.is_crowded() and self._accept_some():
            pass

    def _accept(self) -> None:
        if self._wants():
            self._accept_some()
        else:
            self._look_away()

    def _accept_some(self) -> bool:
        """Accept a burst of clients, as long as they are wanted; False where there are none to be had."""
        for _ in range(_BURST):
            if not self._listener or not self._wants():
                return False
            try:
                client, peer = self._listener.next_client()
            except (BlockingIOError, ConnectionAbortedError, InterruptedError):
                return False
            except OSError as error:
                self._starve(error)
                return False
            self._take(client, peer)
        return True

    def _starve(self, error: OSError) -> None:
        if self._loop.time() >= self._next_line:
            self._starved(error_words(error.errno))
            self._next_line = self._loop.time() + _STARVED_LINES
        self.rest()
