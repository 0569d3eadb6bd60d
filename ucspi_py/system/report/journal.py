"""What systemd's journal takes from standard error beside the text of a line. Never opens the journal."""

import os
import re

from .nonblocking import Write

#: sd-daemon(3): the priorities that a line may begin with; journald cuts them off.
PRIORITIES = {"info": b"<6>", "warning": b"<4>", "error": b"<3>"}
_WARNINGS = re.compile(rb"^(?=[a-z]+(?:\[\d+\])?: warning: )", re.MULTILINE)


def is_journal(fd: int) -> bool:
    """Whether a descriptor leads to the journal (systemd.exec(5), $JOURNAL_STREAM). fd: the descriptor."""
    device, _, inode = os.environ.get("JOURNAL_STREAM", "").partition(":")
    if not (device.isdecimal() and inode.isdecimal()):
        return False
    try:
        found = os.fstat(fd)
    except OSError:
        return False
    return (found.st_dev, found.st_ino) == (int(device), int(inode))


def prioritized(write: Write, fd: int) -> Write:
    """Make a write that tells the journal which lines are warnings; where there is no journal it stays as it is.

    write: of whole lines in djb's form. fd: the descriptor to which.
    """
    if not is_journal(fd):
        return write

    def write_lines(data: bytes) -> int:
        marked = _WARNINGS.sub(PRIORITIES["warning"], data)
        missing = len(marked) - write(marked)
        return max(0, len(data) - missing)

    return write_lines
