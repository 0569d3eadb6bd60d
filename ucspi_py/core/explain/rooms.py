"""What is known in the rooms before the program, in words: names, rules, limits, zones, greylist, ledger."""

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import ip_network

from ..client.connection import Names
from ..client.limits import ClientLimits
from ..dnsbl.answers import NOT_ASKED, Failing, Finding, Listed, Result, dotted
from ..dnsbl.zone import Zone
from ..gate.language.limits import LIMITS
from ..gate.settings import EventLimits
from ..greylist.network import Record
from ..ledger.grant import Grant, is_ahead, is_live
from ..rules.cidr import Network
from ..rules.dump import instructions_text
from ..rules.explain import Explanation, key_text
from ..service.settings import ServerSettings
from ..smtp.verdict import Refuse, Verdict
from ..text import shown


def proxy(networks: Iterable[Network]) -> tuple[str, ...]:
    """Tell by whom the clients of a server come."""
    by = ", ".join(
        str(ip_network((network.base.to_bytes(network.bits // 8, "big"), network.length))) for network in networks
    )
    return (f"comes by a proxy in {by}, whose header says its address",)


def names(settings: ServerSettings, found: Names) -> tuple[str, ...]:
    """Tell what the server looks up, and what that gave."""
    host = "not looked up (-H)" if not settings.remote_host else _name(settings, found.remote_host)
    ident = ("ident: not asked here; the server asks (-r)",) if settings.remote_info else ()
    return (f"name: {host}", *ident)


def _name(settings: ServerSettings, host: bytes | None) -> str:
    if host is None:
        return "none, or none that leads back to the address (-p)" if settings.paranoid else "none"
    return shown(host) + (", which leads back to the address" if settings.paranoid else "")


def rule(found: Explanation) -> tuple[str, ...]:
    """Tell which rule decides, and where it is written."""
    missing = [key_text(key) for key in found.asked if not found.decided or key != found.decided.key]
    without = f"no rule for {', '.join(missing)}"
    if found.decided is None:
        return (without, "no rule decides: allow")
    source = f" ({shown(found.source)})" if found.source else ""
    said = f"the rule {key_text(found.decided.key)} decides{source}: {instructions_text(found.decided.value)}"
    return (without, said) if missing else (said,)


def limits(found: ClientLimits) -> tuple[str, ...]:
    """Tell the limits of a client. How near it is to them now, only the server knows."""
    return tuple(_limits(found)) or ("none",)


def _limits(found: ClientLimits) -> Iterator[str]:
    if found.load is not None:
        yield f"load average: {found.load // 100}.{found.load % 100:02} at most"
    if found.per_client is not None:
        yield f"connections at once of the client: {found.per_client} at most"
    if found.per_network is not None:
        prefixes = "/".join(map(str, found.network))
        yield f"connections at once of its network (/{prefixes}): {found.per_network} at most"
    if found.arrivals is not None:
        yield f"connections of the client in {found.period} seconds: {found.arrivals} at most"


def event_limits(found: EventLimits) -> tuple[str, ...]:
    """Tell the limits of the gate, under Postfix's names."""
    at_once, *events = LIMITS
    count, rates = found.smtpd_client_connection_count_limit, zip(events, found.rates, strict=True)
    most = [f"{at_once}: {count} at most"] if count else []
    most += [f"{name}: {rate} in {found.anvil_rate_time_unit} seconds at most" for name, rate in rates if rate]
    return tuple(most) or ("none",)


def zones(asked: Sequence[Zone], results: Sequence[Result | None]) -> tuple[str, ...]:
    """Tell what each zone says of the client."""
    return tuple(f"{shown(zone.alias)}: {_result(result)}" for zone, result in zip(asked, results, strict=False))


def _result(result: Result | None) -> str:
    if result is None:
        return "not heard"
    return "not asked about such an address" if result is NOT_ASKED else _finding(result.finding)


def _finding(finding: Finding) -> str:
    match finding:
        case Listed(text, code):
            listed = f"listed ({dotted(code)})" if code else "listed"
            return f"{listed}, {shown(text)}" if text else listed
        case Failing(reason):
            return f"failed, {reason}"
    return "not listed"


def record(network: str, found: Record | None, now: int) -> str:
    """Tell what a greylist remembers. now: seconds since 1970."""
    if found is None:
        return f"{network}: no record"
    if found.passed is None:
        return f"{network}: came first {now - found.first} seconds ago"
    return f"{network}: let in, last noted {now - found.passed} seconds ago"


def grants(found: Iterable[Grant], now: int) -> tuple[str, ...]:
    """Tell what the ledger has about a client. now: seconds since 1970."""
    return tuple(_grant(one, now) for one in found) or ("no grant",)


def _grant(grant: Grant, now: int) -> str:
    said = f"granted to {shown(grant.user) or 'an unknown user'} by {grant.how.value}, recorded by {shown(grant.by)}"
    if is_ahead(grant, now):
        return f"{said}, in the future: it does not count"
    if not is_live(grant, now):
        return f"{said}, ended {now - grant.expires} seconds ago"
    return f"{said}, for {grant.expires - now} more seconds"


def verdict(found: Verdict) -> str:
    """Tell what a screen does with the client."""
    return f"refuses: {shown(found.reply)}" if isinstance(found, Refuse) else "lets the client in"
