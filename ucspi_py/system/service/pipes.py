"""Pipes among the master and its workers: how each learns of the other's end, and when a worker stands."""

import asyncio
import contextlib
import os
from typing import NamedTuple


class Pipes(NamedTuple):
    """How master and workers learn of each other.

    death: ends for a worker when the master is gone, for only the master holds ``alive``.
    all_closed: ends for the master when nobody listens any more, for whoever listens holds ``listening``.
    standing: tells the master which workers serve, by what they write to ``stand``, and that they still do.
    lame: can be read from by a worker when the service is about to stop, by what the master writes to ``say_lame``.
    """

    death: int
    alive: int
    all_closed: int
    listening: int
    standing: int
    stand: int
    lame: int
    say_lame: int

    @classmethod
    def open(cls) -> "Pipes":
        """All four."""
        pipes = cls(*os.pipe(), *os.pipe(), *os.pipe(), *os.pipe())
        os.set_blocking(pipes.standing, False)
        os.set_blocking(pipes.stand, False)
        return pipes

    def close_masters_ends(self) -> None:
        """In a worker: leave the master's ends to the master."""
        for fd in (self.alive, self.all_closed, self.standing, self.say_lame):
            os.close(fd)

    def who_stands(self) -> list[int]:
        """The process ids of the workers that have said so since the last call."""
        try:
            return [int(pid) for pid in os.read(self.standing, 4096).split()]
        except BlockingIOError:
            return []


def say_standing(stand: int) -> None:
    """In a worker: write to the master that we serve. stand: the descriptor of the pipe's end."""
    os.write(stand, b"%d\n" % os.getpid())


async def keep_saying(stand: int, seconds: float) -> None:
    """In a worker: say it again and again, for as long as its loop goes round.

    stand: the descriptor of the pipe's end. seconds: between two times.
    """
    while True:
        await asyncio.sleep(seconds)
        with contextlib.suppress(OSError):  # a master that is stopped does not read, one that is gone never will
            say_standing(stand)
