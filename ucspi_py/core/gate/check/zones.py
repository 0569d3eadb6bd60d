"""Traps in zones: those that are dead, and those of which a test shows that they are not well."""

from collections.abc import Iterator
from typing import NamedTuple

from ...dnsbl.zone import Zone, parse
from ...errors import AskedWrongly
from .dead_zones import Dead, dead
from .finding import Finding, Kind, warning
from .reading import Reading
from .subject import Subject


class Asked(NamedTuple):
    """A zone, and the place that has it."""

    zone: Zone
    where: str


def zones(reading: Reading) -> tuple[Asked, ...]:
    """List the zones of a configuration: those of its lists, and those of postscreen."""
    found = [Asked(*one) for one in reading.zones]
    for word in reading.words("postscreen_dnsbl_sites"):
        try:
            found.append(Asked(parse(word.text), word.where))
        except AskedWrongly:
            continue
    return tuple(found)


def dead_zones(subject: Subject) -> Iterator[Finding]:
    """Find zones that are known to be dead."""
    for zone, where in zones(subject.reading):
        one = dead(zone.name)
        if one:
            yield warning(where, f"zone {zone.name.decode()} {_since(one)}", one.remedy)


def sick_zones(subject: Subject) -> Iterator[Finding]:
    """Find zones that do not answer, or not as RFC 5782 has it."""
    asked = [one for one in zones(subject.reading) if not dead(one.zone.name)]
    tested = subject.around.zones
    if tested is None:
        if asked:
            yield Finding(Kind.NOTE, "", "no name server answers, so no zone was asked whether it is well")
        return
    for zone, where in asked:
        health = tested.get(zone.name)
        if health and (health.alarm or health.remark):
            yield warning(
                where, f"zone {zone.name.decode()}: {health.alarm or health.remark}", "take it out if that lasts"
            )


def _since(one: Dead) -> str:
    return f"has been {one.state} since {one.year}" if one.year else f"is {one.state}"
