"""softlimit in front of us: its soft limits are meant for the programs, and CPython cannot live under them.

The launchers in bin/ note them and raise them (launch.py); here they are laid on the program.
"""

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager

#: Pairs of the shell's letter for a limit (v: address space, d: data) and its bytes.
SoftLimits = tuple[tuple[str, int], ...]


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
    """What to run so that argv runs under these limits, in full kilobytes, from its first instruction.

    Setting them on the running program comes some milliseconds too late, on ourselves they make posix_spawn fail for
    want of memory, and a fork costs more than this second exec. The shell gets argv as its parameters, never as text.
    """
    if not limits:
        return argv
    commands = [f"ulimit -S -{letter} {size // 1024}" for letter, size in limits]
    return ("/bin/sh", "-c", "; ".join([*commands, 'exec "$@"']), "sh", *argv)
