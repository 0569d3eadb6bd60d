"""The search for a program in $PATH (pathexec_run.c). Never decides what to run."""

import errno
import os
import stat
from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")

_GO_ON = frozenset((errno.EACCES, errno.EPERM, errno.EISDIR))


def first_that_runs(name: str, attempt: Callable[[str], T]) -> T:
    """Try every file that ``name`` can mean until attempt(file) succeeds.

    A name with a slash is that file. Otherwise $PATH is searched: a missing file is passed over, a forbidden one is
    passed over and remembered, anything else ends the search. Raises the OSError that C would report.
    """
    error = OSError(errno.ENOENT, os.strerror(errno.ENOENT))
    for file in _files(name):
        try:
            return attempt(file)
        except OSError as failed:
            if failed.errno != errno.ENOENT:
                error = failed
                if failed.errno not in _GO_ON:
                    break
    raise error


def find(name: str) -> str:
    """Find the file that would be run for ``name``. Raises the OSError that C would report."""
    return first_that_runs(name, _runnable)


def become(argv: tuple[str, ...], environment: dict[bytes, bytes]) -> None:
    """Execute the program argv[0] in this process (execve(2)); returns only by raising OSError."""
    first_that_runs(argv[0], lambda file: os.execve(file, argv, environment))


def _files(name: str) -> Iterator[str]:
    if "/" in name:
        yield name
        return
    for folder in os.environ.get("PATH", "/bin:/usr/bin").split(":"):
        yield f"{folder or '.'}/{name}"


def _runnable(file: str) -> str:
    """Check a file as execve(2) does, which refuses by EACCES what is no regular file or has no permission."""
    if not stat.S_ISREG(os.stat(file).st_mode) or not os.access(file, os.X_OK, effective_ids=True):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))
    return file
