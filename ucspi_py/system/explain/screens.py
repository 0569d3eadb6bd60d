"""The screens of a service about one client: zones are asked, greylist and ledger only read. Never records a visit."""

import os
import time
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from ...core.dns.message import Ask
from ...core.dnsbl import outcome as dnsbl
from ...core.dnsbl.settings import DnsblSettings
from ...core.explain import rooms
from ...core.explain.steps import Step
from ...core.greylist import network as greylist
from ...core.greylist import visit
from ...core.greylist.network import Record
from ...core.greylist.settings import GreylistSettings
from ...core.greylist.triplet import changes as triplets
from ...core.ledger import address, changes, relay
from ...core.ledger.record import grants
from ...core.ledger.settings import RelaySettings
from ...core.service.settings import ScreenSettings
from ...core.smtp.verdict import Accept, Refuse, Verdict
from ...core.text import shown
from ..dnsbl.judge import query_and_watch
from ..dnsbl.query import ask_zone
from ..store import look


class Screened(NamedTuple):
    """What a screen does with the client. variables: for the environment of the program."""

    found: tuple[str, ...]
    verdict: Verdict
    variables: dict[bytes, bytes]


async def screened(settings: ScreenSettings, environment: dict[bytes, bytes], ask: Ask) -> tuple[Step, Refuse | None]:
    """Ask one screen, and put into the environment what it leaves there. Raises Failure for an unreadable store."""
    if isinstance(settings, DnsblSettings):
        done = await _zones(settings, environment, ask)
    elif isinstance(settings, GreylistSettings):
        done = await _greylist(settings, environment)
    elif isinstance(settings, RelaySettings):
        done = await _relay(settings, environment)
    else:
        raise TypeError(settings)
    environment.update(done.variables)
    step = Step("py" + settings.log_name.decode(), (*done.found, rooms.verdict(done.verdict)))
    return step, done.verdict if isinstance(done.verdict, Refuse) else None


async def _zones(settings: DnsblSettings, environment: dict[bytes, bytes], ask: Ask) -> Screened:
    decided = dnsbl.unasked(settings, environment)
    # As if it were only interrogated: then all that the zones say is waited for.
    every = replace(settings, interrogate=True)
    result = decided or await query_and_watch(every, environment, partial(ask_zone, ask), None)
    outcome = dnsbl.outcome(settings, environment, result, os.getpid())
    found = rooms.zones(settings.zones, result.results)
    if decided and b"RBLSMTPD" in environment:
        found = (f"RBLSMTPD={shown(environment[b'RBLSMTPD'])!r} decides, no zone is asked",)
    if settings.greet_seconds and not decided:
        found += (f"greets after {settings.greet_seconds} seconds, who talks before is refused (-w)",)
    if outcome.verdict != outcome.said:
        found += (f"would refuse, and does not (-i, --dry-run): {rooms.verdict(outcome.said)}",)
    return Screened(found, outcome.verdict, dict(outcome.variables))


async def _greylist(settings: GreylistSettings, environment: dict[bytes, bytes]) -> Screened:
    network = greylist.network(environment.get(b"TCPREMOTEIP", b""), settings.network)
    if greylist.exempt(environment) or network is None:
        return Screened(("exempt by RELAYCLIENT, or an empty RBLSMTPD or GREYLIST",), Accept(), {})
    row = await look.record(settings.store, visit.TENANT, network)
    now = int(time.time())
    found = rooms.record(network, None if row is None else Record(*row), now)
    verdict = visit.Visit(now, settings).apply(row).result
    if isinstance(verdict, Refuse):
        client = await look.record(settings.store, triplets.CLIENTS, network)
        if triplets.ClientKnown(now, settings.memory).apply(client).result:
            return Screened((found, f"{network}: check_greylist has let it in"), Accept(), {})
    return Screened((found,), verdict, {})


async def _relay(settings: RelaySettings, environment: dict[bytes, bytes]) -> Screened:
    why = relay.why_unasked(environment, settings)
    if why:
        return Screened((why,), Accept(), {})
    keys = address.keys(address.address(environment[b"TCPREMOTEIP"]))
    rows = [await look.record(settings.store, changes.TENANT, key) for key in keys]
    found, now = [grant for row in rows for grant in grants(row)], int(time.time())
    outcome = relay.outcome(environment, found, now, os.getpid())
    return Screened(rooms.grants(found, now), outcome.verdict, dict(outcome.variables))
