"""A worker's own deeds, without a server."""

import contextlib
import os
from types import SimpleNamespace
from typing import Any, cast

from tests.support.waiting import until
from ucspi_py.system.service.worker import Worker


def test_one_end_that_cannot_be_told_of_keeps_the_others_from_nobody() -> None:
    """All that have ended are reaped in one sweep, and the error is told."""
    told: list[BaseException] = []
    seen: list[int] = []

    def ended(pid: int, _status: int) -> None:
        seen.append(pid)
        if len(seen) == 1:
            raise MemoryError

    worker = SimpleNamespace(
        _backends=SimpleNamespace(ended=ended),
        _tasks=SimpleNamespace(failed=told.append),
    )
    pids = []
    for _ in range(3):
        pid = os.fork()
        if not pid:
            os._exit(0)
        pids.append(pid)

    def all_reaped() -> bool:
        Worker._reap(cast(Any, worker))
        return len(seen) >= 3

    with contextlib.suppress(ChildProcessError):
        until(all_reaped)
    assert set(pids) <= set(seen)
    assert [type(error) for error in told] == [MemoryError]
