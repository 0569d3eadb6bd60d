"""Resource limits: those that softlimit set in front of us for the programs, and our own on open files.

CPython cannot live under softlimit's. The launchers in bin/ note and raise them; here they are laid on the program.
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

#: Variables that dash, or bash in its place, adds to the environment.
_ADDED_BY_SHELLS = ("PWD", "OLDPWD", "SHLVL")

#: Descriptors that a worker needs besides its clients': logs, pipes, sockets to name servers, and room to spare.
_OTHER_DESCRIPTORS = 200


def make_room(clients: int) -> int | None:
    """Raise the soft limit on open files as far as the hard one allows; the old one, None = it was left as it is.

    clients: how many it is to have descriptors for.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = clients + _OTHER_DESCRIPTORS
    room = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft == resource.RLIM_INFINITY or soft >= room:
        return None
    resource.setrlimit(resource.RLIMIT_NOFILE, (room, hard))
    return soft


def room_for(clients: int, each: int = 1) -> int:
    """Count the clients for which there are descriptors, 1 to ``clients``. each: descriptors of one."""
    return max(1, min(clients, room_beside(0) // each))


def room_beside(clients: int) -> int:
    """Count the descriptors that there are beside those of this number of ``clients``, of which each has one."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return sys.maxsize
    return max(0, soft - clients - _OTHER_DESCRIPTORS)


@contextmanager
def descriptors(soft: int) -> Iterator[None]:
    """Have a soft limit on open files within: programs that are started there inherit it. soft: descriptors."""
    room, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (room, hard))


def under(limits: SoftLimits, file: str, argv: tuple[str, ...], environment: Mapping[bytes, bytes]) -> tuple[str, ...]:
    """Build the command that runs a program under limits from its first instruction.

    limits: pairs of letter and bytes. file: where the program was found; otherwise its own $PATH would be searched, and
    another one found. argv: with the program's name in front. environment: the program's.

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
