"""What the supervisor learns of the workers: when all of them serve, that they live, that others follow."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterable, Sequence

from ...core.errors import unable
from ...core.service import notify
from ...core.service.worker_slot import WorkerSlot
from .notify import Notify

#: Descriptors below it become others before we serve.
_FIRST_OF_OURS = 3


class Supervision:
    """Tells systemd by $NOTIFY_SOCKET, and whoever reads a descriptor, such as s6 (notification-fd).

    ready_fd: gets an empty line once all workers serve, and is closed; None = nobody reads one. Raises Failure where it
    is not open.
    """

    def __init__(self, ready_fd: int | None) -> None:
        self._notify = Notify.from_environment()
        self._ready_fd = None if ready_fd is None else _kept(ready_fd)
        self._ready = False
        self._beaten: set[int] = set()
        self.beat_seconds = notify.beat_seconds(os.environ, os.getpid())

    def reloading(self) -> None:
        """New workers follow."""
        self._ready = False
        self._notify.tell(notify.reloading(time.monotonic_ns()))

    def lame(self, seconds: int) -> None:
        """The service is about to stop. seconds: for which it serves still."""
        self._notify.tell(notify.lame(seconds))

    def look(self, slots: Sequence[WorkerSlot], beaten: Iterable[int]) -> None:
        """Tell what is new. slots: of the workers. beaten: process ids of those that have just said that they serve."""
        if not self._ready and notify.is_complete(slots):
            self._ready = True
            self._notify.tell(notify.ready(len(slots)))
            self._end_line()
        self._beaten.update(beaten)
        if self.beat_seconds and notify.are_alive(slots, self._beaten):
            self._beaten.clear()
            self._notify.tell(notify.ALIVE)

    def close(self) -> None:
        """Leave it all to the master, in a forked child."""
        if self._ready_fd is not None:
            os.close(self._ready_fd)
            self._ready_fd = None

    def _end_line(self) -> None:
        if self._ready_fd is not None:
            with contextlib.suppress(OSError):  # nobody need be there to read it
                os.write(self._ready_fd, b"\n")
        self.close()


def _kept(fd: int) -> int:
    """A descriptor of the same file that stays, the given one closed where it is no standard one."""
    try:
        kept = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _FIRST_OF_OURS)
    except OSError as error:
        raise unable(f"use descriptor {fd}", error) from None
    if fd >= _FIRST_OF_OURS:
        os.close(fd)
    return kept
