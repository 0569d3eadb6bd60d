"""One thing that --check has looked at, and how it is shown. Never looks."""

import enum
from collections.abc import Iterable
from typing import NamedTuple

from ...gate.check import finding as gate_findings


class Kind(enum.Enum):
    """What was found.

    FINE: as it should be. WARNING: the service starts, and does less than it was asked for. ERROR: it does not start,
    or turns clients away that it should serve, or serves those that it should not.
    """

    FINE = ""
    WARNING = "warning"
    ERROR = "error"


class Finding(NamedTuple):
    """One thing that was looked at. what: its name. sentence: what is to be said of it."""

    what: str
    sentence: str
    kind: Kind = Kind.FINE

    def __str__(self) -> str:
        """``program: error: unable to find qmail-smtpd: file does not exist``."""
        return ": ".join(filter(None, (self.what, self.kind.value, self.sentence)))


def warning(what: str, sentence: str) -> Finding:
    """Make a finding of that kind. what, sentence: as of a finding."""
    return Finding(what, sentence, Kind.WARNING)


def error(what: str, sentence: str) -> Finding:
    """Make a finding of that kind. what, sentence: as of a finding."""
    return Finding(what, sentence, Kind.ERROR)


def can_start(findings: Iterable[Finding]) -> bool:
    """Whether a service would do its work: nothing that was found is an error."""
    return all(finding.kind is not Kind.ERROR for finding in findings)


_KINDS = {
    gate_findings.Kind.ERROR: Kind.ERROR,
    gate_findings.Kind.WARNING: Kind.WARNING,
    gate_findings.Kind.FINE: Kind.FINE,
}


def of_gate(findings: Iterable[gate_findings.Finding]) -> tuple[Finding, ...]:
    """Take over what was found in the configuration of the gate, but for what is only worth knowing."""
    taken = tuple(Finding(_place(one), _sentence(one), _KINDS[one.kind]) for one in findings if one.kind in _KINDS)
    if all(one.kind is Kind.FINE for one in taken):
        return (*taken, Finding("gate", "its configuration has no trap that we know"))
    return taken


def _place(one: gate_findings.Finding) -> str:
    where = f"{one.file}:{one.line}" if one.line else one.where
    return ": ".join(filter(None, ("gate", where)))


def _sentence(one: gate_findings.Finding) -> str:
    return str(one).partition(f"{one.kind.value}: ")[2]
