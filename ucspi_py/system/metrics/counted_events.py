"""The log of connections as events, with all that it tells of counted as well."""

from ..report.events.connection_events import ConnectionEvents
from .counted_log import CountedLog


class CountedEvents(CountedLog, ConnectionEvents):
    """Counts, and logs events. See both."""
