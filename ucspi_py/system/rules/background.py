"""Work in a forked process, while this one does other work. Never for a server."""

import os
import pickle
from collections.abc import Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Background(Generic[Result]):
    """Begins work at once. work: what to do; its result is pickled."""

    def __init__(self, work: Callable[[], Result]) -> None:
        self._work = work
        reader, writer = os.pipe()
        try:
            self._child = os.fork()
        except OSError:  # no room for another process: then it is done when it is asked for
            os.close(writer)
            self._child = 0
        else:
            if self._child == 0:
                _do(work, writer)
            os.close(writer)
        self._reader = reader

    def result(self) -> Result:
        """Wait for the result. Where the other process failed the work is done here, and raises what it raises."""
        with open(self._reader, "rb") as pipe:
            told = pipe.read()
        if self._child and os.waitpid(self._child, 0)[1] == 0:
            result: Result = pickle.loads(told)  # noqa: S301  # our own process wrote it
            return result
        return self._work()


def _do(work: Callable[[], object], writer: int) -> None:
    """The whole life of the other process."""
    code = 1
    try:
        with open(writer, "wb") as pipe:
            pickle.dump(work(), pipe)
        code = 0
    finally:
        os._exit(code)
