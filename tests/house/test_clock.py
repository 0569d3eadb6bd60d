"""Deadlines are those of the monotonic clock: a clock that is stepped back an hour must not keep anybody waiting."""

import re
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "ucspi_py"

#: Its records outlive the machine's start, so that no other clock will do; core/greylist.py says what holds then.
WALL_CLOCK = {"system/greylisting.py"}

ASKS_THE_WALL = re.compile(r"\btime\.time(_ns)?\(|\bdatetime\b|\blocaltime\(|\bgmtime\(|CLOCK_REALTIME")


def test_only_greylisting_asks_the_wall_clock() -> None:
    asking = {
        str(source.relative_to(PACKAGE))
        for source in PACKAGE.rglob("*.py")
        if ASKS_THE_WALL.search(source.read_text(encoding="utf-8"))
    }

    assert asking == WALL_CLOCK
