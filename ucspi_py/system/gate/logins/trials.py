"""Each try of a password, counted by the service and by all hosts of its fleet. Never decides how many are too many."""

from typing import TYPE_CHECKING, NamedTuple

from ....core.auth.answer import Verdict
from ....core.auth.tries import TooMany
from .tries_table import LoginTries, Trial

if TYPE_CHECKING:
    from ....core.fleet.tries import Trial as FleetTrial
    from ...fleet.tries import FleetTries


class Counted(NamedTuple):
    """A try that was counted. everywhere: None = here alone."""

    here: Trial
    everywhere: "FleetTrial | None"


class Trials:
    """Counts each try. here: of the service. fleet: None = it is in none."""

    def __init__(self, here: LoginTries, fleet: "FleetTries | None" = None) -> None:
        self._here = here
        self._fleet = fleet

    async def begin(self, user: bytes, ip: bytes) -> Counted | str:
        """Count a try before anybody is asked; or say whose are too many, in words for the log.

        user: as the client says it. ip: canonical. Whom one host knows there, all hosts do.
        """
        everywhere = None
        if self._fleet:
            everywhere = await self._fleet.begin(user, ip, is_known=self._here.is_known(user, ip))
        if isinstance(everywhere, TooMany):
            return f"{everywhere.value} on all hosts"
        here = self._here.begin(user, ip, is_known=everywhere is not None and everywhere.is_known)
        if isinstance(here, TooMany):
            await self._end(everywhere, Verdict.LATER)
            return here.value
        return Counted(here, everywhere)

    async def end(self, counted: Counted, verdict: Verdict) -> None:
        """Take a try back that was no wrong password, and remember who has logged in from where."""
        self._here.end(counted.here, verdict)
        await self._end(counted.everywhere, verdict)

    async def _end(self, everywhere: "FleetTrial | None", verdict: Verdict) -> None:
        if self._fleet and everywhere:
            await self._fleet.end(everywhere, verdict)
