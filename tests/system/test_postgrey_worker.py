"""A process of a policy server: what it does beside answering goes on, whatever happens to it."""

import os
import signal
from pathlib import Path
from typing import Any, cast

import pytest

from tests.support.admission import Lines
from tests.support.forked import in_child
from tests.support.waiting import PATIENCE
from ucspi_py.core.greylist.triplet.settings import TripletSettings
from ucspi_py.core.postgrey.settings import Answering, Places, PostgreySettings
from ucspi_py.system.postgrey.worker import Worker
from ucspi_py.system.report import tasks


class _Failing:
    """Zones whose watch fails each time; at the third its process is told to end."""

    watched = 0

    def client(self, _log: object) -> "_Failing":
        """Itself."""
        return self

    def judge(self, _client: object) -> None:
        """Nobody."""

    async def watch(self) -> None:
        """Fail."""
        self.watched += 1
        if self.watched == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        raise ValueError("nobody has thought of it")

    def share(self) -> None:
        """Nothing."""


def test_zones_are_watched_again_where_that_has_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And it is told, each time."""
    monkeypatch.setattr(tasks, "_BEGIN_AGAIN", 0.0)
    death, alive = os.pipe()
    settings = PostgreySettings(
        Answering(TripletSettings(str(tmp_path / "db")), b"DEFER_IF_PERMIT", b"mx.example", b"1"),
        *(Places(None, 0o666, None, 1), 1, None, None, None),
    )

    def work() -> None:
        signal.alarm(int(PATIENCE))  # or it would go on where nothing begins the watch again
        log, zones = Lines(), _Failing()
        Worker(settings, (), log, cast(Any, zones), death).run()
        assert zones.watched >= 3
        told = [line for line in log.lines if b"internal error: ValueError: nobody has thought of it" in line]
        assert len(told) >= 2

    in_child(work)
    os.close(death)
    os.close(alive)
