"""The name that ps(1) and top(1) show of a process, so that a master is told from its workers."""

import ctypes
import sys

#: prctl(2), linux/prctl.h; 16 bytes with a NUL.
_PR_SET_NAME, _LIMIT = 15, 15


def show_as(name: bytes) -> None:
    """Be shown under a name (proc(5), /proc/PID/comm); a program that is executed has its own. name: cut to 15 bytes.

    Written by prctl: /proc may not be there, and is closed to a process that hides its memory.
    """
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_NAME, ctypes.c_char_p(name[:_LIMIT]), 0, 0, 0)
