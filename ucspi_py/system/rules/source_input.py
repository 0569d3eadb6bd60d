"""Text to read whole: rules source on standard input, and files by name. Never looks at what it reads."""

import errno
import os
import stat
import sys

from ...core.errors import unable


def standard_input() -> bytes:
    """Read all of standard input. Raises Failure with tcprules' sentence."""
    try:
        if sys.stdin is None:
            raise OSError(errno.EBADF, "closed when we were started")
        return sys.stdin.buffer.read()
    except OSError as error:
        raise unable("read input", error) from None


def name_of_standard_input() -> bytes:
    """Find the last part of the name of the file on standard input; ``-`` for a pipe, or without /proc."""
    try:
        if stat.S_ISREG(os.fstat(0).st_mode):
            return os.path.basename(os.readlink(b"/proc/self/fd/0"))
    except OSError:
        pass
    return b"-"


def file(path: str) -> bytes:
    """Read all of a file; ``-`` is standard input. Raises Failure ``unable to read PATH: reason``."""
    return standard_input() if path == "-" else content(path)


def content(path: str) -> bytes:
    """Read all of a file, whatever it is called. Raises Failure ``unable to read PATH: reason``."""
    try:
        with open(path, "rb") as opened:
            return opened.read()
    except OSError as error:
        raise unable(f"read {path}", error) from None
