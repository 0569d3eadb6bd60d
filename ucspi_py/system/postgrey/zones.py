"""Zones that are asked about clients before the greylist: what all processes know of them, and the way of each."""

from ...core.dnsbl import loglines
from ...core.dnsbl.settings import DnsblSettings
from ...core.service.settings import Program
from ..dnsbl.client import DnsblClient
from ..dnsbl.judge import DnsblJudge
from ..dnsbl.shared_state import SharedZones
from ..lookup import resolver
from ..report.log import Log


class Zones:
    """Made before any process is forked. processes: that will ask. Raises AskedWrongly for a wrong $DNSCACHEIP."""

    def __init__(self, settings: DnsblSettings, processes: int) -> None:
        self._settings = settings
        self._program = Program((settings,), ())
        self._shared = SharedZones(len(settings.zones))
        self._ask = resolver.from_environment(processes).ask

    def client(self, log: Log) -> DnsblClient:
        """Make the way of one process."""
        return DnsblClient(self._program, self._shared, self._ask, log)

    def judge(self, client: DnsblClient) -> DnsblJudge:
        """Make who judges for one process."""
        return DnsblJudge(self._settings, client)

    def test_soon(self) -> None:
        """Have each zone tested at once: somebody may have mended something."""
        for number in range(len(self._settings.zones)):
            self._shared.test_soon(number)

    def totals(self) -> list[bytes]:
        """What each zone was good for since the start, as lines."""
        records = zip(self._program.zones, self._shared.records(), strict=True)
        return [loglines.zone_totals(zone.alias, record.totals()) for zone, record in records]
