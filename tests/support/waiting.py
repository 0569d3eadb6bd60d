"""Waiting for conditions, never for times."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 30.0


def until(condition: Callable[[], T | None], what: str = "", patience: float = PATIENCE) -> T:
    """The condition's first true value; fails after ``patience`` seconds, far beyond what a slow machine needs."""
    end = time.monotonic() + patience
    pause = 0.001
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {patience:.0f} s in vain for {what or condition}")
        time.sleep(pause)
        pause = min(2 * pause, 0.01)
