"""From settings to a serving master: listens, gives up root, goes into the background. Never serves."""

import contextlib
import os
import socket
from collections.abc import Sequence

from ...core.postgrey import loglines
from ...core.postgrey.settings import PostgreySettings
from ..process import descriptors, privileges, rlimits, signals
from ..report.log import Log
from ..report.syslog import SyslogWriter
from ..store.records import keeper
from . import background
from .master import NOTED, Master
from .places import listening
from .worker import MOST, Worker

_NAME = "postgrey"
_UMASK = 0o077


def run(settings: PostgreySettings, verbosity: int) -> None:
    """Serve until SIGTERM or SIGINT. verbosity: as of Log. Raises Failure where it cannot start."""
    noted = signals.Signals(*NOTED)  # from now on the socket is removed at the end
    rlimits.make_room(MOST)
    with listening(settings.places, settings.uid, settings.gid) as listeners:
        with contextlib.suppress(ImportError):  # while we may still read whatever root may; one that is missing is told
            keeper(settings.answering.triplets.store)
        if settings.daemon is None:
            descriptors.null_input_and_output()
            _serve(settings, listeners, Log(verbosity), noted)
            return
        log = Log(verbosity, SyslogWriter(settings.daemon.facility, _NAME))
        telling = background.leave()
        with background.pid_file(settings.daemon.pid_file):
            _serve(settings, listeners, log, noted, telling)


def settle(uid: int | None, gid: int | None) -> None:
    """Become whoever keeps the records, which nobody else may read. uid, gid: None = no change. Raises Failure."""
    privileges.become(uid, gid)
    os.umask(_UMASK)


def _serve(
    settings: PostgreySettings,
    listeners: Sequence[socket.socket],
    log: Log,
    noted: signals.Signals,
    telling: int | None = None,
) -> None:
    """telling: what says that we are ready; None = nobody waits."""
    zones = None
    if settings.answering.zones:
        from .zones import Zones

        zones = Zones(settings.answering.zones, settings.processes)
    settle(settings.uid, settings.gid)

    def work(death: int) -> None:
        Worker(settings, listeners, log, zones, death).run()

    log.detail(loglines.starting(settings.processes))
    if telling is not None:
        background.say_ready(telling)
    Master(settings.processes, work, noted, log, zones).run()
    log.detail(loglines.stopping())
