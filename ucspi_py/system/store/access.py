"""Whether we may write the file of a store, which need not be there yet. Never makes one."""

import errno
import os

#: The ends of SQLite's files (sqlite.org/tempfiles.html): whoever cannot write the last two cannot write the first.
_ENDS = ("", "-wal", "-shm")


def check_writable(path: str) -> None:
    """Look at a file, those that SQLite has beside it, and their folder. path: absolute. Raises OSError."""
    folder = os.path.dirname(path)
    os.stat(folder)
    for one, mode in ((folder, os.W_OK | os.X_OK), *((f"{path}{end}", os.R_OK | os.W_OK) for end in _ENDS)):
        if os.path.exists(one) and not os.access(one, mode, effective_ids=True):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), one)
