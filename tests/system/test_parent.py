"""Whether the process that started us is stopped."""

import os
import signal
from pathlib import Path

import pytest

from tests.support.waiting import until
from ucspi_py.system.accept.parent import Parent


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the system does not tell")
def test_a_stopped_parent_is_seen_and_one_that_goes_on_too() -> None:
    """SIGSTOP and SIGCONT, as svc -p and svc -c send them."""
    told, tell = os.pipe()
    middle = os.fork()
    if not middle:
        if not os.fork():
            parent, last = Parent(), None
            while True:
                if parent.is_stopped() is not last:
                    last = parent.is_stopped()
                    os.write(tell, b"stopped\n" if last else b"going\n")
        signal.pause()
    try:
        os.close(tell)
        with os.fdopen(told) as lines:
            assert lines.readline() == "going\n"
            os.kill(middle, signal.SIGSTOP)
            assert lines.readline() == "stopped\n"
            os.kill(middle, signal.SIGCONT)
            assert lines.readline() == "going\n"
            child = int(Path(f"/proc/{middle}/task/{middle}/children").read_text())
            os.kill(child, signal.SIGKILL)
    finally:
        os.kill(middle, signal.SIGKILL)
        os.waitpid(middle, 0)
    until(lambda: not Path(f"/proc/{middle}").exists())
