"""How a question to a store or a server has gone, for whoever counts that. Never asks one."""

from collections.abc import Callable
from enum import StrEnum


class Went(StrEnum):
    """How it went. SKIPPED: nobody was asked, since the one to be asked has just failed, or too many wait for it."""

    ANSWERED = "answered"
    FAILED = "failed"
    SKIPPED = "skipped"


#: Hears who was to be asked, how that went, and for how many seconds it was waited for.
Heard = Callable[[str, Went, float], None]
#: The same of one that is known.
HeardOfOne = Callable[[Went, float], None]


def unheard(_server: str, _went: Went, _seconds: float) -> None:
    """Count nothing. See Heard; _seconds: as there."""


def unheard_of_one(_went: Went, _seconds: float) -> None:
    """Count nothing. See HeardOfOne; _seconds: as there."""
