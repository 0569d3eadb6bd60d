"""Work in a process of its own."""

import os
import signal

import pytest

from ucspi_py.system.rules.background import Background


def test_the_result_comes_back_from_another_process() -> None:
    large = Background(lambda: (os.getpid(), ["x" * 1000] * 1000))
    small = Background(os.getpid)

    pid, lines = large.result()

    assert (len(lines), len({pid, small.result(), os.getpid()})) == (1000, 3)


def test_work_that_fails_there_fails_here() -> None:
    with pytest.raises(ZeroDivisionError):
        Background(lambda: 1 // 0).result()


def test_work_is_done_here_where_the_other_process_is_killed() -> None:
    parent = os.getpid()

    def work() -> int:
        if os.getpid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
        return os.getpid()

    assert Background(work).result() == parent
