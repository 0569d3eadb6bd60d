"""A word about how far a long job is, where a person sees it. Nothing at all in a pipe or a file."""

from collections.abc import Iterable, Iterator
from typing import TextIO, TypeVar

Thing = TypeVar("Thing")

#: So many things are passed between two words.
_STEP = 20_000
_CLEAR = "\r\x1b[K"


class Progress:
    """One line of a terminal that is written again and again. stream: where; it is left alone if it is no terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._seen = stream.isatty()

    def along(self, what: str, things: Iterable[Thing]) -> Iterator[Thing]:
        """Yield the things, telling from time to time how many there were."""
        if not self._seen:
            yield from things
            return
        for number, thing in enumerate(things):
            if number % _STEP == 0:
                self._write(f"{_CLEAR}{number:,} {what}")
            yield thing

    def end(self) -> None:
        """Leave the line empty."""
        if self._seen:
            self._write(_CLEAR)

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
