"""The zones, asked by a process that has one client: nothing is remembered, counted or left alone."""

from ...core.dnsbl.outcome import ScreenResult
from ...core.dnsbl.settings import DnsblSettings
from ..lookup import resolver
from . import query
from .query import Callback, Query


class UncachedZones:
    """Asks the name servers of the environment."""

    def __init__(self) -> None:
        self._ask = resolver.from_environment().ask

    def ask_zone(self, inquiry: Query, callback: Callback) -> None:
        """Ask a zone about the client."""
        query.ask_zone(self._ask, inquiry, callback)

    def note_result(self, settings: DnsblSettings, screened: ScreenResult) -> None:
        """Count nothing: nobody would ever read it."""
