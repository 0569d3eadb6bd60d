"""What the numbers were measured on, and how quiet it was. Never measures a server."""

import os
import platform
import resource
import time
from pathlib import Path


class Quiet:
    """Watches from its making on how much of the processors others take."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._busy = _busy()
        self._own = _own()

    def others(self) -> float:
        """The part of all processor time that went to processes which are not ours, from 0 to 1."""
        seconds = (time.monotonic() - self._begun) * processors()
        return max(0.0, (_busy() - self._busy - (_own() - self._own)) / seconds)


def facts() -> dict[str, str | int]:
    """Processors, kernel and Python."""
    return {
        "processors": processors(),
        "processor": _model(),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0))


def _model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def _busy() -> float:
    """Seconds that all processors have worked, stolen time included."""
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    )
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def _own() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
