"""softlimit in front of us: its soft limits are meant for the programs, and CPython cannot live under them.

The launchers in bin/ note them and raise them (launch.py); here they are laid on the program.
"""

import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager

#: Pairs of the shell's letter for a limit (v: address space, d: data) and its bytes.
SoftLimits = tuple[tuple[str, int], ...]

_PRLIMIT = "/usr/bin/prlimit"
#: prlimit's names for a shell's letters.
_RESOURCES = {"v": "as", "d": "data"}

#: What a worker opens besides its clients: logs, pipes, sockets to name servers.
_OTHER_DESCRIPTORS = 200


def make_room(clients: int) -> int | None:
    """Let this process have descriptors for so many clients, if it may; the soft limit as it was, None if untouched."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = clients + _OTHER_DESCRIPTORS
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return None
    room = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (room, hard))
    return soft


def room_for(clients: int) -> int:
    """For how many of so many clients there are descriptors, at least one."""
    return max(1, min(clients, room_beside(0)))


def room_beside(clients: int) -> int:
    """For how many clients more than these there are descriptors."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return sys.maxsize
    return max(0, soft - clients - _OTHER_DESCRIPTORS)


@contextmanager
def descriptors(soft: int) -> Iterator[None]:
    """Have this soft limit for a moment: what is started within inherits it."""
    room, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (room, hard))


def under(limits: SoftLimits, argv: tuple[str, ...]) -> tuple[str, ...]:
    """What to run so that argv runs under these limits from its first instruction.

    Setting them on the running program comes some milliseconds too late, on ourselves they make posix_spawn fail for
    want of memory, and a fork costs more than this second exec. Where there is no prlimit (util-linux) a shell does it,
    in full kilobytes; it gets argv as its parameters, never as text, but it adds PWD to the environment and leaves out
    names that are none to it.
    """
    if not limits:
        return argv
    if os.access(_PRLIMIT, os.X_OK):
        return (_PRLIMIT, *(f"--{_RESOURCES[letter]}={size}:" for letter, size in limits), "--", *argv)
    commands = [f"ulimit -S -{letter} {size // 1024}" for letter, size in limits]
    return ("/bin/sh", "-c", "; ".join([*commands, 'exec "$@"']), "sh", *argv)
