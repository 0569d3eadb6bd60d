"""The progress of a long job, on a terminal alone. Never in a pipe or a file."""

from collections.abc import Callable, Iterable, Iterator
from typing import TextIO, TypeVar

Thing = TypeVar("Thing")

#: Things between two updates.
_STEP = 20_000
_CLEAR = "\r\x1b[K"
#: Characters of the bar.
_WIDTH = 30


class Progress:
    """One line of a terminal that is written again and again. stream: where; it is left alone if it is no terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._seen = stream.isatty()

    def along(
        self, what: str, things: Iterable[Thing], share: Callable[[], float | None] = lambda: None
    ) -> Iterator[Thing]:
        """Yield the things, and write now and then how many there were, behind a bar if it is known how many will be.

        what: their name in the line. share: tells how much is done, 0 to 1; None = not known.
        """
        if not self._seen:
            yield from things
            return
        for number, thing in enumerate(things):
            if number % _STEP == 0:
                self._write(f"{_CLEAR}{_bar(share())}{number:,} {what}")
            yield thing

    def end(self) -> None:
        """Clear the line."""
        if self._seen:
            self._write(_CLEAR)

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def _bar(share: float | None) -> str:
    if share is None:
        return ""
    return f"[{'#' * int(_WIDTH * share):{_WIDTH}}] {100 * share:3.0f} %  "
