"""What counts and notes in a worker, loaded only where anybody asks for it. Never decides."""

from typing import TYPE_CHECKING

from ....core.metrics.asked import Heard, unheard
from ...report.connection_log import ConnectionLog
from ...report.forms import connection_log
from ..admission import Serve
from ..session import serve
from ..shared import Shared

if TYPE_CHECKING:
    from ..metrics.metered import Metered
    from ..top.watching import Watching


def metered(shared: Shared, column: int | None) -> "Metered | None":
    """Make what counts in a worker, where numbers are asked for. column: the worker's; None = it has none."""
    if shared.metrics is None or column is None:
        return None
    from ..metrics.metered import Metered

    return Metered(shared.metrics.counters.column(column), shared.log)


def watching(shared: Shared) -> "Watching | None":
    """Make what notes who is inside, where anybody asks for it."""
    if shared.top is None:
        return None
    from ..top.watching import Watching

    return Watching(shared.top.inside)


def telling(shared: Shared, metered: "Metered | None") -> tuple[ConnectionLog, Serve, Heard]:
    """What tells of clients, what serves them, and what hears how questions went; all count if that is wanted."""
    made = (shared.log, shared.tables.board, shared.settings.limit)
    if metered:
        return metered.connection_log(*made), metered.serve, metered.heard
    return connection_log(*made), serve, unheard
