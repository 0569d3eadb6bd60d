"""Backends whose worker was killed: who reaps them. Never kills or starts anything.

On Linux the master becomes a child subreaper and they come to it. Elsewhere they go to process 1, unseen by us.
"""

import ctypes
import sys

_PR_SET_CHILD_SUBREAPER = 36


def adopt() -> None:
    """Have the orphans among our descendants become our children, where the system can do it."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
