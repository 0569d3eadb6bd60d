"""What becomes of a client that the zones have judged, by -i, --dry-run and -v. Never asks and never writes."""

from collections.abc import Mapping
from typing import NamedTuple

from ..smtp.verdict import Accept, Outcome, Refuse, Verdict, told
from . import judgement, loglines
from .answers import Listed, Result, dotted, word
from .settings import DnsblSettings


class ScreenResult(NamedTuple):
    """The verdict on a client, and what the zones said, one for each; None = not heard, or not in time.

    results: none at all where no zone had to be asked.
    """

    verdict: Verdict
    results: tuple[Result | None, ...] = ()


def unasked(settings: DnsblSettings, environment: Mapping[bytes, bytes]) -> ScreenResult | None:
    """Judge a client by $RBLSMTPD, or because there is nobody to ask; None = ask. Source: rblsmtpd.c, main."""
    verdict = told(environment.get(b"RBLSMTPD"))
    if verdict is None and (settings.zones or settings.greet_seconds):
        return None
    return ScreenResult(verdict or Accept())


def outcome(settings: DnsblSettings, environment: Mapping[bytes, bytes], screened: ScreenResult, pid: int) -> Outcome:
    """Decide what becomes of a client. pid: process id, for the lines of the log."""
    ip = environment.get(b"TCPREMOTEIP", b"")
    lines = [_results_line(settings, screened, ip, pid)] if settings.verbose and screened.results else []
    verdict: Verdict = screened.verdict
    variables: Mapping[bytes, bytes] = {}
    if settings.interrogate:
        variables = _variables(settings, screened) if b"RBLSMTPD" not in environment else {}
        verdict = Accept()
    elif settings.dry_run and isinstance(verdict, Refuse):
        lines.append(loglines.would_refuse(ip, pid, verdict.reply))
        verdict = Accept()
    return Outcome(verdict, screened.verdict, variables, tuple(lines))


def _variables(settings: DnsblSettings, screened: ScreenResult) -> dict[bytes, bytes]:
    """Return the variables of -i: $RBLSMTPD where the client would be refused, the score, the listing zones."""
    variables = {}
    if screened.results:
        findings = [result and result.finding for result in screened.results]
        listing = [
            b"%s=%s" % (zone.alias, dotted(finding.code).encode())
            for zone, finding in zip(settings.zones, findings, strict=True)
            if isinstance(finding, Listed)
        ]
        variables[b"RBLSCORE"] = b"%d" % judgement.score_of(settings.zones, findings)
        variables[b"RBLZONES"] = b" ".join(listing)
    if isinstance(screened.verdict, Refuse):
        variables[b"RBLSMTPD"] = screened.verdict.variable
    return variables


def _results_line(settings: DnsblSettings, screened: ScreenResult, ip: bytes, pid: int) -> bytes:
    """The log line of -v: each zone with its word and its time, then the verdict."""
    zones = [
        (zone.alias, word(result.finding), result.seconds) if result else (zone.alias, b"pending", 0.0)
        for zone, result in zip(settings.zones, screened.results, strict=True)
    ]
    verdict = screened.verdict.reply if isinstance(screened.verdict, Refuse) else b"accepted"
    return loglines.zone_results(ip, pid, zones, verdict)
