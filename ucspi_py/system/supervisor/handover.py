"""The way of a handover: a file in memory whose descriptor is named in the environment."""

import os

from ...core.errors import Failure
from ...core.service import handover
from ...core.service.handover import LIMIT, VARIABLE, Handover

#: Of the file, by which it is known to be one.
_NAME = "ucspi_py-handover"


def written(handed: Handover) -> int:
    """Write a handover; the descriptor from which it is read, close-on-exec. Raises OSError."""
    fd = os.memfd_create(_NAME)
    with open(fd, "wb", closefd=False) as file:
        file.write(handover.encode(handed))
    return fd


def taken() -> Handover | None:
    """Read what was handed over to us; None where it was to another process, as a child of it finds it, too.

    Raises Failure where it cannot be understood, and where we are the trial of a server that has ended: we would serve,
    and no supervisor would know of us.
    """
    named = os.environ.get(VARIABLE, "")
    try:
        if not os.readlink(f"/proc/self/fd/{int(named)}").startswith(f"/memfd:{_NAME}"):
            return None
        block = os.pread(int(named), LIMIT, 0)
    except (OSError, ValueError):
        return None
    try:
        handed = handover.decode(block)
    except ValueError as error:
        raise Failure(f"unable to take over from the server that runs: {error}") from None
    if handed.trial and handed.pid != os.getppid():
        raise Failure("the server that we were to follow has ended")
    return handed if handed.trial or handed.pid == os.getpid() else None


def forget() -> None:
    """Close what was handed over, when all has been read."""
    os.close(int(os.environ.pop(VARIABLE)))
