"""The slot of one worker process: which one is in it, which follows, and when. Pure: time is seconds of any one clock.

A worker serves once it has written that it stands. Until then its predecessor stays.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

#: Seconds: a worker that lived shorter was broken from the start, and its successor waits longer and longer.
HEALTHY_LIFE = 1.0
#: Seconds: the first wait after a failure, which each further one doubles, and the longest.
SHORTEST_BACK_OFF, LONGEST_BACK_OFF = 0.1, 5.0


class Worker(NamedTuple):
    """A worker. pid: its process id. born: the second when it was forked."""

    pid: int
    born: float


@dataclass(frozen=True, slots=True)
class WorkerSlot:
    """One worker slot.

    serving: the worker that stands, None = none does. coming: the one that was forked and does not stand yet, None =
    none. relief: whether the serving one is to be followed by another. due: the second from which the next may be
    forked. back_off: seconds that the last failure made the next one wait, 0 = it was healthy.
    """

    serving: Worker | None = None
    coming: Worker | None = None
    relief: bool = False
    due: float = 0.0
    back_off: float = 0.0


def next_fork(slot: WorkerSlot) -> float | None:
    """The second at which the next worker is to be forked; None where none is wanted."""
    wanted = slot.coming is None and (slot.serving is None or slot.relief)
    return slot.due if wanted else None


def forked(slot: WorkerSlot, pid: int, now: float) -> WorkerSlot:
    """Put a forked worker into the slot. pid: its process id. now: the second."""
    return replace(slot, coming=Worker(pid, now), relief=False)


def not_forked(slot: WorkerSlot, now: float) -> WorkerSlot:
    """Back off after a fork that failed for want of room. now: the second."""
    return _backed_off(slot, now)


def stood(slot: WorkerSlot, pid: int) -> tuple[WorkerSlot, int | None]:
    """Let a worker serve that has written that it stands. pid: its process id.

    Beside the slot: the process id of the predecessor, which may leave; None where there is none.
    """
    if slot.coming is None or slot.coming.pid != pid:
        return slot, None
    return replace(slot, serving=slot.coming, coming=None), slot.serving and slot.serving.pid


def ended(slot: WorkerSlot, pid: int, now: float) -> WorkerSlot:
    """Take a worker that has ended out of the slot: another follows, later and later if they die young.

    pid: its process id; one that is not of this slot changes nothing. now: the second.
    """
    worker = next((one for one in (slot.serving, slot.coming) if one and one.pid == pid), None)
    if worker is None:
        return slot
    young = now - worker.born < HEALTHY_LIFE
    slot = _backed_off(slot, now) if young else replace(slot, due=now, back_off=0.0)
    if worker is slot.serving:
        return replace(slot, serving=None)
    # The worker that it was to relieve serves on, and is still to be relieved.
    return replace(slot, coming=None, relief=bool(slot.serving))


def to_be_relieved(slot: WorkerSlot) -> WorkerSlot:
    """Have the worker followed by a new one at once (SIGHUP): the operator may have mended something."""
    return replace(slot, relief=True, due=0.0)


def workers(slot: WorkerSlot) -> set[int]:
    """The process ids of the workers in a slot."""
    return {worker.pid for worker in (slot.serving, slot.coming) if worker}


def _backed_off(slot: WorkerSlot, now: float) -> WorkerSlot:
    back_off = min(max(SHORTEST_BACK_OFF, 2 * slot.back_off), LONGEST_BACK_OFF)
    return replace(slot, due=now + back_off, back_off=back_off)
