"""What a server hands over to the program that takes its place under the same process id. Pure.

The master has no root any more: what only root could open again goes along as descriptors.
"""

from typing import NamedTuple

#: Names the descriptor from which the new program reads it.
VARIABLE = "UCSPI_PY_HANDOVER"
#: Bytes that nobody hands over more of.
LIMIT = 1 << 20


class HandedGuard(NamedTuple):
    """The guard. pid: its process id. channel: descriptor. keys: descriptors. task: what it was asked for, in words."""

    pid: int
    channel: int
    keys: tuple[int, ...]
    task: str


class Handover(NamedTuple):
    """What goes to the new program.

    pid: whose process it takes over, our own, or, for a trial, our parent's. trial: it is to start without serving.
    listeners: descriptors. alive: descriptor of the pipe by which the old workers know that there is a master. workers,
    backends: process ids. mask: numbers of the signals that are to be blocked when it has come so far. guard: None =
    there is none, or another one can be started. relay_key: by which clients get their tickets, None = they get none.
    metrics, top: descriptors at which the numbers are asked for, and who is inside; None = nobody asks.
    """

    pid: int
    trial: bool
    listeners: tuple[int, ...]
    alive: int
    workers: tuple[int, ...]
    backends: tuple[int, ...]
    mask: tuple[int, ...]
    guard: HandedGuard | None = None
    relay_key: bytes | None = None
    metrics: int | None = None
    top: int | None = None

    @property
    def descriptors(self) -> tuple[int, ...]:
        """All that the new program is to have."""
        of_guard = (self.guard.channel, *self.guard.keys) if self.guard else ()
        asked_at = (fd for fd in (self.metrics, self.top) if fd is not None)
        return (*self.listeners, self.alive, *of_guard, *asked_at)


def encode(handed: Handover) -> bytes:
    """Write it down."""
    import json

    key = None if handed.relay_key is None else handed.relay_key.hex()
    return json.dumps(handed._replace(relay_key=None)._asdict() | {"relay_key": key}).encode("utf-8", "surrogateescape")


def decode(block: bytes) -> Handover:
    """Read what was written down by this version or another one. Raises ValueError for anything else."""
    import json

    try:
        words = json.loads(block.decode("utf-8", "surrogateescape"))
        guard, key = words["guard"], words["relay_key"]
        return Handover(
            int(words["pid"]),
            bool(words["trial"]),
            _numbers(words["listeners"]),
            int(words["alive"]),
            _numbers(words["workers"]),
            _numbers(words["backends"]),
            _numbers(words["mask"]),
            HandedGuard(int(guard[0]), int(guard[1]), _numbers(guard[2]), str(guard[3])) if guard else None,
            None if key is None else bytes.fromhex(key),
            *(None if fd is None else int(fd) for fd in (words.get("metrics"), words.get("top"))),
        )
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f"not understood: {error!r}") from None


def _numbers(words: object) -> tuple[int, ...]:
    if not isinstance(words, list):
        raise TypeError("no list")
    return tuple(map(int, words))
