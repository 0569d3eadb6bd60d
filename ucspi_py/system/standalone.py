"""pyrblsmtpd or pygreylist as a process of its own: the client on 0 and 1, then the program in our place.

dns, asyncio and stores are loaded only where they must be asked.
"""

import os
import signal
import sys
from collections.abc import Mapping

from ..core import greylist, logline
from ..core.errors import unable
from ..core.settings import GreylistSettings, Program, Screening, ScreenSettings
from ..core.smtp_refusal import RefusalDialogue
from ..core.verdict import Accept, Refuse, Verdict, told
from . import limits, log, pathexec


def run(program: Program, soft_limits: limits.SoftLimits) -> None:
    """Screen the client, then become the program or talk to the refused client until it leaves.

    Ends the process in any case but one: raises Failure where the program cannot be run.
    """
    environment = dict(os.environb)
    for screen in program.screens:
        verdict = _verdict(screen, environment)
        if isinstance(verdict, Refuse):
            ip = environment.get(b"TCPREMOTEIP", b"")
            log.Log(log.ERRORS).say(logline.refused(screen.log_name, ip, os.getpid(), verdict.reply))
            _hold(verdict, screen.session_seconds)
            sys.exit(0)
    _become(program.argv, environment, soft_limits)


def _verdict(screen: Screening, environment: Mapping[bytes, bytes]) -> Verdict:
    if isinstance(screen, GreylistSettings):
        return _greylist_verdict(screen, environment)
    return _zones_verdict(screen, environment)


def _greylist_verdict(screen: GreylistSettings, environment: Mapping[bytes, bytes]) -> Verdict:
    if greylist.exempt(environment):
        return Accept()
    from . import greylisting

    return greylisting.judge_once(screen, environment, log.Log(log.ERRORS))


def _zones_verdict(screen: ScreenSettings, environment: Mapping[bytes, bytes]) -> Verdict:
    verdict = told(environment.get(b"RBLSMTPD"))
    if verdict:
        return verdict
    if not screen.zones:
        return Accept()
    import asyncio

    from . import resolver, screening

    return asyncio.run(screening.screen(screen, environment, resolver.from_environment().ask))


def _hold(refusal: Refuse, session_seconds: int) -> None:
    """rblsmtpd.c: one alarm for the whole session, and its end is silent."""
    dialogue = RefusalDialogue(refusal)
    try:
        if not session_seconds:
            _write(dialogue.reply)
            return
        signal.signal(signal.SIGALRM, lambda _number, _frame: os._exit(0))
        signal.alarm(session_seconds)
        _write(dialogue.greeting())
        while not dialogue.finished and (data := os.read(0, 4096)):
            _write(dialogue.receive(data))
    except OSError:
        pass


def _write(data: bytes) -> None:
    while data:
        data = data[os.write(1, data) :]


def _become(argv: tuple[str, ...], environment: dict[bytes, bytes], soft_limits: limits.SoftLimits) -> None:
    # The interpreter ignores these two, and an ignored signal would stay ignored in the program.
    for name in ("SIGPIPE", "SIGXFSZ"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    try:
        pathexec.find(argv[0])
        pathexec.become(limits.under(soft_limits, argv), environment)
    except OSError as error:
        raise unable(f"run {argv[0]}", error) from None
