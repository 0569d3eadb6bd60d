"""The master: keeps its workers alive, reaps, reports. Never touches a client."""

import gc
import os
import select
import signal
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ..core import logline
from ..core.errors import error_words
from . import orphans, signals
from .journal import Journal
from .reaper import Reaper
from .worker import Inheritance, Worker

_STOP = frozenset((signal.SIGTERM, signal.SIGINT))

#: Seconds: a worker that lived shorter was broken from the start, and its successor waits longer and longer.
_HEALTHY_LIFE = 1.0
_LONGEST_BACK_OFF = 5.0
#: Seconds given to the workers to close the listener before they are killed for it.
_CLOSING_TIME = 2.0

#: Seconds between two reports of what the zones are good for.
_REPORTS = 3600.0

#: New objects after which a worker looks for cycles that are no longer used. It makes next to none, but remembers what
#: zones have said, and goes through all of it.
_COLLECT_AFTER = 20_000

#: Seconds between two looks for backends that have gone, where the system does not tell us.
_MISSING_LOOKS = 1.0


class Pipes(NamedTuple):
    """How master and workers learn of each other's end.

    death: ends for a worker when the master is gone, for only the master holds ``alive``.
    door: ends for the master when nobody listens any more, for whoever listens holds ``open_door``.
    """

    death: int
    alive: int
    door: int
    open_door: int

    @classmethod
    def open(cls) -> "Pipes":
        """Both pipes."""
        return cls(*os.pipe(), *os.pipe())


@dataclass(slots=True)
class Post:
    """The place of one worker: its process for now (0 = none).

    born, due: seconds on the monotonic clock. back_off: seconds that the next one will wait after an early death.
    """

    pid: int = 0
    born: float = 0.0
    due: float = 0.0
    back_off: float = 0.0


class Master:
    """Keeps one worker on each post."""

    def __init__(self, inheritance: Inheritance, pipes: Pipes, noted: signals.Signals) -> None:
        settings = inheritance.settings
        self._log = inheritance.log
        self._inheritance = inheritance
        self._pipes = pipes
        self._signals = noted
        self._board = inheritance.board
        self._posts = [Post() for _ in range(min(settings.workers, settings.limit))]
        self._leaving: set[int] = set()
        self._adopting = orphans.adopt()
        journal = Journal(inheritance.log, inheritance.board, settings.limit)
        self._reaper = Reaper(inheritance.board, journal, adopting=self._adopting)
        self._kinds = settings.program.kinds
        self._report_at = time.monotonic() + _REPORTS

    def run(self) -> None:
        """Serve until told to stop; backends live on."""
        # What is there now stays: the workers' collectors need not look at it, nor make its pages their own.
        gc.freeze()
        gc.set_threshold(_COLLECT_AFTER)
        while True:
            self._fill_posts()
            select.select([self._signals.fd], [], [], self._patience())
            noted = self._signals.take()
            if noted & _STOP:
                self._stop()
                return
            if signal.SIGHUP in noted:
                self._relieve()
            if signal.SIGUSR1 in noted or time.monotonic() >= self._report_at:
                self._report()
            self._reap()

    def _fill_posts(self) -> None:
        now = time.monotonic()
        for post in self._posts:
            if not post.pid and post.due <= now:
                self._employ(post)

    def _patience(self) -> float | None:
        """Seconds until something is to be done though no signal comes; None where nothing will be."""
        due = [self._report_at - time.monotonic()] if self._kinds else []
        due += [max(0.0, post.due - time.monotonic()) for post in self._posts if not post.pid]
        if not self._adopting:
            due.append(_MISSING_LOOKS)
        return max(0.0, min(due)) if due else None

    def _employ(self, post: Post) -> None:
        with signals.all_blocked():
            try:
                post.pid = os.fork()
            except OSError as error:
                self._log.warn(logline.warning(f"unable to fork a worker: {error_words(error.errno)}"))
                post.due = time.monotonic() + _HEALTHY_LIFE
                return
            if not post.pid:
                self._become_worker()
        post.born = time.monotonic()

    def _become_worker(self) -> None:
        """The forked child's one call: it never returns into the master's code."""
        status = 111
        try:
            self._signals.close()
            os.close(self._pipes.alive)
            os.close(self._pipes.door)
            Worker(self._inheritance).run()
            status = 0
        except BaseException as error:  # whatever it is, it is told and ends here
            self._log.warn(*(text.encode("utf-8", "replace") for text in traceback.format_exception(error)))
        finally:
            os._exit(status)

    def _reap(self) -> None:
        ended = dict(_ended())
        dead = self._workers().intersection(ended)
        for post in self._posts:
            if post.pid in dead:
                self._vacate(post, ended[post.pid])
        self._leaving -= dead
        self._reaper.clear(ended, dead, self._workers())

    def _vacate(self, post: Post, status: int) -> None:
        """A worker has died: another one follows, later and later if they die young."""
        now = time.monotonic()
        if now - post.born < _HEALTHY_LIFE:
            post.back_off = min(max(0.1, 2 * post.back_off), _LONGEST_BACK_OFF)
        else:
            post.back_off = 0.0
        self._log.warn(logline.warning(f"worker {post.pid} ended with status {status}, starting another"))
        post.pid = 0
        post.due = now + post.back_off

    def _report(self) -> None:
        """Say what the zones are good for and what the screens have done: on SIGUSR1, and every hour."""
        self._report_at = time.monotonic() + _REPORTS
        if not self._kinds:
            return
        zones = zip(self._inheritance.settings.program.zones, self._inheritance.zone_board.records(), strict=True)
        held = len(self._board.hall) - self._board.free(self._board.hall)
        self._log.warn(
            *(logline.zone_totals(zone.alias, record.totals()) for zone, record in zones),
            *(
                logline.screen_totals(kind.totals_name, *self._inheritance.tally.read(kind), held)
                for kind in self._kinds
            ),
        )

    def _relieve(self) -> None:
        """Put a new worker on each post, then let the old ones finish the clients they have: nobody is turned away.

        What is known of the zones is tested anew: whoever sends SIGHUP may have mended something.
        """
        for number in range(len(self._inheritance.settings.program.zones)):
            self._inheritance.zone_board.test_soon(number)
        for post in self._posts:
            old = post.pid
            self._employ(post)
            if old:
                self._leaving.add(old)
                os.kill(old, signal.SIGTERM)

    def _stop(self) -> None:
        """Close the door everywhere before we are gone, so that a new server can listen at once."""
        self._inheritance.listener.close()
        os.close(self._pipes.open_door)
        self._tell_workers(signal.SIGTERM)
        if not select.select([self._pipes.door], [], [], _CLOSING_TIME)[0]:
            self._tell_workers(signal.SIGKILL)

    def _tell_workers(self, number: int) -> None:
        for pid in self._workers():
            os.kill(pid, number)

    def _workers(self) -> set[int]:
        """The process ids of all workers that have not ended."""
        return {post.pid for post in self._posts if post.pid} | self._leaving


def _ended() -> Iterator[tuple[int, int]]:
    """Reap our children: yield (pid, wait status) of all that have ended."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        yield pid, status
