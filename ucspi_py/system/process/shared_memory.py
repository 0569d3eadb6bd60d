"""Memory that a process shares with the children it forks, and locks that die with their holders.

A process that is stopped (SIGSTOP) while it holds a lock keeps it; so no other waits for one longer than a moment.
"""

import fcntl
import mmap
import os
import tempfile
import time
from types import TracebackType

#: Seconds that a lock is waited for. Its holder needs microseconds, or is stopped, or starved of the processor.
_PATIENCE = 0.5
#: Seconds between two tries.
_TRY_AGAIN = 0.0001

_AT_ONCE = fcntl.LOCK_EX | fcntl.LOCK_NB


class SharedMemory:
    """Zeroed memory that forked children share, and its locks. size: bytes.

    In a with block this process alone is in one, but for one that was stopped there.
    """

    def __init__(self, size: int) -> None:
        # A lock of POSIX's needs a file, and is gone when its holder is killed. The file stays empty: with softlimit -f
        # none may grow, and bytes that are not there can be locked, too.
        self._fd = _file_without_name()
        self.memory = mmap.mmap(-1, size)
        self._patience = _PATIENCE

    def __enter__(self) -> mmap.mmap:
        """Wait half a second for the lock, then go on without it: what a stopped process was counting may be lost.

        From then on the lock is only tried, until it is free once.
        """
        deadline = None
        while not self._lock():
            deadline = deadline or time.monotonic() + self._patience
            if time.monotonic() >= deadline:
                self._patience = 0.0
                return self.memory
            time.sleep(_TRY_AGAIN)
        self._patience = _PATIENCE
        return self.memory

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._unlock()

    def try_byte(self, place: int) -> bool:
        """Lock one byte, to be followed by free_byte(); False where another process has it, or all.

        place: of the byte, from 0. Never waits: a process that is stopped keeps that byte only. No context manager,
        which costs a claim half as much again.
        """
        try:
            fcntl.lockf(self._fd, _AT_ONCE, 1, place)
        except OSError:
            return False
        return True

    def free_byte(self, place: int) -> None:
        """Give up the lock of one byte. place: as in try_byte()."""
        fcntl.lockf(self._fd, fcntl.LOCK_UN, 1, place)

    def _lock(self) -> bool:
        """Try to lock all bytes; False where another process has a lock on any."""
        try:
            fcntl.lockf(self._fd, _AT_ONCE)
        except OSError:
            return False
        return True

    def _unlock(self) -> None:
        fcntl.lockf(self._fd, fcntl.LOCK_UN)


def _file_without_name() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("ucspi_py")
    fd, name = tempfile.mkstemp()
    os.unlink(name)
    return fd
