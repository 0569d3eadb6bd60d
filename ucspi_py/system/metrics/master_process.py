"""What the system says of the master (proc(5)), by the names that every client of Prometheus has. Never signals it."""

import os
from collections.abc import Iterator
from pathlib import Path

from ...core.metrics.family import Family, Kind, Sample, gauge

#: Fields of /proc/PID/stat behind the name in brackets, from 0: proc(5) counts from 3.
_UTIME, _STIME, _STARTTIME, _VSIZE, _RSS = 11, 12, 19, 20, 21


def families(pid: int) -> Iterator[Family]:
    """The master's own numbers; none where the system does not tell them. pid: its process id."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b") ")[2].split()
        booted = _booted()
    except (OSError, ValueError):
        return
    ticks, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
    seconds = (int(fields[_UTIME]) + int(fields[_STIME])) / ticks
    cpu = "Processor time of the master, and of its own alone."
    yield Family("process_cpu_seconds", Kind.COUNTER, cpu, (Sample(seconds),))
    yield gauge("process_resident_memory_bytes", "Memory of the master that is resident.", int(fields[_RSS]) * page)
    yield gauge("process_virtual_memory_bytes", "Memory of the master that is mapped.", int(fields[_VSIZE]))
    started = booted + int(fields[_STARTTIME]) / ticks
    yield gauge("process_start_time_seconds", "When the master started.", started)


def _booted() -> int:
    """The second when the system was booted. Raises ValueError."""
    lines = Path("/proc/stat").read_text().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("btime ")), 0)
