"""The screens of one worker. Here alone their kinds are told apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..core.dns_message import Ask
from ..core.settings import GreylistSettings, Screening, ScreenSettings
from ..core.verdict import Verdict
from . import greylisting, screening
from .greylisting import Greylist
from .log import Log


class Screen(Protocol):
    """A screen in service."""

    @property
    def settings(self) -> Screening:
        """What the operator asked for."""

    async def open(self) -> None:
        """Get ready; what is wrong is said in the log."""

    async def judge(self, environment: Mapping[bytes, bytes]) -> Verdict:
        """What is said of the client that the environment describes."""


@dataclass(frozen=True, slots=True)
class ZoneScreen:
    """rblsmtpd."""

    settings: ScreenSettings
    ask: Ask

    async def open(self) -> None:
        """Zones are asked when a client comes."""

    async def judge(self, environment: Mapping[bytes, bytes]) -> Verdict:
        """What $RBLSMTPD or the zones say."""
        return await screening.screen(self.settings, environment, self.ask)


def in_service(settings: Sequence[Screening], ask: Ask, log: Log) -> tuple[Screen, ...]:
    """The screens, to be opened and used in the process that calls this."""
    return tuple(Greylist(one, log) if isinstance(one, GreylistSettings) else ZoneScreen(one, ask) for one in settings)


def import_libraries(settings: Sequence[Screening]) -> None:
    """Import what the screens will need, while we may still read whatever root may.

    A library that is missing is told of when the screen opens.
    """
    for one in settings:
        if isinstance(one, GreylistSettings):
            try:
                greylisting.store_of(one.store)
            except ImportError:
                pass
