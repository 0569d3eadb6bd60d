"""The parts of a gate that not each has: nothing of one is loaded where nobody wants it. Never uses one."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from ...core.gate.settings import GateSettings
from ..report.complaints import Complaints
from .control import Control
from .session_log import SessionLog

if TYPE_CHECKING:
    from .content.checked_backend import SessionChecks
    from .content.checks import Checks
    from .lists.judging import Judging
    from .lists.lookups import Ways
    from .milter.milting import Milting


class OfSession(NamedTuple):
    """What a part is told of a session.

    environment: of the client. hostname: ours. checks: header and body checks; None = there are none. dry_run: nobody
    is refused. holds: which domains we take mail for; None = it cannot be told now. connections: of the client at once,
    0 = they have no limit.
    """

    environment: Mapping[bytes, bytes]
    hostname: bytes
    log: SessionLog
    checks: "SessionChecks | None"
    dry_run: bool
    holds: Callable[[bytes], bool | None]
    connections: int


def import_libraries(settings: GateSettings) -> None:
    """Import what lists and checks are done with, while we may still read whatever root may.

    The library of a store that is missing is told of when it is wanted.
    """
    if settings.content:
        from .content import checks  # noqa: F401
    if settings.milters:
        from .lists import lookups  # noqa: F401
        from .milter import checked_milted, checking, milting  # noqa: F401
    if settings.restrictions:
        from .lists import judging  # noqa: F401
    if settings.restrictions and settings.restrictions.policy:
        from .policy import services  # noqa: F401
    if settings.restrictions and settings.restrictions.greylist:
        with suppress(ImportError):
            from .lists import greylisting

            greylisting.import_library(settings.restrictions.greylist)


def judging(
    settings: GateSettings, ways: "Callable[[], Ways]", complain: Complaints, control: Control
) -> "Judging | None":
    """What judges by lists; where there are none, nothing of it is loaded."""
    if settings.restrictions is None:
        return None
    from .lists.judging import Judging

    return Judging(settings, ways(), complain, control)


def checks(settings: GateSettings, complain: Complaints) -> "Checks | None":
    """What looks into messages; where nothing is to be looked for, nothing of it is loaded."""
    if settings.content is None:
        return None
    from .content.checks import Checks

    return Checks(settings.content, complain, dry_run=settings.dry_run)


def milting(settings: GateSettings, ways: "Callable[[], Ways]", complain: Complaints) -> "Milting | None":
    """What has milters hear of clients; where there are none, nothing of it is loaded."""
    if settings.milters is None:
        return None
    from ...core.gate.milter.content import body_limit
    from ...core.gate.milter.settings import Limits
    from .milter.client import MilterClient
    from .milter.milting import Milting

    limits = Limits(settings.smtp.recipient_limit, body_limit(settings.message_size_limit))
    found = ways()
    make = found.milter or partial(MilterClient, heard=partial(found.heard, "milter"))
    return Milting(settings.milters, limits, found.ask, complain, make)
