"""From settings to a serving master, or to a trial of one. Never serves."""

import os
import signal
from functools import partial
from typing import TYPE_CHECKING

from ...core.errors import error_words
from ...core.log.event import with_event
from ...core.service import logevents, loglines
from ...core.service.environment import oddities
from ...core.service.settings import ServerSettings
from ..backend import spawn
from ..process import signals
from ..process.pathexec import find
from ..process.rlimits import SoftLimits, make_room
from ..report import title
from ..report.log import Log
from ..supervisor import handover
from ..supervisor.supervision import Supervision
from .admission import OVERFLOW_LIMIT
from .counted import counted
from .furnish import furnished
from .master import Master
from .worker import MASTERS_SIGNALS

if TYPE_CHECKING:
    from ...core.service.handover import Handover


def run(settings: ServerSettings, soft_limits: SoftLimits) -> Log | None:
    """Serve until SIGTERM or SIGINT; or come as far as a start does for a server that asks whether we can follow it.

    Then the log is given, for what else is found; None = it has served. Raises Failure where it cannot start.
    """
    handed = _handed()
    settings = counted(settings)
    supervision = Supervision(None if handed else settings.ready_fd)  # or the number might be of a descriptor of ours
    room = make_room((settings.limit + settings.held_limit) * settings.program.descriptors + OVERFLOW_LIMIT)
    attributes = spawn.spawn_attributes(soft_limits, room, MASTERS_SIGNALS, handed and handed.mask)
    noted = signals.Signals(signal.SIGTERM, signal.SIGCHLD, *MASTERS_SIGNALS)
    if handed:  # they were blocked, as they would have ended us so far
        signal.pthread_sigmask(signal.SIG_SETMASK, handed.mask)
    shared = furnished(settings, attributes, handed, supervision.beat_seconds)
    if handed and handed.trial:
        return shared.log
    title.show_as(b"tcpserver")
    shared.log.detail(with_event(loglines.status(0, settings.limit), partial(logevents.status, 0, settings.limit)))
    _warn(shared.log, settings, len(shared.tables.board.pending))
    Master(shared, noted, supervision, handed).run()
    return None


def _handed() -> "Handover | None":
    """What a server hands over to us, whose place we take or try to take; None = we are started as ever."""
    handed = handover.taken()
    if handed:
        handover.forget()
    return handed


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _warn(log: Log, settings: ServerSettings, places: int) -> None:
    """What an operator should know before the first client does."""
    if settings.has_pending and places < settings.held_limit:
        log.warn(loglines.warning(f"the hard limit of open files allows --held {places}, not {settings.held_limit}"))
    program = settings.program.argv[0]
    try:
        find(program)
    except OSError as error:
        log.warn(loglines.warning(f"unable to find {program}: {error_words(error.errno)}"))
    for sentence in oddities(os.environb):
        log.warn(loglines.warning(sentence))
