"""The note that a launcher of bin/ puts before the first word of the operator. Never looks at a process or a file."""

from collections.abc import Iterator
from typing import NamedTuple

#: Every note begins so, and no program's name.
BEGIN = "note:"


class Keeper(NamedTuple):
    """A child of ours that keeps the environment we were given. pid: its process id. descriptor: closing it ends it."""

    pid: int
    descriptor: int


class LaunchNote(NamedTuple):
    """What the launcher did.

    soft_limits: what softlimit in front meant for the programs, raised for us: pairs of the shell's letter for a limit
    (v: address space, d: data) and its bytes. keeper: None = the environment is as
    we have it. input: the descriptor that is to be our standard input, None = it is so already.
    """

    soft_limits: tuple[tuple[str, int], ...] = ()
    keeper: Keeper | None = None
    input: int | None = None


def parse(note: str) -> LaunchNote:
    """Parse the note that a launcher wrote. Raises ValueError for one that none wrote."""
    words = dict(_words(note))
    limits = tuple((letter, int(words.pop(letter))) for letter in ("v", "d") if letter in words)
    environment = words.pop("environment", "")
    directory = words.pop("input", "")
    if words:
        raise ValueError(f"{BEGIN} is for launchers alone, unable to understand {words}")
    return LaunchNote(limits, _keeper(environment) if environment else None, int(directory) if directory else None)


def _keeper(words: str) -> Keeper:
    pid, descriptor = map(int, words.split(","))
    return Keeper(pid, descriptor)


def _words(note: str) -> Iterator[tuple[str, str]]:
    for word in note.removeprefix(BEGIN).split():
        name, _, value = word.partition("=")
        yield name, value


def environment(block: bytes) -> dict[bytes, bytes]:
    """Parse an environment as the kernel has it (proc(5), environ); of two entries the first counts, as for getenv(3).

    Left out is what no program can find: an entry without a name or without a ``=``.
    """
    variables: dict[bytes, bytes] = {}
    for entry in block.split(b"\0"):
        name, equals, value = entry.partition(b"=")
        if name and equals:
            variables.setdefault(name, value)
    return variables
