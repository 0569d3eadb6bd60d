"""The log in the form that is asked for. What only other forms than djb's need is loaded where they are asked for."""

from ..accept.scoreboard import Scoreboard
from .connection_log import ConnectionLog
from .log import Log

#: Lines of tcpserver, as C writes them.
DJB = "djb"


def open_log(verbosity: int, form: str) -> Log:
    """Open the log on standard error, with all that it will ever need.

    verbosity: as of Log. form: DJB, or a name of core.log.forms.FORMS.
    """
    if form == DJB:
        return Log(verbosity)
    from .events import connection_events  # noqa: F401  workers can import nothing once root is given up
    from .events.event_log import EventLog

    return EventLog(verbosity, form)


def connection_log(log: Log, board: Scoreboard, limit: int) -> ConnectionLog:
    """Make the log of one process's connections. limit: backends at once of the whole service (-c)."""
    if log.of_events:
        from .events.connection_events import ConnectionEvents

        return ConnectionEvents(log, board, limit)
    return ConnectionLog(log, board, limit)
