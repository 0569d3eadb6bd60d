"""Compiled rules on disk: get() with reload, and writing by temporary file and rename. The only importer of cdblib.

What cdblib trusts is checked here: a damaged file is CorruptRules, never a hang, never a shortened value and so never
an allow. Files are read whole and never mapped: a mapped file that is truncated kills the process.
"""

import errno
import os
import stat
import struct
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import cdblib

from ..core.errors import CorruptRules, Failure, unable

#: Nobody's rules; a file beyond it is a mistake or an attack on our memory.
SIZE_LIMIT = 256 << 20
_HEADER = 2048
_PAIR = struct.Struct("<LL")

Get = Callable[[bytes], bytes | None]


class CheckedReader(cdblib.Reader):  # type: ignore[misc]
    """cdblib's Reader over bytes in memory, with every position checked against the file and every search bounded."""

    def __init__(self, data: bytes) -> None:
        if len(data) < _HEADER:
            raise CorruptRules("file is too short")
        super().__init__(data, strict=True)
        for position, slots in self.index:
            # cdb.txt: tables follow the records, which follow the header. C takes 4 KB of zeros for "no rules".
            if position < _HEADER or position + 8 * slots > len(data):
                raise CorruptRules("a hash table lies outside the file")

    def get(self, key: bytes, default: Any = None) -> Any:
        """The first value stored under the key; default where there is none. Raises CorruptRules."""
        _, hashed = self.hash_key(key)
        table, slots = self.index[hashed & 0xFF]
        slot = (hashed >> 8) % slots if slots else 0
        for _ in range(slots):
            found, position = _PAIR.unpack_from(self.data, table + 8 * slot)
            if not position:
                break
            if found == hashed and (value := self._value(position, key)) is not None:
                return value
            slot = slot + 1 if slot + 1 < slots else 0
        return default

    def records(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield every key and value in the order in which they were written. Raises CorruptRules."""
        position, end = _HEADER, min(position for position, _ in self.index)
        while position < end:
            start = position + 8
            if start > end:
                raise CorruptRules("a record is cut short")
            key_size, value_size = _PAIR.unpack_from(self.data, position)
            position = start + key_size + value_size
            if position > end:
                raise CorruptRules("a record is cut short")
            yield bytes(self.data[start : start + key_size]), bytes(self.data[start + key_size : position])

    def _value(self, position: int, key: bytes) -> bytes | None:
        start = position + 8
        if position < _HEADER or start > len(self.data):
            raise CorruptRules("a record lies outside the file")
        key_size, value_size = _PAIR.unpack_from(self.data, position)
        if key_size != len(key) or self.data[start : start + key_size] != key:
            return None
        start += key_size
        if start + value_size > len(self.data):
            raise CorruptRules("a record is cut short")
        return bytes(self.data[start : start + value_size])


class CheckedWriter(cdblib.Writer):  # type: ignore[misc]
    """cdblib's Writer, except that a slot is empty when its position is: a key may hash to 0 (cdb_make.c)."""

    def finalize(self) -> None:
        """Write the tables and the header."""
        index = []
        for entries in self._unordered:
            slots = [(0, 0)] * (2 * len(entries))
            for hashed, position in entries:
                where = (hashed >> 8) % len(slots)
                while slots[where][1]:
                    where = (where + 1) % len(slots)
                slots[where] = (hashed, position)
            index.append(_PAIR.pack(self.fp.tell(), len(slots)))
            self.fp.write(b"".join(_PAIR.pack(*slot) for slot in slots))
        self.fp.seek(0)
        self.fp.write(b"".join(index))


class RulesFile:
    """A rules file that may be replaced at any moment.

    path: the cdb. allow_missing: -X; forgives only a file that does not exist.
    """

    def __init__(self, path: str, allow_missing: bool = False) -> None:
        self.path = path
        self._allow_missing = allow_missing
        self._version: tuple[int, ...] | None = None
        self._get: Get = _nothing

    def current(self) -> Get:
        """The look-up of the file as it is now, read again only when it has changed.

        Raises Failure ``unable to read PATH: reason``; what was read earlier is never used instead of a bad file.
        """
        try:
            version = _version(os.stat(self.path))
            if version != self._version:
                self._version = None
                reader, self._version = _open(self.path)
                self._get = reader.get
            return self._get
        except OSError as error:
            self._version = None
            if error.errno == errno.ENOENT and self._allow_missing:
                return _nothing
            raise unable(f"read {self.path}", error) from None
        except CorruptRules as corrupt:
            raise unreadable(self.path, corrupt) from None


class Table:
    """A compiled file as it is now. Raises Failure ``unable to read PATH: reason``, also later, for a damaged part."""

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            self._reader, _ = _open(path)
        except OSError as error:
            raise unable(f"read {path}", error) from None
        except CorruptRules as corrupt:
            raise unreadable(path, corrupt) from None

    def get(self, key: bytes) -> bytes | None:
        """The first value stored under the key, None where there is none."""
        try:
            value: bytes | None = self._reader.get(key)
            return value
        except CorruptRules as corrupt:
            raise unreadable(self._path, corrupt) from None

    def records(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield every key and value in the order in which they were written."""
        try:
            yield from self._reader.records()
        except CorruptRules as corrupt:
            raise unreadable(self._path, corrupt) from None


def unreadable(path: str, corrupt: CorruptRules) -> Failure:
    """The one clear line for a damaged rules file."""
    return Failure(f"unable to read {path}: corrupt rules file, {corrupt.sentence}")


def write(path: str, temporary: str, records: Iterable[tuple[bytes, bytes]]) -> None:
    """Compile records into ``temporary`` and move it to ``path``: a reader sees the old file or the new one.

    Raises Failure with tcprules' sentence, and whatever ``records`` raises; then the old file is untouched and the
    temporary one is left behind, as tcprules does.
    """
    try:
        fd = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644)
    except OSError as error:
        raise unable(f"create {temporary}", error) from None
    try:
        with open(fd, "wb") as file:
            writer = CheckedWriter(file)
            for key, data in records:
                writer.put(key, data)
            writer.finalize()
            file.flush()
            os.fsync(fd)
    except OSError as error:
        raise unable(f"write to {temporary}", error) from None
    except struct.error:
        # cdb positions have 32 bits; cdb_make.c says "out of memory" here.
        raise Failure(f"unable to write to {temporary}: file too big") from None
    try:
        os.rename(temporary, path)
    except OSError as error:
        raise unable(f"move {temporary} to {path}", error) from None
    _sync_folder(path)


def _open(path: str) -> tuple[CheckedReader, tuple[int, ...]]:
    # open_read.c: a FIFO must not hang us.
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with open(fd, "rb") as file:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise CorruptRules("not a regular file")
        if status.st_size > SIZE_LIMIT:
            raise CorruptRules("file is too big")
        return CheckedReader(file.read(SIZE_LIMIT + 1)), _version(status)


def _version(status: os.stat_result) -> tuple[int, ...]:
    # ctime too: a file that was made unreadable is no longer ours to use.
    return (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size)


def _sync_folder(path: str) -> None:
    """The rename itself must survive a crash; a folder that cannot be synced is no reason to fail."""
    try:
        fd = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return
    try:
        os.fsync(fd)
    except OSError:
        pass
    finally:
        os.close(fd)


def _nothing(_key: bytes) -> None:
    return None
