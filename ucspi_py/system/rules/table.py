"""A compiled file as the rules tools read it: one key, or all records. Never for a server, which uses RulesFile."""

import os
import struct
from collections.abc import Iterator
from typing import IO

from ...core.errors import CorruptRules, unable
from .checked_cdb import HEADER, PAIR, CheckedReader
from .live import unreadable
from .whole_file import open_regular, read_whole


class Table:
    """A compiled file as it is now. Raises Failure ``unable to read PATH: reason``, also later, for a damaged part."""

    def __init__(self, path: str, *, whole: bool = True) -> None:
        """whole: read it into memory; otherwise, for a few look-ups in a large file, only what they need."""
        self._path = path
        try:
            self._reader = CheckedReader(read_whole(path)[0]) if whole else reader_on_disk(path)
        except OSError as error:
            raise unable(f"read {path}", error) from None
        except CorruptRules as corrupt:
            raise unreadable(path, corrupt) from None

    def get(self, key: bytes) -> bytes | None:
        """Find the first value of a key; None where there is none."""
        try:
            value: bytes | None = self._reader.get(key)
            return value
        except CorruptRules as corrupt:
            raise unreadable(self._path, corrupt) from None
        except struct.error:
            raise unreadable(self._path, CorruptRules("file was cut short meanwhile")) from None

    def records(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield every key and value in the order in which they were written."""
        data = self._reader.data
        position, end = HEADER, min(table for table, _ in self._reader.index)
        while position < end:
            key = position + 8
            key_size, value_size = PAIR.unpack(data[position:key]) if key <= end else (0, end)
            value = key + key_size
            position = value + value_size
            if position > end:
                raise unreadable(self._path, CorruptRules("a record is cut short"))
            yield data[key:value], data[value:position]


class _OnDisk:
    """The bytes of a file, each read when it is asked for."""

    def __init__(self, file: IO[bytes]) -> None:
        self._fd = os.dup(file.fileno())
        self._size = os.fstat(self._fd).st_size

    def __del__(self) -> None:
        os.close(self._fd)

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice) -> bytes:
        return os.pread(self._fd, part.stop - part.start, part.start)


def _pair_on_disk(data: _OnDisk, position: int) -> tuple[int, int]:
    first, second = PAIR.unpack(data[position : position + 8])
    return first, second


class _ReaderOnDisk(CheckedReader):
    pair_at = staticmethod(_pair_on_disk)


def reader_on_disk(path: str) -> CheckedReader:
    """Open a file that is never read as a whole.

    Raises OSError, CorruptRules; a look-up also struct.error where the file was cut short meanwhile.
    """
    with open_regular(path) as file:
        return _ReaderOnDisk(_OnDisk(file))
