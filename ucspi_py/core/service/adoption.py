"""Which of a killed worker's orphans is the program that it was starting. Never looks at a process."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a worker wrote on the scoreboard before it started a program.

    socket: the inode of the client's socket, which is to be on 0 and 1. since: clock ticks since the system started.
    """

    socket: int
    since: int


@dataclass(frozen=True, slots=True)
class Orphan:
    """A process that became the master's child when its parent died (prctl(2), PR_SET_CHILD_SUBREAPER).

    pid: its process id. started: clock ticks since the system started. sockets: inodes of the sockets on its 0 and 1;
    None where we may not look, as with a program whose file is unreadable (qmail's are).
    """

    pid: int
    started: int
    sockets: frozenset[int] | None


def started_program(announced: Announcement, orphans: Iterable[Orphan]) -> int | None:
    """Find the announced program among the orphans: its process id, None where no orphan can be it.

    A daemon that another client's program has left behind has another socket, or none, or is older.
    """
    fitting = [
        orphan for orphan in orphans if orphan.started >= announced.since and _may_have(orphan, announced.socket)
    ]
    if not fitting:
        return None
    # Whatever the program has started itself is younger than it is.
    return min(fitting, key=lambda orphan: (orphan.sockets is None, orphan.started, orphan.pid)).pid


def _may_have(orphan: Orphan, socket: int) -> bool:
    return orphan.sockets is None or socket in orphan.sockets
