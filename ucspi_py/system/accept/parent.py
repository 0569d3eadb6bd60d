"""The state of our parent process (proc(5)). Never signals it."""

import os
import time

#: Seconds for which one look holds.
_LOOKS = 0.01
#: Of /proc/PID/stat: more than enough for the process id, the name in brackets, and the state.
_BYTES = 64


class Parent:
    """Our parent process, the master of a worker. To be made in the child."""

    def __init__(self) -> None:
        self._stopped = False
        self._next_look = 0.0
        try:
            self._stat = os.open(f"/proc/{os.getppid()}/stat", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._stat = -1

    def is_stopped(self) -> bool:
        """Whether it was stopped by a signal (svc -p), a hundredth of a second ago at most. False without /proc."""
        if self._stat >= 0 and time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + _LOOKS
            try:
                self._stopped = os.pread(self._stat, _BYTES, 0).rpartition(b") ")[2].startswith(b"T")
            except OSError:  # it is gone
                self._stopped = False
        return self._stopped
