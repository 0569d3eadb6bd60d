"""check_greylist in service: a visit of a triplet, and the header that tells of its wait. Never judges."""

from collections.abc import Callable
from email.utils import formatdate

from .... import __version__
from ....core.gate.restrictions.questions import Visited
from ....core.greylist.attempt import Attempt, Passed
from ....core.greylist.triplet import texts
from ....core.greylist.triplet.settings import TripletSettings
from ....core.metrics.asked import HeardOfOne, unheard_of_one
from ...greylist.greylister import Greylister, TripletRecords
from ...store.records import keeper


class Greylisting:
    """The triplets of one process.

    name: tells our own. tell: gets what is wrong with the store or a whitelist. records: None = those of the store.
    heard: how each question to that went.
    """

    def __init__(
        self,
        settings: TripletSettings,
        name: Callable[[], bytes],
        tell: Callable[[str], None],
        records: TripletRecords | None = None,
        heard: HeardOfOne = unheard_of_one,
    ) -> None:
        self._settings = settings
        self._name = name
        self._greylister = Greylister(settings, tell, records=records, heard=heard)

    async def open(self) -> None:
        """Open the store and read the whitelists before the first client comes."""
        await self._greylister.open()

    async def visit(self, attempt: Attempt) -> Visited:
        """Note an attempt, and find what becomes of it. Everybody is let in while the store cannot be asked."""
        verdict = await self._greylister.judge(attempt)
        if not isinstance(verdict, Passed) or verdict.waited is None or not self._settings.header:
            return Visited(verdict)
        date = formatdate(localtime=True).encode("ascii")
        header = texts.header(self._settings.header, verdict.waited, __version__.encode("ascii"), self._name(), date)
        return Visited(verdict, header)

    async def close(self) -> None:
        """Give everything back."""
        await self._greylister.close()


def import_library(settings: TripletSettings) -> None:
    """Import what the store needs. Raises ImportError where it is missing."""
    keeper(settings.store)
