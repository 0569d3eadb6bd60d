"""Compiled rules on disk, read anew when they have changed. Never writes them and never searches in them itself.

Files are read whole and never mapped: a mapped file that is truncated kills the process.
"""

import errno
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import IO

from ...core.errors import CorruptRules, Failure, unable
from ...core.rules.data import DEFAULT, Instructions, instructions
from ...core.rules.match import match
from .checked_cdb import CheckedReader

#: Nobody's rules; a file beyond it is a mistake or an attack on our memory.
SIZE_LIMIT = 256 << 20
#: Reads of a file that changes meanwhile.
_TRIES = 3
#: Seconds within which two changes may have the same time: it is that of the kernel's last tick, at 100 Hz or more.
_TICK = 0.1
#: Clients whose decision, and keys whose value, is kept until the file changes: a flood comes from few.
_REMEMBERED = 4096

Get = Callable[[bytes], bytes | None]


class RulesFile:
    """A rules file that may be replaced at any moment.

    path: the cdb. allow_missing: -X; forgives only a file that does not exist.
    """

    def __init__(self, path: str, allow_missing: bool = False) -> None:
        self.path = path
        self._allow_missing = allow_missing
        self._version: tuple[int, ...] | None = None
        self._get: Get = _nothing
        self._decide = lru_cache(_REMEMBERED)(_decision)

    def decide(self, ip: bytes, host: bytes | None, info: bytes | None) -> Instructions:
        """What the rules, as they are now, say of a client; the default where no rule matches.

        ip: the canonical address. host, info: name and ident answer, None where unknown. Raises Failure as current().
        """
        get = self.current()
        try:
            return self._decide(get, ip, host, info)
        except CorruptRules as corrupt:
            raise unreadable(self.path, corrupt) from None

    def current(self) -> Get:
        """The look-up of the file as it is now, read again only when it has changed.

        Raises Failure ``unable to read PATH: reason``; what was read earlier is never used instead of a bad file.
        """
        try:
            if _version(os.stat(self.path)) != self._version:
                self._version = None
                self._decide.cache_clear()
                data, self._version = read_whole(self.path)
                # Whoever comes is new, but not the networks that are asked for on its account.
                self._get = lru_cache(_REMEMBERED)(CheckedReader(data).get)
            return self._get
        except OSError as error:
            self._version = None
            if error.errno == errno.ENOENT and self._allow_missing:
                return _nothing
            raise unable(f"read {self.path}", error) from None
        except CorruptRules as corrupt:
            raise unreadable(self.path, corrupt) from None


def _decision(get: Get, ip: bytes, host: bytes | None, info: bytes | None) -> Instructions:
    found = match(get, ip, host, info)
    return instructions(found.value) if found else DEFAULT


def unreadable(path: str, corrupt: CorruptRules) -> Failure:
    """The one clear line for a damaged rules file."""
    return Failure(f"unable to read {path}: corrupt rules file, {corrupt.sentence}")


def read_whole(path: str) -> tuple[bytes, tuple[int, ...] | None]:
    """The whole file, and which version of it that is; None where the next one may look the same.

    Whoever writes it in place may do so between two reads of ours: then it is read again. Raises OSError, CorruptRules.
    """
    for _ in range(_TRIES):
        with open_rules(path) as file:
            before = _version(os.fstat(file.fileno()))
            data = file.read(SIZE_LIMIT + 1)
            after = os.fstat(file.fileno())
        if _version(after) == before:
            return data, None if 0 <= time.time() - after.st_ctime < _TICK else before
    raise CorruptRules("it is being written")


@contextmanager
def open_rules(path: str) -> Iterator[IO[bytes]]:
    """A compiled file to read. Raises OSError, and CorruptRules for what cannot be one."""
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


def _version(status: os.stat_result) -> tuple[int, ...]:
    # ctime too: a file that was made unreadable is no longer ours to use.
    return (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size)


def _nothing(_key: bytes) -> None:
    return None
