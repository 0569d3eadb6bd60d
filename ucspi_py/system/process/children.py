"""Our child processes. Never starts one."""

import os
from collections.abc import Iterator


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
