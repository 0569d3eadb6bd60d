"""Standard error, where daemontools reads. One write per event, so that lines of several processes never mix."""

import os

QUIET, ERRORS, VERBOSE = range(3)


class Log:
    """Says lines as loud as -q, -Q or -v allow. A log reader that is gone never stops the server."""

    def __init__(self, verbosity: int) -> None:
        self.verbose = verbosity >= VERBOSE
        self._silent = verbosity == QUIET

    def detail(self, *lines: bytes) -> None:
        """Whole lines that only -v shows, in one write."""
        if self.verbose:
            say(*lines)

    def warn(self, *lines: bytes) -> None:
        """Whole lines that only -q hides, in one write."""
        if not self._silent:
            say(*lines)


def say(*lines: bytes) -> None:
    """Whole lines to standard error in one write, whatever the verbosity."""
    try:
        os.write(2, b"".join(lines))
    except OSError:
        pass
