"""The progress of a long job, on a terminal alone. Never in a pipe or a file."""

from collections.abc import Iterable, Iterator
from typing import TextIO, TypeVar

Thing = TypeVar("Thing")

#: Things between two updates.
_STEP = 20_000
_CLEAR = "\r\x1b[K"


class Progress:
    """One line of a terminal that is written again and again. stream: where; it is left alone if it is no terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._seen = stream.isatty()

    def along(self, what: str, things: Iterable[Thing]) -> Iterator[Thing]:
        """Yield the things, and write now and then how many there were. what: their name in the line."""
        if not self._seen:
            yield from things
            return
        for number, thing in enumerate(things):
            if number % _STEP == 0:
                self._write(f"{_CLEAR}{number:,} {what}")
            yield thing

    def end(self) -> None:
        """Clear the line."""
        if self._seen:
            self._write(_CLEAR)

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
