"""A file of others that may change at any moment, read whole, and read anew when it has changed.

Never mapped: a mapped file that is truncated kills the process.
"""

import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import attrgetter
from typing import IO, Generic, TypeVar

from ...core.errors import CorruptRules

#: Nobody's rules; a file beyond it is a mistake or an attack on our memory.
SIZE_LIMIT = 256 << 20
#: Reads of a file that changes meanwhile.
_TRIES = 3
#: Seconds within which two changes may have the same time: it is that of the kernel's last tick, at 100 Hz or more.
_TICK = 0.1

#: What tells two versions of a file apart; ctime, as a file that was made unreadable is no longer ours to use.
version_of: Callable[[os.stat_result], tuple[int, ...]] = attrgetter(
    "st_dev", "st_ino", "st_mtime_ns", "st_ctime_ns", "st_size"
)

T = TypeVar("T")


class WholeFile(Generic[T]):
    """A file, and what it means as it is now. parse: tells what its bytes mean; may raise CorruptRules."""

    def __init__(self, path: str, parse: Callable[[bytes], T]) -> None:
        self.path = path
        self._parse = parse
        self._version: tuple[int, ...] | None = None
        self._meaning: T

    def current(self) -> T:
        """Tell what it means now; it is read again only when it has changed. Raises OSError, CorruptRules.

        What was read earlier is never told instead of a bad file.
        """
        try:
            if version_of(os.stat(self.path)) != self._version:
                self._version = None
                data, version = read_whole(self.path)
                self._meaning = self._parse(data)
                self._version = version
        except OSError:
            self._version = None
            raise
        return self._meaning


def read_whole(path: str) -> tuple[bytes, tuple[int, ...] | None]:
    """The whole file, and which version of it that is; None where the next one may look the same.

    Whoever writes it in place may do so between two reads of ours: then it is read again. Raises OSError, CorruptRules.
    """
    for _ in range(_TRIES):
        with open_regular(path) as file:
            before = version_of(os.fstat(file.fileno()))
            data = file.read(SIZE_LIMIT + 1)
            after = os.fstat(file.fileno())
        if version_of(after) == before:
            return data, lasting_version(after)
    raise CorruptRules("it is being written")


def lasting_version(status: os.stat_result) -> tuple[int, ...] | None:
    """Tell which version a file is; None where the next one may look the same. status: its, as stat(2) has it."""
    return None if 0 <= time.time() - status.st_ctime < _TICK else version_of(status)


@contextmanager
def open_regular(path: str) -> Iterator[IO[bytes]]:
    """A file to read. Raises OSError, and CorruptRules for what is no file, or too big for one of ours."""
    with open(path, "rb", opener=_without_waiting) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise CorruptRules("not a regular file")
        if status.st_size > SIZE_LIMIT:
            raise CorruptRules("file is too big")
        yield file


def _without_waiting(path: str, flags: int) -> int:
    """open_read.c: a FIFO must not hang us."""
    return os.open(path, flags | os.O_NONBLOCK)
