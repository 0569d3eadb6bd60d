"""The lists of one process: each client gets its way to a backend past them. Never judges itself."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from ....core.gate.maps.names import Broken
from ....core.gate.restrictions.addresses.own import takes
from ....core.gate.restrictions.settings import RestrictionSettings
from ....core.gate.settings import GateSettings
from ....core.gate.visitor import Visitor
from ....core.greylist.network import exempt
from ....core.smtp.dialogue import Dialogue
from ...report.complaints import Complaints
from ..backend.pipe import BackendPipe, Start
from ..control import Control
from ..session import LastCheck
from ..session_log import SessionLog
from ..tables import Tables
from .judged_pipe import JudgedPipe
from .lookups import Knowledge, Lookups, Ways
from .session_lists import SessionLists, Shared

if TYPE_CHECKING:
    from ..policy.services import PolicyServices
    from .greylisting import Greylisting


class _OwnDomains:
    """What mail is taken for, by the parameters of lists and by qmail's files (relay.OwnDomains)."""

    def __init__(self, settings: RestrictionSettings, lookups: Lookups, control: Control) -> None:
        self._settings = settings
        self._known = Knowledge(lookups)
        self.knows = control.knows

    def holds(self, domain: bytes) -> bool | None:
        """Whether a domain is one of ours; None = it cannot be told now."""
        return takes(self._settings, self._known, domain)


class Judging:
    """Makes what judges each client.

    settings: with restrictions. complain: gets what is wrong. domains: what mail is taken for.
    """

    def __init__(self, settings: GateSettings, ways: Ways, complain: Complaints, control: Control) -> None:
        if settings.restrictions is None:
            raise ValueError("a gate without lists")
        self._complain = complain
        self._greylisting = _greylisting(settings, control, complain, ways)
        self._services = _services(settings.restrictions, ways, complain)
        lookups = Lookups(ways, Tables(complain), control, greylisting=self._greylisting)
        lookups.services = self._services
        self._shared = Shared(settings.restrictions, lookups, settings.dry_run)
        self.domains = _OwnDomains(settings.restrictions, lookups, control)
        self._last_check = LastCheck(settings, control, self.domains)

    def pipe(
        self, start: Start, environment: Mapping[bytes, bytes], guest: Visitor, dialogue: Dialogue, log: SessionLog
    ) -> BackendPipe:
        """Make the way of one client to its backend. environment: a stranger's."""
        report = self._complain.by(log.warn)
        lists = SessionLists(self._shared, guest, dialogue, log, ungreylisted=exempt(environment))
        if self._services:
            lists.telling = self._services.telling(environment, guest.unique_id)
        return JudgedPipe(start, environment, report, lists, self._last_check)

    async def open(self) -> None:
        """Open what lists ask before the first client comes, so that what is wrong with it is said."""
        if self._greylisting:
            await self._greylisting.open()

    async def close(self) -> None:
        """Give everything back."""
        if self._greylisting:
            await self._greylisting.close()
        if self._services:
            self._services.close()


def _services(settings: RestrictionSettings, ways: Ways, complain: Complaints) -> "PolicyServices | None":
    if settings.policy is None or not ways.asks_services:
        return None
    from ..policy.services import PolicyServices

    return PolicyServices(settings.policy, ways.ask, complain, partial(ways.heard, "policy"))


def check(settings: RestrictionSettings, complain: Callable[[str], None]) -> None:
    """Look before the first client comes which tables cannot be used, and say so: they may be made later."""
    tables = Tables(complain)
    for name in settings.tables:
        found = tables.inspect(name)
        if isinstance(found, Broken):
            complain(found.sentence)


def _greylisting(settings: GateSettings, control: Control, complain: Complaints, ways: Ways) -> "Greylisting | None":
    """Who is asked about triplets; nothing of it is loaded where no list wants that."""
    if settings.restrictions is None or settings.restrictions.greylist is None:
        return None
    from .greylisting import Greylisting

    def name() -> bytes:
        return control.greeting(settings, {}).myhostname

    return Greylisting(settings.restrictions.greylist, name, complain, ways.triplets, partial(ways.heard, "greylist"))
