"""The memory of a process that knows passwords or keys, hidden from others of the same user. Never encrypts it."""

import ctypes
import resource
import sys

#: prctl(2), linux/prctl.h.
_PR_SET_DUMPABLE = 4


def hide_memory() -> None:
    """Let nobody but root read our memory or descriptors (ptrace(2), proc(5)), and leave no core file (core(5)).

    A child that is forked is hidden as well; a program that is executed is not. Changing the user undoes it, so do
    that before. On Linux no limit is touched, which programs would inherit; elsewhere there is only that.
    """
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    else:
        leave_no_core()


def leave_no_core() -> None:
    """Have neither us nor any program that we execute leave a core file, for good."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
