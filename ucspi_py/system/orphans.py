"""Backends whose worker was killed: who reaps them. Never kills or starts anything.

On Linux the master becomes a child subreaper and they come to it. Elsewhere they go to process 1, and the master asks
now and then which of them still live.
"""

import ctypes
import os
import sys
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36


def adopt() -> bool:
    """Have the orphans among our descendants become our children; False where the system cannot."""
    if not sys.platform.startswith("linux"):
        return False
    return bool(ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


def children() -> list[int]:
    """The process ids of our children; none where the system does not tell."""
    try:
        pid = os.getpid()
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def lives(pid: int) -> bool:
    """Whether there is a process with this id."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
