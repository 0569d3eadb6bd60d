"""A test's work in a process of its own, so that what it changes of the process is gone with it."""

import os
import signal
import traceback
from collections.abc import Callable


def in_child(work: Callable[[], object]) -> int:
    """Do something in a forked process; it must come to its end. Returns its process id."""
    pid = os.fork()
    if not pid:
        try:
            for number in (signal.SIGINT, signal.SIGQUIT):  # ignored where the tests run in a shell's background
                signal.signal(number, signal.SIG_DFL)
            work()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0
    return pid
