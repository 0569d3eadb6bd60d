"""A process that goes on in the background: its own session, and a file with its process id. Never serves."""

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager

from ...core.errors import Failure, unable
from ..process.orphans import lives


def leave() -> int:
    """Go on in a child of a session of its own; this returns there alone. A descriptor that says_ready() takes.

    The parent ends with 0 once the child is ready, and as the child where that has ended before.
    """
    listening, telling = os.pipe()
    try:
        child = os.fork()
    except OSError as error:
        raise unable("fork", error) from None
    if child:
        os.close(telling)
        os._exit(0 if os.read(listening, 1) else os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 0xFF)
    os.close(listening)
    os.setsid()
    os.chdir("/")
    return telling


def say_ready(telling: int) -> None:
    """Let the parent end, and leave the terminal. telling: as of leave()."""
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.close(null)
    with contextlib.suppress(OSError):
        os.write(telling, b".")
    os.close(telling)


@contextmanager
def pid_file(path: str | None) -> Iterator[None]:
    """Have a file with our process id; None = none. It is removed at the end, if we still may.

    Raises Failure where it names another process that lives, or cannot be written.
    """
    if path is None:
        yield
        return
    _check_free(path)
    try:
        with open(path, "w", encoding="ascii") as file:
            file.write(f"{os.getpid()}\n")
    except OSError as error:
        raise unable(f"write {path}", error) from None
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.unlink(path)


def _check_free(path: str) -> None:
    with contextlib.suppress(OSError, ValueError):
        with open(path, encoding="ascii") as file:
            pid = int(file.read(20))
        if pid > 0 and lives(pid):
            raise Failure(f"{path} is that of a process that runs, {pid}")
