"""The files of relay-ctrl's directory. Never says what they mean."""

import os
import stat
from collections.abc import Iterator

from ...core.errors import unable
from ...core.ledger.importers import File

#: Bytes of a file that are read, as relay-ctrl-check does.
_MOST = 8192


def files(directory: str) -> Iterator[File]:
    """Yield the files of a directory, but for the temporary ones and what is no plain file. Raises Failure."""
    try:
        with os.scandir(directory) as entries:
            names = [os.fsencode(entry.name) for entry in entries if not entry.name.startswith(".")]
        for name in sorted(names):
            found = _file(os.path.join(os.fsencode(directory), name), name)
            if found:
                yield found
    except OSError as error:
        raise unable(f"read {directory}", error) from None


def _file(path: bytes, name: bytes) -> File | None:
    """Whoever may log in may write there: a name may lead anywhere, or be a pipe."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with open(fd, "rb") as file:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            return None
        return File(name, int(status.st_mtime), file.read(_MOST))
