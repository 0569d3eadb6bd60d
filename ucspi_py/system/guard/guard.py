"""The guard's loop: requests of workers in, answers out, until the last worker is gone. Never touches a client."""

import contextlib
import os
import select
import signal
import socket
import time

from ...core.errors import Failure
from ...core.guard import loglines, request
from ...core.guard.request import KeysAsked
from ..process import children
from ..process.signals import Signals
from ..report.complaints import Complaints
from ..report.log import Log
from . import channel
from .checks import Checks
from .sealed_keys import SealedKeys

#: Requests that are taken in one turn: ends of checkers are seen to in between.
_AT_ONCE = 64


class Guard:
    """Answers whoever is at the other end of its channel. noted: of SIGCHLD."""

    def __init__(self, workers: socket.socket, noted: Signals, checks: Checks, keys: SealedKeys, log: Log) -> None:
        self._workers = workers
        self._signals = noted
        self._checks = checks
        self._keys = keys
        self._complain = Complaints(lambda line: log.warn(line.encode("latin-1")))

    def run(self) -> None:
        """Serve; returns when nobody can ask any more."""
        poll = select.poll()
        poll.register(self._workers, select.POLLIN)
        poll.register(self._signals.fd, select.POLLIN)
        while not channel.is_over(self._workers):
            poll.poll(self._patience())
            if signal.SIGCHLD in self._signals.take():
                self._reap()
            self._receive()
            self._checks.look(time.monotonic())
        self._checks.close()

    def _patience(self) -> float | None:
        """Milliseconds until something is to be done though nobody asks."""
        due = self._checks.next_look
        return None if due is None else 1000 * max(0.0, due - time.monotonic()) + 1

    def _reap(self) -> None:
        for pid, status in children.reap():
            self._checks.ended(pid, os.waitstatus_to_exitcode(status), time.monotonic())

    def _receive(self) -> None:
        with contextlib.suppress(BlockingIOError):
            for _ in range(_AT_ONCE):
                parcel = channel.receive(self._workers)
                if parcel:
                    self._answer_safely(*parcel)
                elif channel.is_over(self._workers):
                    return

    def _answer_safely(self, packet: bytes, answer: socket.socket) -> None:
        """Nobody could start another guard: what nobody expected ends one question, and not us."""
        try:
            self._answer(packet, answer)
        except Exception as error:
            channel.leave(answer)
            self._complain(loglines.internal_error(error).decode("latin-1"))

    def _answer(self, packet: bytes, answer: socket.socket) -> None:
        asked = request.decode(packet)
        if isinstance(asked, KeysAsked):
            self._hand_out(asked, answer)
        elif asked:
            self._checks.ask(asked, answer, time.monotonic())
        else:
            channel.leave(answer)

    def _hand_out(self, asked: KeysAsked, answer: socket.socket) -> None:
        """Give a worker the keys, where it has others; each descriptor that it gets is its own to close."""
        try:
            self._keys.look()
        except Failure as failure:
            self._complain(loglines.keys_kept(failure.sentence).decode("latin-1"))
        fds = self._keys.descriptors if asked.known != self._keys.generation else []
        channel.reply(answer, request.generation(self._keys.generation), *fds)
