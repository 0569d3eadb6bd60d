"""The slots of the dead: what a dead worker has claimed or started, freed in the end. Never reaps and never forks."""

import os
from collections.abc import Collection, Mapping

from ...core.service.adoption import started_program
from ..accept.scoreboard import Scoreboard
from ..process import orphans, signals
from ..report.connection_log import ConnectionLog


class Reaper:
    """Keeps the scoreboard true for workers that can no longer do it.

    adopting: whether the backends of the dead have become our children.
    """

    def __init__(self, board: Scoreboard, connection_log: ConnectionLog, *, adopting: bool) -> None:
        self._board = board
        self._connection_log = connection_log
        self._adopting = adopting

    def clear(self, ended: Mapping[int, int], dead: Collection[int], living: Collection[int]) -> None:
        """Free the rows of whoever has ended.

        ended: wait statuses by process id, workers and others. dead, living: workers, those that have ended and those
        that have not.
        """
        for worker in dead:
            self._take_over(worker, living)
        for pid, status in ended.items():
            if pid not in dead:
                self._bury(pid, status, living)
        if dead or not self._adopting:
            self._miss(living)

    def inherit(self, backends: set[int], ended: Mapping[int, int]) -> None:
        """Take over programs of a server whose place we have taken, when their workers have ended and they are ours.

        backends: process ids, out of which those are taken that have come or ended. ended: wait statuses by process id.
        """
        for pid in list(backends):
            if pid in ended:
                self._connection_log.ended(pid, ended[pid])
            elif not orphans.is_child(pid) or (row := self._board.claim(self._board.slots)) is None:
                continue
            else:
                self._board.hold(row, pid)
            backends.remove(pid)

    def _take_over(self, worker: int, living: Collection[int]) -> None:
        """Free what a dead worker had claimed, but for the backend that it was just starting."""
        for row in self._board.claimed_by(worker):
            pid = self._was_starting(row, living)
            if pid is None:
                self._board.give_back(row)
            else:
                self._board.hold(row, pid)

    def _was_starting(self, row: int, living: Collection[int]) -> int | None:
        announced = self._board.announced(row)
        if announced is None:
            return None
        known = {pid for _, pid in self._board.backends()}.union(living)
        return started_program(announced, orphans.children_but(known))

    def _bury(self, pid: int, status: int, living: Collection[int]) -> None:
        for row in self._board.orphaned(living):
            if self._board.pid(row) == pid:
                self._board.give_back(row)
                self._connection_log.ended(pid, status)

    def _miss(self, living: Collection[int]) -> None:
        """Free the rows of orphans that have ended unnoticed; with which status nobody knows.

        The last thing that a worker did may have been to reap one; elsewhere than on Linux nobody tells us.
        """
        lives = orphans.is_child if self._adopting else orphans.lives
        for row in self._board.orphaned(living):
            pid = self._board.pid(row)
            if pid in living or not lives(pid):
                self._board.give_back(row)


class WithoutMaster:
    """Keeps the scoreboard true among workers whose master is gone. To be made in each of them.

    death: descriptor of the pipe that ends with the master; also when it was followed, and its successor has a
    scoreboard of its own.
    """

    def __init__(self, board: Scoreboard, death: int) -> None:
        self._board = board
        self._death = death
        self._master = os.getppid()

    def clear(self) -> None:
        """Free the rows of whoever has ended, if there is no master that does."""
        if signals.readable(0, self._death):
            self._board.bury(lambda pid: pid == self._master or orphans.has_ended(pid))
