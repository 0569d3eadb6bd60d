"""All that a start needs, looked at in the order of a start, and as its user from -u on. Never serves a client."""

import os
from collections.abc import Iterator
from typing import NamedTuple

from ....core.errors import Failure
from ....core.gate.check.check import check as gate_findings
from ....core.gate.check.reading import Reading
from ....core.gate.check.subject import Keys
from ....core.service.check.finding import Finding, Kind, error, of_gate, warning
from ....core.service.environment import oddities
from ....core.service.settings import ServerSettings
from ...gate import gate
from ...gate.check import surroundings
from ...gate.check.surroundings import Privileged
from ...report.log import QUIET, Log
from .. import furnish
from . import descriptors, keys, metrics, passwords, port, programs, rules, sockets, stores, user, zones


class Asked(NamedTuple):
    """What is looked at. reading: the configuration of the gate; None = there is no gate."""

    settings: ServerSettings
    reading: Reading | None


def check(asked: Asked) -> Iterator[Finding]:
    """Yield what is found; from the user on, this process is that user for good."""
    settings = asked.settings
    yield from sockets.looked_at_descriptor(settings)
    yield from port.looked(settings)
    yield from metrics.looked(settings)
    yield from sockets.looked(settings)
    yield descriptors.looked(settings)
    yield from keys.looked(settings)
    yield from passwords.looked(settings)
    seen = _privileged(asked)
    furnish.import_the_rest(settings)
    became = user.looked(settings.uid, settings.gid)
    yield became
    if became.kind is not Kind.ERROR:
        yield from _as_user(asked, seen, asks=True)


def check_trial(asked: Asked) -> Iterator[Finding]:
    """Yield what is found by a program that is to follow a server, which has handed over all that it listens on.

    A server that has given up root has done so for this one as well: of keys that only root can read, and of whoever
    checks passwords with root, nothing can be told. The guard has both, and goes on. Other servers, as name servers,
    Redis and milters, are not asked: where one is away for a while, it helps nobody to stay with the old program.
    """
    settings = asked.settings
    yield descriptors.looked(settings)
    yield from keys.looked(asked.settings)
    yield from passwords.looked(asked.settings)
    yield from _as_user(asked, _privileged(asked), asks=False)


def _privileged(asked: Asked) -> Privileged | None:
    """What the gate needs of root; of its keys all has been said."""
    if asked.reading is None:
        return None
    return surroundings.privileged(asked.reading, asked.settings.uid, asked.settings.gid)._replace(keys=Keys())


def _as_user(asked: Asked, seen: Privileged | None, *, asks: bool) -> Iterator[Finding]:
    settings = asked.settings
    yield from rules.looked(settings.rules, settings.allow_no_rules)
    yield programs.looked(settings.program.argv[0])
    yield from stores.looked(settings, asks=asks)
    yield from metrics.looked_at_file(settings)
    if asks:
        yield from zones.looked(settings)
    if asked.reading:
        yield from _gate(asked.reading, seen, settings, asks=asks)
    for sentence in oddities(os.environb):
        yield warning("environment", sentence)


def _gate(reading: Reading, seen: Privileged | None, settings: ServerSettings, *, asks: bool) -> Iterator[Finding]:
    """What pysmtpgate --check looks at, and of what a start looks at whatever keeps it from starting."""
    try:
        yield from of_gate(gate_findings(reading, surroundings.of(reading, seen=seen, asks=asks)))
        if settings.program.gate:
            gate.check(settings.program.gate, Log(QUIET))
    except Failure as failure:
        yield error("gate", failure.sentence)
