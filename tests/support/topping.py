"""What pyucspitop says of a service."""

import json
import subprocess
from pathlib import Path
from typing import Any

from .programs import ours
from .waiting import PATIENCE, until


def top(place: Path) -> dict[str, Any]:
    """What pyucspitop --json says."""
    asked = [ours("pyucspitop"), "--json", str(place)]
    done = subprocess.run(asked, capture_output=True, check=True, timeout=PATIENCE)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def inside(place: Path, number: int) -> list[dict[str, Any]]:
    """All clients, once there are so many."""
    until(lambda: len(top(place)["clients"]) == number)
    found: list[dict[str, Any]] = top(place)["clients"]
    return found


def shown(place: Path) -> list[list[str]]:
    """The cells of all clients, as text."""
    text = subprocess.run([ours("pyucspitop"), str(place)], capture_output=True, check=True, timeout=PATIENCE).stdout
    lines = text.decode().splitlines()
    return [line.split() for line in lines[1 + next(n for n, line in enumerate(lines) if line.startswith("CLIENT")) :]]
