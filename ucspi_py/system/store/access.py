"""Whether we may write the file of a store, which need not be there yet. Never makes one."""

import errno
import os


def check_writable(path: str) -> None:
    """Look at a file, and at its folder: SQLite has two others beside it. path: absolute. Raises OSError."""
    folder = os.path.dirname(path)
    os.stat(folder)
    for one, mode in ((folder, os.W_OK | os.X_OK), (path, os.R_OK | os.W_OK)):
        if os.path.exists(one) and not os.access(one, mode, effective_ids=True):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), one)
