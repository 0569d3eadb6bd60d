"""What systemd is told of a service, and when its workers count as alive. Pure; sent by system/supervisor.

Sources: sd_notify(3). STOPPING=1 is never sent: since systemd 259 all that is left after it is killed, programs too.
"""

from collections.abc import Collection, Iterable, Mapping

from .worker_slot import WorkerSlot

#: Every worker has shown that it lives.
ALIVE = b"WATCHDOG=1"

#: Of the time between two signs of life that systemd waits for, the part after which a worker gives one.
_BEATS = 4
_MICROSECONDS = 1_000_000


def ready(workers: int) -> bytes:
    """Say that the service is up, or up again. workers: how many serve."""
    return b"READY=1\nSTATUS=%d workers serve" % workers


def reloading(nanosecond: int) -> bytes:
    """Say that new workers follow. nanosecond: of the monotonic clock."""
    return b"RELOADING=1\nMONOTONIC_USEC=%d\nSTATUS=new workers follow" % (nanosecond // 1000)


def lame(seconds: int) -> bytes:
    """Say that the service is about to stop. seconds: for which it serves still."""
    return b"STATUS=stops in %d seconds" % seconds


def is_complete(slots: Iterable[WorkerSlot]) -> bool:
    """Whether a worker serves in every slot, and no other is to follow."""
    return all(slot.serving and not slot.coming and not slot.relief for slot in slots)


def are_alive(slots: Iterable[WorkerSlot], beaten: Collection[int]) -> bool:
    """Whether every slot has a worker that serves and has given a sign of life. beaten: process ids that have."""
    return all(slot.serving and slot.serving.pid in beaten for slot in slots)


def beat_seconds(environment: Mapping[str, str], pid: int) -> float | None:
    """Tell how often workers are to give a sign of life (sd_watchdog_enabled(3)); None = nobody wants any.

    environment: ours. pid: our process id.
    """
    usec = environment.get("WATCHDOG_USEC", "")
    if environment.get("WATCHDOG_PID", str(pid)) != str(pid) or not (usec.isascii() and usec.isdigit()):
        return None
    return int(usec) / _MICROSECONDS / _BEATS or None
