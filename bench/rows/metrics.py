"""The rows of metrics: what it costs to count, clients that are allowed and denied. Never screens anybody."""

import tempfile
from pathlib import Path

from effort import Effort
from findings import Finding
from workshop import Workshop

from .beside import Asked, beside


def counting(workshop: Workshop, effort: Effort) -> list[Finding]:
    """Clients a second that are counted for Prometheus, beside those that are not."""
    with tempfile.TemporaryDirectory() as folder:
        options = ("--metrics", f"unix:{Path(folder) / 'numbers'}")
        return beside(workshop, effort, Asked("metrics", "counted", options, (), "without --metrics"))
