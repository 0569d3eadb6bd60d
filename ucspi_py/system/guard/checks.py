"""Checks of passwords: some run, some wait for their turn, all end in one byte. Never reads a client's request."""

import socket
from dataclasses import dataclass
from typing import NamedTuple

from ...core.auth import checkpassword
from ...core.auth.answer import Answer, Verdict
from ...core.errors import error_words
from ...core.guard import failures, loglines, request
from ...core.guard.failures import Attempt, Failures
from ...core.guard.request import CheckAsked
from ...core.guard.settings import GuardSettings
from ...core.guard.turns import Turns
from ..report.complaints import Complaints
from ..report.log import Log
from . import channel
from .launcher import CheckerLauncher, kill


class _Check(NamedTuple):
    """One that was asked for. answer: where it is awaited."""

    asked: CheckAsked
    attempt: Attempt
    answer: socket.socket


@dataclass(slots=True)
class _Running:
    """One that runs. until: second at which it is killed. killed: whether it was, and has been answered."""

    check: _Check
    until: float
    killed: bool = False


class Checks:
    """All checks of the service. All times are seconds of one clock that never goes back."""

    def __init__(self, settings: GuardSettings, launcher: CheckerLauncher, log: Log) -> None:
        self._settings = settings
        self._launcher = launcher
        self._log = log
        self._complain = Complaints(lambda sentence: log.warn(sentence.encode()))
        self._failures = Failures(settings.limits)
        self._turns: Turns[_Check] = Turns(settings.limits.waiting, settings.limits.waiting_seconds)
        self._running: dict[int, _Running] = {}

    def ask(self, asked: CheckAsked, answer: socket.socket, now: float) -> None:
        """Have credentials checked. answer: gets one byte in the end. now: seconds of a clock that never goes back."""
        check = _Check(asked, failures.attempt(*asked), answer)
        if self._is_let_in(check, now):
            known = self._failures.is_known(check.attempt, now)
            turned_away = self._turns.join(check, now, known=known)
            if turned_away:
                self._cannot_tell(turned_away, "too many checks are waiting")
            self._start(now)

    def ended(self, pid: int, code: int, now: float) -> None:
        """Take the end of a checker; of other processes it is ignored.

        pid: its process id. code: its exit code, below 0 = minus a signal's number. now: as of ask().
        """
        running = self._running.pop(pid, None)
        if running and not running.killed:
            self._end(running.check, checkpassword.answer(running.check.asked.credentials.login, code), now)
        self._start(now)

    def look(self, now: float) -> None:
        """Kill what has run for too long, and send away what has waited for too long. now: as of ask()."""
        for pid, running in self._running.items():
            if running.until <= now and not running.killed:
                running.killed = True
                kill(pid)
                self._end(running.check, checkpassword.answer(b"", None), now)
        for check in self._turns.take_overdue(now):
            self._cannot_tell(check, "checks wait too long for their turn")

    @property
    def next_look(self) -> float | None:
        """The second at which look() is to be called next; None where nothing runs or waits."""
        times = [running.until for running in self._running.values() if not running.killed]
        overdue = self._turns.next_overdue
        return min(times if overdue is None else [*times, overdue], default=None)

    def close(self) -> None:
        """Kill what runs: nobody waits for it any more."""
        for pid in self._running:
            kill(pid)

    def _start(self, now: float) -> None:
        """Start what may run at once, in turn."""
        while len(self._running) < self._settings.limits.at_once and (check := self._turns.take()):
            # Its worker may have died meanwhile, and others may have failed.
            if channel.is_over(check.answer):
                channel.leave(check.answer)
            elif self._is_let_in(check, now):
                self._run(check, now)

    def _is_let_in(self, check: _Check, now: float) -> bool:
        whose = self._failures.excess(check.attempt, now)
        if whose:
            self._cannot_tell(check, f"too many wrong passwords of {whose}")
        return whose is None

    def _run(self, check: _Check, now: float) -> None:
        credentials, peer = check.asked
        told = checkpassword.told(credentials, self._settings.order)
        if told is None or not self._checks(credentials.mechanism):
            channel.reply(check.answer, request.letter(Verdict.NO))
            return
        try:
            pid = self._launcher.start(told, peer)
        except OSError as error:
            program = self._settings.checkpassword[0]
            self._cannot_tell(check, f"unable to run {program}: {error_words(error.errno)}")
            return
        self._running[pid] = _Running(check, now + self._settings.limits.check_seconds)

    def _checks(self, mechanism: bytes) -> bool:
        """Whether the checker is asked for a mechanism; a guard that has only keys has none."""
        return bool(self._settings.checkpassword) and mechanism in self._settings.mechanisms

    def _end(self, check: _Check, answer: Answer, now: float) -> None:
        if answer.verdict is Verdict.LATER:
            self._cannot_tell(check, answer.reason)
            return
        note = self._failures.note_login if answer.verdict is Verdict.YES else self._failures.note_failure
        note(check.attempt, now)
        channel.reply(check.answer, request.letter(answer.verdict))

    def _cannot_tell(self, check: _Check, reason: str) -> None:
        """Nobody can tell whether the client is who it says; the log says why, once a minute."""
        credentials, peer = check.asked
        line = loglines.cannot_tell(reason, peer.remote_ip, credentials.login)
        self._complain(reason, lambda _: self._log.warn(line))
        channel.reply(check.answer, request.letter(Verdict.LATER))
