"""A chain program as a process of its own: the client on 0 and 1, then the program in our place.

dns, asyncio and stores are loaded only where they must be asked.
"""

import os
import signal
import sys
from typing import TYPE_CHECKING, NamedTuple

from ...core.dnsbl import loglines as dnsbl_loglines
from ...core.errors import AskedWrongly
from ...core.service.settings import Program, ScreenSettings
from ...core.smtp import loglines as smtp_loglines
from ...core.smtp.refusal import RefusalDialogue
from ...core.smtp.verdict import Refuse, Verdict
from ..process import rlimits as limits
from ..report import log
from ..screens import kinds
from ..screens.screen import Host, Screen
from .next_program import become

if TYPE_CHECKING:
    from ..dnsbl.judge import Zones

#: Of a limit on what one client may do.
_COUNTS_ALONE = (
    "counts over all clients, and here each has a process of its own: run the gate behind pytcpserver, or set it to 0"
)


class _Refusal(NamedTuple):
    """What a screen has against the client."""

    screen: ScreenSettings
    verdict: Refuse


def run(program: Program, soft_limits: limits.SoftLimits) -> None:
    """Screen the client, then become the program, talk to the refused client until it leaves, or be its gate.

    Ends the process in any case but these: raises AskedWrongly where the gate is to count its clients, which only a
    server of ours can, and Failure where the program cannot be run.
    """
    limits = program.gate and program.gate.event_limits
    if limits and limits.where:
        raise AskedWrongly(f"{limits.where} {_COUNTS_ALONE}")
    logins = program.gate and program.gate.logins
    if logins and logins.where:
        raise AskedWrongly(f"{logins.where} {_COUNTS_ALONE}")
    environment = dict(os.environb)
    host = Host(log.Log(log.ERRORS), _zones, lambda _kind, _verdict: None)
    refusal = _refusal(program, environment, host)
    if program.gate:
        _pass_gate(program, environment, refusal, soft_limits)
    elif refusal:
        ip = environment.get(b"TCPREMOTEIP", b"")
        host.log.say(smtp_loglines.refused(refusal.screen.log_name, ip, os.getpid(), refusal.verdict.reply))
        _hold(refusal.screen, refusal.verdict, ip)
    else:
        become(program.argv, environment, soft_limits)
    sys.exit(0)


def _refusal(program: Program, environment: dict[bytes, bytes], host: Host) -> _Refusal | None:
    """What the first screen that refuses the client has against it; None = all let it in."""
    for screen in kinds.in_service(program.screens, host):
        verdict = screen.judge_unasked(environment) or _asked(screen, environment)
        if isinstance(verdict, Refuse):
            return _Refusal(screen.settings, verdict)
    return None


def _pass_gate(
    program: Program, environment: dict[bytes, bytes], refusal: _Refusal | None, soft_limits: limits.SoftLimits
) -> None:
    from . import gate

    client = (
        gate.Screened(environment, refusal.verdict, refusal.screen.log_name) if refusal else gate.Screened(environment)
    )
    gate.run(program, client, soft_limits)


def _zones() -> "Zones":
    from ..dnsbl.uncached import UncachedZones

    return UncachedZones()


def _asked(screen: Screen, environment: dict[bytes, bytes]) -> Verdict:
    from . import one_client

    return one_client.judge(screen, environment)


def _hold(settings: ScreenSettings, refusal: Refuse, ip: bytes) -> None:
    """rblsmtpd.c: one alarm for the whole session, and its end is silent."""
    dialogue = RefusalDialogue(refusal)
    try:
        if not settings.session_seconds:
            _write(dialogue.dismissal())
            return
        try:
            signal.signal(signal.SIGALRM, _time_is_over)
            signal.alarm(settings.session_seconds)
            _talk(dialogue)
        finally:
            signal.alarm(0)  # it may ring until it is off
    except OSError:
        pass
    if settings.verbose:
        log.Log(log.ERRORS).say(dnsbl_loglines.said(ip, os.getpid(), dialogue.said))


def _talk(dialogue: RefusalDialogue) -> None:
    _write(dialogue.greeting())
    while not dialogue.finished and (data := os.read(0, 4096)):
        _write(dialogue.receive(data))


def _time_is_over(_number: int, _frame: object) -> None:
    """Ends whatever the dialogue waits for, as a client that is gone would."""
    raise TimeoutError


def _write(data: bytes) -> None:
    while data:
        data = data[os.write(1, data) :]
