"""Our child processes: begun as forks of ours, and reaped. Never runs another program."""

import os
import traceback
from collections.abc import Callable, Iterator
from typing import NoReturn

from . import signals


def begin(work: Callable[[], None], tell: Callable[..., None]) -> int:
    """Fork a child that does a work with all signals blocked, and ends -> its process id.

    work: what it does; it never returns into our code. tell: gets the lines, as bytes, of any error of its. Its exit
    code is 0, and 111 behind an error. Raises OSError where none can be forked.
    """
    with signals.all_blocked():
        pid = os.fork()
        if not pid:
            _become(work, tell)
    return pid


def _become(work: Callable[[], None], tell: Callable[..., None]) -> NoReturn:
    status = 111
    try:
        work()
        status = 0
    except BaseException as error:  # whatever it is, it is told and ends here
        tell(*(text.encode("utf-8", "replace") for text in traceback.format_exception(error)))
    finally:
        os._exit(status)


def reap() -> Iterator[tuple[int, int]]:
    """Reap the children that have ended: yield the process id and the raw wait status (wait(2)) of each."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        yield pid, status
