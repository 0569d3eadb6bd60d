"""Compiled rules on disk: get() with reload, and writing by temporary file and rename. The only importer of cdblib.

What cdblib trusts is checked here: a damaged file is CorruptRules, never a hang, never a shortened value and so never
an allow. Files are read whole and never mapped: a mapped file that is truncated kills the process.
"""

import errno
import os
import stat
import struct
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import IO, Any

import cdblib

from ..core.errors import CorruptRules, Failure, unable
from ..core.rules_data import DEFAULT, Instructions, instructions
from ..core.rules_match import match

#: Nobody's rules; a file beyond it is a mistake or an attack on our memory.
SIZE_LIMIT = 256 << 20
#: Clients whose decision is kept until the file changes: a flood comes from few.
_REMEMBERED = 4096
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

    def _value(self, position: int, key: bytes) -> bytes | None:
        start = position + 8
        if position < _HEADER or start > len(self.data):
            raise CorruptRules("a record lies outside the file")
        key_size, value_size = _PAIR.unpack_from(self.data, position)
        if key_size != len(key):
            return None
        middle = start + key_size
        end = middle + value_size
        if end > len(self.data):
            raise CorruptRules("a record is cut short")
        return bytes(self.data[middle:end]) if self.data[start:middle] == key else None


class CheckedWriter(cdblib.Writer):  # type: ignore[misc]
    """cdblib's Writer for records by the hundred thousand, whose keys may hash to 0.

    Records come by put_all() alone. A slot is one number, the record's position above the key's hash: it is empty when
    the position is (cdb_make.c).
    """

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        # Arrays: as objects of their own, the numbers lie all over the memory, and finalize() waits for each.
        self._unordered = [array("Q") for _ in range(256)]

    def put_all(self, records: Iterable[tuple[bytes, bytes]]) -> None:
        """Write records in their order."""
        hash_of, tables = self.hashfn, self._unordered
        position = self.fp.tell()
        for batch in iter(partial(_some, iter(records)), []):
            written = []
            for key, value in batch:
                hashed = hash_of(key)
                tables[hashed & 0xFF].append(position << 32 | hashed)
                record = _PAIR.pack(len(key), len(value)) + key + value
                written.append(record)
                position += len(record)
            self.fp.write(b"".join(written))

    def finalize(self) -> None:
        """Write the tables and the header. Raises OverflowError for a file whose end 32 bits do not reach."""
        if self.fp.tell() + 16 * sum(map(len, self._unordered)) >> 32:
            raise OverflowError
        index = []
        for slots in map(_table, self._unordered):
            index.append(_PAIR.pack(self.fp.tell(), len(slots)))
            self.fp.write(struct.pack(f"<{len(slots)}Q", *slots))
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
        self._decided: dict[tuple[bytes, bytes | None, bytes | None], Instructions] = {}

    def decide(self, ip: bytes, host: bytes | None, info: bytes | None) -> Instructions:
        """What the rules, as they are now, say of a client; the default where no rule matches.

        ip: the canonical address. host, info: name and ident answer, None where unknown. Raises Failure as current().
        """
        get = self.current()
        client = (ip, host, info)
        decided = self._decided.get(client)
        if decided is None:
            try:
                found = match(get, ip, host, info)
                decided = instructions(found.value) if found else DEFAULT
            except CorruptRules as corrupt:
                raise unreadable(self.path, corrupt) from None
            if len(self._decided) >= _REMEMBERED:
                self._decided.clear()
            self._decided[client] = decided
        return decided

    def current(self) -> Get:
        """The look-up of the file as it is now, read again only when it has changed.

        Raises Failure ``unable to read PATH: reason``; what was read earlier is never used instead of a bad file.
        """
        try:
            version = _version(os.stat(self.path))
            if version != self._version:
                self._version = None
                self._decided.clear()
                self._get, self._version = _read(self.path)
            return self._get
        except OSError as error:
            self._version = None
            if error.errno == errno.ENOENT and self._allow_missing:
                self._decided.clear()
                return _nothing
            raise unable(f"read {self.path}", error) from None
        except CorruptRules as corrupt:
            raise unreadable(self.path, corrupt) from None


def unreadable(path: str, corrupt: CorruptRules) -> Failure:
    """The one clear line for a damaged rules file."""
    return Failure(f"unable to read {path}: corrupt rules file, {corrupt.sentence}")


def write(path: str, temporary: str, records: Iterable[tuple[bytes, bytes]]) -> None:
    """Compile records into ``temporary`` and move it to ``path``: a reader sees the old file or the new one.

    Raises Failure with tcprules' sentence, and whatever ``records`` raises; then the old file is untouched and the
    temporary one is left behind, as tcprules does.
    """
    try:
        fd = os.open(temporary, os.O_WRONLY | os.O_NONBLOCK | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644)
    except OSError as error:
        raise unable(f"create {temporary}", error) from None
    try:
        with open(fd, "wb") as file:
            writer = CheckedWriter(file)
            writer.put_all(records)
            writer.finalize()
            file.flush()
            os.fsync(fd)
    except OSError as error:
        raise unable(f"write to {temporary}", error) from None
    except (OverflowError, struct.error):
        # cdb_make.c says "out of memory" here.
        raise Failure(f"unable to write to {temporary}: file too big") from None
    try:
        os.rename(temporary, path)
    except OSError as error:
        raise unable(f"move {temporary} to {path}", error) from None
    _sync_folder(path)


def _some(records: Iterator[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The next few hundred records: to read many and then to write many is faster than to take turns."""
    return list(islice(records, 512))


def _table(entries: Sequence[int]) -> list[int]:
    """The slots of one hash table: twice as many as entries, each entry in the first free one from its own on."""
    count = 2 * len(entries)
    slots = [0] * count
    for entry in entries:
        where = (entry >> 8 & 0xFFFFFF) % count
        while slots[where]:
            where = (where + 1) % count
        slots[where] = entry
    return slots


def _read(path: str) -> tuple[Get, tuple[int, ...]]:
    with open(path, "rb", opener=_without_waiting) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise CorruptRules("not a regular file")
        if status.st_size > SIZE_LIMIT:
            raise CorruptRules("file is too big")
        return CheckedReader(file.read(SIZE_LIMIT + 1)).get, _version(status)


def _without_waiting(path: str, flags: int) -> int:
    """open_read.c: a FIFO must not hang us."""
    return os.open(path, flags | os.O_NONBLOCK)


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
