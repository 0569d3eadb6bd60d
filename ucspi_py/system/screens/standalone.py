"""pyrblsmtpd or pygreylist as a process of its own: the client on 0 and 1, then the program in our place.

dns, asyncio and stores are loaded only where they must be asked.
"""

import os
import signal
import sys

from ...core.dnsbl import loglines as dnsbl_loglines
from ...core.dnsbl.settings import DnsblSettings
from ...core.errors import unable
from ...core.greylist import network as greylist
from ...core.greylist.settings import GreylistSettings
from ...core.service.settings import Program, ScreenSettings
from ...core.smtp import loglines as smtp_loglines
from ...core.smtp.refusal import RefusalDialogue
from ...core.smtp.verdict import Accept, Refuse, Verdict, told
from ..process import pathexec
from ..process import rlimits as limits
from ..report import log


def run(program: Program, soft_limits: limits.SoftLimits) -> None:
    """Screen the client, then become the program or talk to the refused client until it leaves.

    Ends the process in any case but one: raises Failure where the program cannot be run.
    """
    environment = dict(os.environb)
    for screen in program.screens:
        refusal = _refusal(screen, environment)
        if refusal:
            _hold(screen, refusal, environment.get(b"TCPREMOTEIP", b""))
            sys.exit(0)
    _become(program.argv, environment, soft_limits)


def _refusal(screen: ScreenSettings, environment: dict[bytes, bytes]) -> Refuse | None:
    """The refusal of one screen, if that is what it says and what it is there for; it has been logged."""
    match screen:
        case DnsblSettings():
            return _refusal_by_zones(screen, environment)
        case GreylistSettings():
            return _refusal_by_greylist(screen, environment)
    raise TypeError(screen)


def _refusal_by_greylist(screen: GreylistSettings, environment: dict[bytes, bytes]) -> Refuse | None:
    if greylist.exempt(environment):
        return None
    from . import greylist as greylist_screen

    verdict = greylist_screen.judge_once(screen, environment, log.Log(log.ERRORS))
    return _logged(screen, environment, verdict) if isinstance(verdict, Refuse) else None


def _refusal_by_zones(screen: DnsblSettings, environment: dict[bytes, bytes]) -> Refuse | None:
    word = told(environment.get(b"RBLSMTPD"))
    if word or not (screen.zones or screen.greet_seconds):
        return _acted_on(screen, environment, word or Accept())
    import asyncio

    from ..dnsbl import stdin_client

    screened = asyncio.run(stdin_client.form(screen, environment))
    if screen.verbose and screened.results:
        log.Log(log.ERRORS).say(stdin_client.line(screen, screened, environment.get(b"TCPREMOTEIP", b"")))
    if screen.interrogate:
        environment.update(stdin_client.marks(screen, screened))
    return _acted_on(screen, environment, screened.verdict)


def _acted_on(screen: DnsblSettings, environment: dict[bytes, bytes], verdict: Verdict) -> Refuse | None:
    if not isinstance(verdict, Refuse) or screen.interrogate:
        return None
    if screen.dry_run:
        ip = environment.get(b"TCPREMOTEIP", b"")
        log.Log(log.ERRORS).say(dnsbl_loglines.would_refuse(ip, os.getpid(), verdict.reply))
        return None
    return _logged(screen, environment, verdict)


def _logged(screen: ScreenSettings, environment: dict[bytes, bytes], refusal: Refuse) -> Refuse:
    ip = environment.get(b"TCPREMOTEIP", b"")
    log.Log(log.ERRORS).say(smtp_loglines.refused(screen.log_name, ip, os.getpid(), refusal.reply))
    return refusal


def _hold(screen: ScreenSettings, refusal: Refuse, ip: bytes) -> None:
    """rblsmtpd.c: one alarm for the whole session, and its end is silent."""
    dialogue = RefusalDialogue(refusal)
    try:
        if not screen.session_seconds:
            _write(dialogue.dismissal())
            return
        try:
            signal.signal(signal.SIGALRM, _time_is_over)
            signal.alarm(screen.session_seconds)
            _talk(dialogue)
        finally:
            signal.alarm(0)  # it may ring until it is off
    except OSError:
        pass
    if screen.verbose:
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


def _become(argv: tuple[str, ...], environment: dict[bytes, bytes], soft_limits: limits.SoftLimits) -> None:
    # The interpreter ignores these two, and an ignored signal would stay ignored in the program.
    for name in ("SIGPIPE", "SIGXFSZ"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    try:
        file = pathexec.find(argv[0])
        pathexec.become(limits.under(soft_limits, file, argv, environment) if soft_limits else argv, environment)
    except OSError as error:
        raise unable(f"run {argv[0]}", error) from None
