"""Backends whose worker was killed, as the master finds and reaps them. Never kills or starts anything.

On Linux the master becomes a child subreaper and they come to it. Elsewhere they go to process 1, and the master asks
now and then which of them still live.
"""

import ctypes
import os
import re
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from ...core.service.adoption import Orphan

#: prctl(2), linux/prctl.h.
_PR_SET_CHILD_SUBREAPER = 36

_SOCKET = re.compile(r"socket:\[(\d+)\]")

#: proc(5), /proc/pid/stat: fields behind the command's name, which may hold blanks and parentheses.
_STATE, _START_TIME = 3 - 3, 22 - 3


def adopt() -> bool:
    """Become the reaper of orphaned descendants (prctl(2)); False where the system has none."""
    if not sys.platform.startswith("linux"):
        return False
    return bool(ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


#: The clock by which processes start, suspended or not, and its ticks in a second.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_TICKS = os.sysconf("SC_CLK_TCK")


def now() -> int:
    """Read the clock by which processes start: nanoseconds since boot, also while suspended."""
    return time.clock_gettime_ns(_CLOCK)


def ticks(since: int) -> int:
    """Convert a time of that clock to its ticks, as proc(5) has a process's start (starttime). since: nanosecond."""
    return since * _TICKS // 1_000_000_000


def children_but(known: Iterable[int]) -> list[Orphan]:
    """List our living children. known: process ids to leave out. Empty where the system does not list them."""
    try:
        own = os.getpid()
        pids = {int(child) for child in Path(f"/proc/{own}/task/{own}/children").read_text().split()}
    except OSError:
        return []
    return [orphan for pid in pids.difference(known) if (orphan := _seen(pid))]


def is_child(pid: int) -> bool:
    """Whether a process is our child, also one that has ended and waits to be reaped. pid: its process id."""
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def lives(pid: int) -> bool:
    """Whether there is a process. pid: its process id."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def has_ended(pid: int) -> bool:
    """Whether there is no process, or one that nobody has reaped, where the system shows that. pid: its process id."""
    try:
        return _stat(pid)[_STATE] == b"Z"
    except OSError:
        return not lives(pid)


def _stat(pid: int) -> list[bytes]:
    return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()


def _seen(pid: int) -> Orphan | None:
    """What can be seen of a process; None of one that has ended."""
    try:
        fields = _stat(pid)
    except OSError:
        return None
    return None if fields[_STATE] == b"Z" else Orphan(pid, int(fields[_START_TIME]), _sockets(pid))


def _sockets(pid: int) -> frozenset[int] | None:
    inodes = set()
    for fd in (0, 1):
        try:
            match = _SOCKET.fullmatch(os.readlink(f"/proc/{pid}/fd/{fd}"))
        except PermissionError:
            return None
        except OSError:
            continue  # it has closed that one
        if match:
            inodes.add(int(match[1]))
    return frozenset(inodes)
