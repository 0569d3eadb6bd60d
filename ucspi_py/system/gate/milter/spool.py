"""Bytes that are held for a while: in memory up to a limit, beyond that in a file without a name."""

import os
import tempfile
from collections.abc import Iterator
from typing import IO

#: Bytes that are held in memory.
_IN_MEMORY = 128 * 1024
#: Bytes that are read at once.
_PIECE = 64 * 1024


class Spool:
    """What is written, to be read as often as it is wanted. close() gives its file back.

    The file has no buffer of ours: what does not fit on the disk is found out by the write that does not fit.
    """

    def __init__(self) -> None:
        self._memory = bytearray()
        self._file: IO[bytes] | None = None

    def write(self, data: bytes) -> None:
        """Write behind what there is. Raises OSError."""
        if self._file is None:
            self._memory += data
            if len(self._memory) <= _IN_MEMORY:
                return
            data, self._memory = bytes(self._memory), bytearray()
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 close() closes it
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]

    def pieces(self) -> Iterator[bytes]:
        """Yield it in pieces. Raises OSError."""
        at = 0
        while piece := self._piece(at):
            yield piece
            at += len(piece)

    def close(self) -> None:
        """Hold it no more."""
        self._memory = bytearray()
        if self._file:
            self._file.close()
            self._file = None

    def _piece(self, at: int) -> bytes:
        if self._file is None:
            return bytes(self._memory[at : at + _PIECE])
        return os.pread(self._file.fileno(), _PIECE, at)
