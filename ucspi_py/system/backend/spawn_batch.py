"""A batch of clients of one burst: all are decided on, then all their programs are started. Never decides.

While a program starts, the processor forgets our code, and whoever is decided on next pays for that: this way a few
clients share the price.
"""

import asyncio
import signal
import types
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from typing import Any

from ..process.timer import Timer

#: Clients that wait for each other: with more, the first ones would notice.
_PLACES = 8
#: Seconds until a start that was held up is tried again.
_TRY_AGAIN = 0.1

#: Waits for nothing but a proxy's header and its slot, if for these, and pauses once before its program starts.
Session = Coroutine[asyncio.Future[Any] | None, None, None]


@types.coroutine
def pause() -> Generator[None, None, None]:
    """Wait, in a session, until its program may start: asyncio.sleep(0), for which there is no task."""
    yield


class SpawnBatch:
    """For sessions that pause once, before their program starts, and wait only for a proxy's header and their slot.

    relieve: called now and then, as many starts take long enough for the listener's queue to overflow. held_up: whether
    no program can be started now. failed: gets what a session has raised; the others go on. emptied: called when
    nobody stands here any more.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        relieve: Callable[[], None],
        held_up: Callable[[], bool],
        failed: Callable[[BaseException], None],
        emptied: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._relieve = relieve
        self._held_up = held_up
        self._failed = failed
        self._emptied = emptied
        self._sessions: deque[Session] = deque()
        self._waiting = 0
        self._starting = False
        self._timer = Timer(_TRY_AGAIN, self._start)

    def __bool__(self) -> bool:
        """Whether anybody stands here, or will when it has what it waits for."""
        return bool(self._sessions or self._waiting)

    def bring(self, session: Session) -> None:
        """Let a session come as far as to the start of its program, if it comes to that; the rest follows by itself."""
        if not self._goes_on(session):
            return
        self._sessions.append(session)
        if len(self._sessions) == 1:
            self._loop.call_soon(self._start)
        elif len(self._sessions) >= _PLACES:
            self._start()

    def _start(self) -> None:
        if self._starting:  # whoever is relieved of waiting outside lines up as well
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
                self._timer.ask(self._loop)
        if not self._sessions:
            self._emptied()

    def _start_all(self) -> None:
        started = 0
        while self._sessions and not self._held_up():
            session = self._sessions.popleft()
            if self._goes_on(session):
                session.close()
                self._failed(RuntimeError("a session that pauses once has paused twice"))
            started += 1
            if started % _PLACES == 0:
                self._relieve()

    def _goes_on(self, session: Session) -> bool:
        """Let a session run until it pauses; False where it has ended, or waits and comes back then."""
        try:
            awaited = session.send(None)
        except StopIteration:
            return False
        except Exception as error:
            self._failed(error)
            return False
        if awaited is None:
            return True
        self._waiting += 1
        awaited.add_done_callback(lambda _done: self._bring_back(session))
        return False

    def _bring_back(self, session: Session) -> None:
        """A session has what it has waited for."""
        self._waiting -= 1
        self.bring(session)
        if not self._sessions:
            self._emptied()
