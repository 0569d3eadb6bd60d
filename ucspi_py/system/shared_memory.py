"""Memory that a process shares with the children it forks, and a lock that dies with its holder."""

import fcntl
import mmap
import os
import tempfile
from types import TracebackType


class SharedMemory:
    """``size`` bytes, all zero. In a with block this process alone is in one."""

    def __init__(self, size: int) -> None:
        # A file without a name: a lock of POSIX's needs one, and is gone when its holder is killed.
        self._fd = _file_without_name()
        os.truncate(self._fd, size)
        self.memory = mmap.mmap(self._fd, size)

    def __enter__(self) -> mmap.mmap:
        fcntl.lockf(self._fd, fcntl.LOCK_EX)
        return self.memory

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        fcntl.lockf(self._fd, fcntl.LOCK_UN)


def _file_without_name() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("ucspi_py")
    fd, name = tempfile.mkstemp()
    os.unlink(name)
    return fd
