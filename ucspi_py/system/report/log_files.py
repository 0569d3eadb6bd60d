"""Logs in files, line by line, one file after the other. Never looks at what is in the lines."""

import os
from collections.abc import Iterator, Sequence
from io import BufferedIOBase

from ...core.errors import unable
from ..rules import log_input

_STDIN = "-"


class LogFiles:
    """The lines of files. names: - is standard input. Each may be compressed with gzip."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names or (_STDIN,)
        self._whole = sum(map(_size, self._names))
        self._done = 0
        self._stream: BufferedIOBase | None = None

    def __iter__(self) -> Iterator[bytes]:
        """Yield the lines without their newlines. Raises Failure, ``unable to read FILE: reason``."""
        for name in self._names:
            try:
                with _open(name) as self._stream:
                    yield from log_input.lines(self._stream)
            except OSError as error:
                raise unable(f"read {'input' if name == _STDIN else name}", error) from None
            self._done += _size(name)

    def share(self) -> float | None:
        """Tell how much of all bytes has been read, 0 to 1; None = their number is not known."""
        if not self._whole or self._stream is None:
            return None
        try:
            at = self._done if self._stream.closed else self._done + self._stream.tell()
        except OSError:
            return None
        return min(at / self._whole, 1.0)


def _open(name: str) -> BufferedIOBase:
    return open(0, "rb", closefd=False) if name == _STDIN else open(name, "rb")


def _size(name: str) -> int:
    """Bytes of a file; 0 of what has no size, a pipe, or of what cannot be read."""
    try:
        return os.fstat(0).st_size if name == _STDIN else os.stat(name).st_size
    except OSError:
        return 0
