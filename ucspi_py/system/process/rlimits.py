"""softlimit in front of us: its soft limits are meant for the programs, and CPython cannot live under them.

The launchers in bin/ note them and raise them (launch.py); here they are laid on the program.
"""

import os
import resource
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

#: Pairs of the shell's letter for a limit (v: address space, d: data) and its bytes.
SoftLimits = tuple[tuple[str, int], ...]

_PRLIMIT = "/usr/bin/prlimit"
#: prlimit's names for a shell's letters.
_RESOURCES = {"v": "as", "d": "data"}

#: What dash, or bash in its place, adds to the environment.
_ADDED_BY_SHELLS = ("PWD", "OLDPWD", "SHLVL")

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


def under(limits: SoftLimits, file: str, argv: tuple[str, ...], environment: Mapping[bytes, bytes]) -> tuple[str, ...]:
    """What to run so that a program runs under these limits from its first instruction.

    file: where it was found; it would be searched for in the program's own $PATH, and another one found.

    Setting limits on the running program comes some milliseconds too late, on ourselves they make posix_spawn fail for
    want of memory, and a fork costs more than this second exec. Where there is no prlimit (util-linux) a shell does it,
    in full kilobytes; it gets file and argv as its parameters, never as text, and takes out again what it has added to
    the environment, but it leaves out names that are none to it.
    """
    if os.access(_PRLIMIT, os.X_OK):
        return (_PRLIMIT, *(f"--{_RESOURCES[letter]}={size}:" for letter, size in limits), "--", file, *argv[1:])
    commands = [f"ulimit -S -{letter} {size // 1024}" for letter, size in limits]
    added = [name for name in _ADDED_BY_SHELLS if name.encode() not in environment]
    if added:
        commands.append(f"unset {' '.join(added)}")
    return ("/bin/sh", "-c", "; ".join([*commands, 'exec "$@"']), "sh", file, *argv[1:])
