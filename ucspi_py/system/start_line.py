"""Where the clients of a burst line up until all are decided on; then all their programs are started. Never decides.

While a program starts, the processor forgets our code, and whoever is decided on next pays for that: this way a few
clients share the price.
"""

import asyncio
import signal
from collections import deque
from collections.abc import Callable, Coroutine

from .later import Later

#: Clients that wait for each other: with more, the first ones would notice.
_PLACES = 8
#: Seconds until a start that was held up is tried again.
_TRY_AGAIN = 0.1

Session = Coroutine[None, None, None]


class StartLine:
    """For sessions that pause once, before their program starts, and wait for nothing else.

    relieve: called now and then, as many starts take long enough for the listener's queue to overflow. held_up: whether
    no program can be started now.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        relieve: Callable[[], None],
        held_up: Callable[[], bool],
    ) -> None:
        self._loop = loop
        self._relieve = relieve
        self._held_up = held_up
        self._sessions: deque[Session] = deque()
        self._starting = False
        self._later = Later(_TRY_AGAIN, self._start)

    def __bool__(self) -> bool:
        """Whether anybody stands here."""
        return bool(self._sessions)

    def bring(self, session: Session) -> None:
        """Let a session come as far as to the start of its program, if it comes to that; the rest follows by itself."""
        if not _goes_on(session):
            return
        self._sessions.append(session)
        if len(self._sessions) == 1:
            self._loop.call_soon(self._start)
        elif len(self._sessions) >= _PLACES:
            self._start()

    def _start(self) -> None:
        if self._starting:  # who is relieved of waiting outside lines up as well
            return
        self._starting = True
        # A signal for every program that ends meanwhile costs more than to look for them afterwards.
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGCHLD,))
        try:
            self._start_all()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGCHLD,))
            self._starting = False
        if self._sessions:
            self._later.ask(self._loop)

    def _start_all(self) -> None:
        started = 0
        while self._sessions and not self._held_up():
            if _goes_on(self._sessions.popleft()):
                raise RuntimeError("a session that pauses once has paused twice")
            started += 1
            if started % _PLACES == 0:
                self._relieve()


def _goes_on(session: Session) -> bool:
    """Let a session run until it pauses; False where it has come to its end."""
    try:
        session.send(None)
    except StopIteration:
        return False
    return True
