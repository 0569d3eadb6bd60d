"""The name servers and the zones of a service's screens, tested as a server tests them. Never asks about a client."""

from collections.abc import Iterator

from ....core.dnsbl.health import Health
from ....core.dnsbl.zone import Zone
from ....core.errors import AskedWrongly
from ....core.service.check.finding import Finding, error, warning
from ....core.service.settings import ServerSettings
from ...dnsbl.check import tested

_WHAT = "zone"
#: Seconds for the tests of all zones, and of the name servers.
_PATIENCE = 3.0


def looked(settings: ServerSettings) -> Iterator[Finding]:
    """Yield how each zone is, or that no name server answers; nothing where none is ever asked."""
    if not settings.asks_name_servers:
        return
    zones = tuple(dict.fromkeys(zone for screen in settings.program.dnsbl_screens for zone in screen.zones))
    try:
        health = tested(zones, _PATIENCE)
    except AskedWrongly as wrong:
        yield error("name servers", wrong.sentence)
        return
    if health is None:
        sentence = "no name server answers: each look-up lasts until its time is over"
        yield error("name servers", sentence) if settings.program.zones else warning("name servers", sentence)
        return
    yield from (_zone(zone, health[zone.name]) for zone in zones)
    if zones and not any(one.reachable for one in health.values()):
        yield error(_WHAT, "none can be asked")


def _zone(zone: Zone, health: Health) -> Finding:
    name = zone.alias.decode("utf-8", "replace")
    flaw = health.alarm or health.remark
    return warning(_WHAT, f"{name}: {flaw}") if flaw else Finding(_WHAT, f"{name} is well")
