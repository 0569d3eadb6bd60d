"""Why a user may not connect to a socket, and which group would let it. Never looks at a file.

connect(2) wants to search each folder of the path, and to write to the socket (unix(7), path_resolution(7)).
"""

import enum
from collections.abc import Iterable
from typing import NamedTuple


class Need(enum.IntEnum):
    """What is needed of a file, as a bit of its mode for others."""

    SEARCH = 1
    WRITE = 2


class Step(NamedTuple):
    """A folder on the way, or the socket at its end. owner, group: their numbers. mode: of stat(2)."""

    path: str
    owner: int
    group: int
    mode: int
    need: Need


class Who(NamedTuple):
    """Whoever is to connect. uid: its number. groups: all that it is in."""

    uid: int
    groups: frozenset[int]


def barrier(steps: Iterable[Step], who: Who) -> Step | None:
    """Find the first step of the way that whoever may not do; None = there is none, as far as modes tell."""
    return next((step for step in steps if not _may(step, who)), None)


def missing_group(step: Step, who: Who) -> int | None:
    """Tell which group would let whoever do a step that it may not; None: no group would, or root's."""
    is_owner = step.owner == who.uid  # the owner's bits are the owner's only ones
    return step.group or None if not is_owner and step.mode >> 3 & step.need else None


def _may(step: Step, who: Who) -> bool:
    if not who.uid:
        return True
    shift = 6 if step.owner == who.uid else 3 if step.group in who.groups else 0
    return bool(step.mode >> shift & step.need)
