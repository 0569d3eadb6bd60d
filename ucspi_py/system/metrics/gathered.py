"""All numbers of a service as they are now, from what its processes share. Never counts and never writes them."""

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from ... import __version__
from ...core.dnsbl import breaker
from ...core.dnsbl.zone import Zone
from ...core.metrics import names
from ...core.metrics.counted import Counted, families
from ...core.metrics.family import Family, Kind, Sample, gauge
from ...core.metrics.names import told_apart
from ...core.service.settings import ServerSettings
from ..accept.scoreboard import Scoreboard
from ..dnsbl.shared_state import Record, SharedZones
from ..report.totals import SharedTotals
from . import waiting
from .counters import Counters
from .waiting import Doors


class Sources(NamedTuple):
    """What the processes of a service share, and what it was asked to do. doors: where clients come in.

    certificates: of TLS, each with the second since 1970 when it ends, 0 = unknown.
    """

    settings: ServerSettings
    counters: Counters
    board: Scoreboard
    zones: SharedZones
    totals: SharedTotals
    doors: Doors
    certificates: Callable[[], Iterable[tuple[str, int]]]


def gathered(sources: Sources) -> list[Family]:
    """All numbers of a service."""
    return [
        *families(_counted(sources.settings), sources.counters.sum),
        *_places(sources),
        *waiting.families(sources.doors),
        *(_certificates(sources) if sources.settings.any_tls else ()),
        *(_zones(sources) if sources.settings.program.zones else ()),
        *(_screens(sources) if sources.settings.program.totals_names else ()),
        *(_rules(sources.settings.rules) if sources.settings.rules is not None else ()),
        _build(),
    ]


def _counted(settings: ServerSettings) -> tuple[Counted, ...]:
    """What there can be to count in a service."""
    gate = settings.program.gate
    return (
        *names.ALWAYS,
        *(names.WITH_TLS if settings.any_tls else ()),
        *(names.WITH_LOGINS if gate and gate.logins else ()),
        *(names.AT_GATE if gate else ()),
        *(names.WITH_GREYLIST if gate and gate.restrictions and gate.restrictions.greylist else ()),
        *(names.WITH_SERVERS if settings.asks_servers else ()),
    )


def _places(sources: Sources) -> Iterator[Family]:
    board, settings = sources.board, sources.settings
    yield gauge("ucspi_programs_running", "Programs that run.", board.running())
    yield gauge("ucspi_programs_limit", "Programs that may run at once (-c).", settings.limit)
    pending = len(board.pending) - board.free(board.pending)
    yield gauge("ucspi_held", "Clients that are inside without a program, or are the gate's.", pending)
    yield gauge("ucspi_held_limit", "Clients that may be so at once (--held).", len(board.pending))
    yield gauge("ucspi_workers", "Workers that accept clients.", sources.counters.standing())
    yield gauge("ucspi_workers_limit", "Workers that there should be (-w).", min(settings.workers, settings.limit))


def _certificates(sources: Sources) -> Iterator[Family]:
    known = list(sources.certificates())
    named = zip(told_apart(path for path, _ in known), known, strict=True)
    samples = [Sample(end, (("name", name),)) for name, (_, end) in named]
    text = "When certificates end to be valid; 0 = that cannot be told."
    yield Family("ucspi_tls_certificate_expiry_timestamp_seconds", Kind.GAUGE, text, samples)


def _zones(sources: Sources) -> Iterator[Family]:
    zones = sources.settings.program.zones
    records = list(zip(told_apart(map(_alias, zones)), sources.zones.records(), strict=True))
    queries = [
        Sample(number, (("zone", zone), ("result", result)))
        for zone, record in records
        for result, number in _results(record)
    ]
    yield Family("ucspi_zone_queries", Kind.COUNTER, "Questions to zones, by what became of them.", queries)
    waited = [
        Sample(number, (("zone", zone),), suffix)
        for zone, record in records
        for suffix, number in (("_count", record.asked), ("_sum", record.milliseconds / 1000))
    ]
    yield Family("ucspi_zone_query_seconds", Kind.SUMMARY, "How long zones were waited for.", waited)
    now = time.monotonic()
    up = [
        Sample(breaker.is_up(sources.zones.standing(number), now), (("zone", zone),))
        for number, (zone, _) in enumerate(records)
    ]
    yield Family("ucspi_zone_up", Kind.GAUGE, "Whether a zone is asked and believed now.", up)


def _alias(zone: Zone) -> str:
    return zone.alias.decode("utf-8", "backslashreplace")


def _results(record: Record) -> tuple[tuple[str, int], ...]:
    clean = record.asked - record.listed - record.errors - record.timeouts
    return (
        ("listed", record.listed),
        ("clean", max(0, clean)),  # its parts may be of different moments
        ("error", record.errors),
        ("timeout", record.timeouts),
        ("skipped", record.skipped),
    )


def _screens(sources: Sources) -> Iterator[Family]:
    samples = [
        Sample(number, (("screen", name.decode("ascii")), ("verdict", verdict)))
        for name in sources.settings.program.totals_names
        for verdict, number in zip(("accepted", "deferred", "bounced"), sources.totals.read(name), strict=True)
    ]
    yield Family("ucspi_screen_verdicts", Kind.COUNTER, "What screens said of clients.", samples)


def _rules(path: str) -> Iterator[Family]:
    try:
        changed, is_there = os.stat(path).st_mtime, os.access(path, os.R_OK)
    except OSError:
        changed, is_there = 0.0, False
    yield gauge("ucspi_rules_ok", "Whether the rules are there to be read (-x).", is_there)
    yield gauge("ucspi_rules_timestamp_seconds", "When the rules were last changed; 0 = they are not there.", changed)


def _build() -> Family:
    python = ".".join(map(str, sys.version_info[:3]))
    sample = Sample(1, (("version", __version__), ("python", python)))
    return Family("ucspi_build_info", Kind.GAUGE, "The program's version, and Python's.", (sample,))
