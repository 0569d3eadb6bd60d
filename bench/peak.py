"""How far the memory of processes rises while they work. Never looks at kernel memory."""

from collections.abc import Iterable
from pathlib import Path

#: proc(5), /proc/PID/clear_refs: the peak is forgotten.
_FORGET_PEAK = "5"


class Peak:
    """Watches from its making on how much more memory processes of ours have at a time than they had at first."""

    def __init__(self, pids: Iterable[int]) -> None:
        self._first: dict[int, int] = {}
        for pid in pids:
            Path(f"/proc/{pid}/clear_refs").write_text(_FORGET_PEAK)
            self._first[pid] = _peak(pid)

    def growth(self) -> int:
        """Kilobytes by which the one that grew most has grown (resident)."""
        return max(_peak(pid) - first for pid, first in self._first.items())


def _peak(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
