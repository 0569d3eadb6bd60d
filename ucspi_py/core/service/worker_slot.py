"""The slot of one worker: who is in it, who follows, and when. Pure: time is seconds of any one clock.

A worker serves once it stands, which it says itself. Until then whoever it is to follow stays.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

#: Seconds: a worker that lived shorter was broken from the start, and its successor waits longer and longer.
HEALTHY_LIFE = 1.0
SHORTEST_BACK_OFF, LONGEST_BACK_OFF = 0.1, 5.0


class Worker(NamedTuple):
    """A worker's process id, and when it was forked."""

    pid: int
    born: float


@dataclass(frozen=True, slots=True)
class WorkerSlot:
    """One worker's place.

    serving: who stands. coming: who has been forked and does not stand yet. relief: whether whoever serves is to be
    followed by another. due: when the next may be forked. back_off: seconds that the last failure had the next wait.
    """

    serving: Worker | None = None
    coming: Worker | None = None
    relief: bool = False
    due: float = 0.0
    back_off: float = 0.0


def next_fork(slot: WorkerSlot) -> float | None:
    """When the next worker is to be forked; None where none is wanted."""
    wanted = slot.coming is None and (slot.serving is None or slot.relief)
    return slot.due if wanted else None


def forked(slot: WorkerSlot, pid: int, now: float) -> WorkerSlot:
    """A worker has been forked."""
    return replace(slot, coming=Worker(pid, now), relief=False)


def not_forked(slot: WorkerSlot, now: float) -> WorkerSlot:
    """There is no room for another process now."""
    return _backed_off(slot, now)


def stood(slot: WorkerSlot, pid: int) -> tuple[WorkerSlot, int | None]:
    """The worker that was coming serves now; the process id of the one that may leave, None where there is none."""
    if slot.coming is None or slot.coming.pid != pid:
        return slot, None
    return replace(slot, serving=slot.coming, coming=None), slot.serving and slot.serving.pid


def ended(slot: WorkerSlot, pid: int, now: float) -> WorkerSlot:
    """One of this slot's workers has ended: another follows, later and later if they die young."""
    for worker in (slot.serving, slot.coming):
        if worker and worker.pid == pid:
            young = now - worker.born < HEALTHY_LIFE
            slot = _backed_off(slot, now) if young else replace(slot, due=now, back_off=0.0)
    if slot.serving and slot.serving.pid == pid:
        return replace(slot, serving=None)
    # Whom it was to relieve serves on, and is still to be relieved.
    return replace(slot, coming=None, relief=bool(slot.serving))


def to_be_relieved(slot: WorkerSlot) -> WorkerSlot:
    """The slot whose worker is to be followed by a new one, at once: whoever asks for it may have mended something."""
    return replace(slot, relief=True, due=0.0)


def workers(slot: WorkerSlot) -> set[int]:
    """The process ids of this slot's workers."""
    return {worker.pid for worker in (slot.serving, slot.coming) if worker}


def _backed_off(slot: WorkerSlot, now: float) -> WorkerSlot:
    back_off = min(max(SHORTEST_BACK_OFF, 2 * slot.back_off), LONGEST_BACK_OFF)
    return replace(slot, due=now + back_off, back_off=back_off)
