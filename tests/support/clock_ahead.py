"""The clock of one module, which also goes on when a test tells it to: then nobody has to wait for a deadline."""

import time
from types import ModuleType

import pytest


class ClockAhead:
    """Stands where a module has ``time``. It goes on by itself, too, as the real one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, module: ModuleType) -> None:
        self._ahead = 0.0
        monkeypatch.setattr(module, "time", self)

    def monotonic(self) -> float:
        """The second."""
        return time.monotonic() + self._ahead

    def go_on(self, seconds: float) -> None:
        """Let time pass."""
        self._ahead += seconds
