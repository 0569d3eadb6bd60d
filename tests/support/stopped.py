"""A forked child that does something, and stops itself (SIGSTOP) wherever it likes."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator


def stop() -> None:
    """Stop this process until somebody sends SIGCONT."""
    signal.raise_signal(signal.SIGSTOP)


@contextlib.contextmanager
def stopped(work: Callable[[], object]) -> Iterator[int]:
    """A child that has come as far as to stop() in its work; killed at the end, if it has not ended."""
    pid = os.fork()
    if not pid:
        try:
            work()
        finally:
            os._exit(0)
    try:
        _, status = os.waitpid(pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status), f"it has ended with {status}"
        yield pid
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
