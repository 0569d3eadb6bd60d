"""A cdb in memory, and one that is written. The only importer of cdblib.

What cdblib trusts is checked here: a damaged file is CorruptRules, never a hang, never a shortened value and so never
an allow.
"""

import struct
from array import array
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import IO, Any

import cdblib

from ...core.errors import CorruptRules
from ...core.rules.cdb_hash import hashes

#: Where the records begin, and two numbers as a cdb has them.
HEADER = 2048
PAIR = struct.Struct("<LL")


class CheckedReader(cdblib.Reader):  # type: ignore[misc]
    """Reads a cdb (cdb.txt), with every position checked against the file and every search bounded."""

    #: The two numbers at a position of the data.
    pair_at: Any = PAIR.unpack_from

    def __init__(self, data: Any) -> None:
        """data: bytes, or what gives slices of bytes, with a pair_at of its own. Raises CorruptRules."""
        if len(data) < HEADER:
            raise CorruptRules("file is too short")
        super().__init__(data, strict=True)
        for position, slots in self.index:
            # cdb.txt: tables follow the records, which follow the header. C takes 4 KB of zeros for "no rules".
            if position < HEADER or position + 8 * slots > len(data):
                raise CorruptRules("a hash table lies outside the file")

    def get(self, key: bytes, default: Any = None) -> Any:
        """Find the first value of a key; default where there is none. Raises CorruptRules."""
        _, hashed = self.hash_key(key)
        table, slots = self.index[hashed & 0xFF]
        slot = (hashed >> 8) % slots if slots else 0
        for _ in range(slots):
            found, position = self.pair_at(self.data, table + 8 * slot)
            if not position:
                break
            if found == hashed and (value := self._value(position, key)) is not None:
                return value
            slot = slot + 1 if slot + 1 < slots else 0
        return default

    def _value(self, position: int, key: bytes) -> bytes | None:
        start = position + 8
        if position < HEADER or start > len(self.data):
            raise CorruptRules("a record lies outside the file")
        key_size, value_size = self.pair_at(self.data, position)
        if key_size != len(key):
            return None
        middle = start + key_size
        end = middle + value_size
        if end > len(self.data):
            raise CorruptRules("a record is cut short")
        return bytes(self.data[middle:end]) if self.data[start:middle] == key else None


class CheckedWriter(cdblib.Writer):  # type: ignore[misc]
    """Writes a cdb (cdb.txt) of records by the hundred thousand, whose keys may hash to 0.

    Records come by put_all() alone. A slot is one number, the record's position above the key's hash: it is empty when
    the position is (cdb_make.c).
    """

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        # Arrays: as objects of their own, the numbers lie all over the memory, and finalize() waits for each.
        self._unordered = [array("Q") for _ in range(256)]

    def put_all(self, records: Iterable[tuple[bytes, bytes]]) -> None:
        """Write (key, value) records in their order."""
        tables = self._unordered
        position = self.fp.tell()
        for batch in iter(partial(_some, iter(records)), []):
            written = []
            for (key, value), hashed in zip(batch, hashes([key for key, _ in batch]), strict=True):
                tables[hashed & 0xFF].append(position << 32 | hashed)
                record = PAIR.pack(len(key), len(value)) + key + value
                written.append(record)
                position += len(record)
            self.fp.write(b"".join(written))

    def finalize(self) -> None:
        """Write the tables and the header. Raises OverflowError for a file whose end 32 bits do not reach."""
        if self.fp.tell() + 16 * sum(map(len, self._unordered)) >> 32:
            raise OverflowError
        index = []
        for slots in map(_table, self._unordered):
            index.append(PAIR.pack(self.fp.tell(), len(slots)))
            self.fp.write(struct.pack(f"<{len(slots)}Q", *slots))
        self.fp.seek(0)
        self.fp.write(b"".join(index))


def _some(records: Iterator[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The next records: to read, hash and write many at a time is faster than to take turns."""
    return list(islice(records, 4096))


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
