"""The guard's start: everything that can fail is tried before, and it is forked while we still have root."""

import signal
import socket
from collections.abc import Callable, Mapping
from functools import partial

from ...core.guard.settings import GuardSettings
from ..process import children, descriptors, secrecy, signals
from ..report import title
from ..report.log import Log
from . import channel
from .channel import Guarded
from .checks import Checks
from .guard import Guard
from .launcher import CheckerLauncher
from .probe import probe
from .sealed_keys import SealedKeys

#: Those by which somebody may want to end or to wake the service: the guard ends when nobody can ask it any more.
_IGNORED = (
    signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM,
    signal.SIGPIPE,
)  # fmt: skip


def start(
    settings: GuardSettings, open_log: Callable[[], Log], environment: Mapping[bytes, bytes], port: bytes
) -> Guarded:
    """Start the guard, with the privileges that we have.

    open_log: makes its log. environment: ours. port: on which we listen. Raises Failure where a key cannot be read or a
    checker cannot be started, AskedWrongly where the checker checks nothing.
    """
    keys = SealedKeys(settings.pairs)
    checker = CheckerLauncher(settings.checkpassword, settings.limits.cpu_seconds, environment)
    if settings.checkpassword:
        probe(settings, checker, port)
    ours, workers = channel.pair()
    work = partial(_guard, ours, keys, partial(Checks, settings, checker), open_log)
    pid = children.begin(work, lambda *lines: open_log().warn(*lines))
    ours.close()
    return Guarded(pid, workers, tuple(keys.descriptors))


def _guard(ours: socket.socket, keys: SealedKeys, checks: Callable[[Log], Checks], open_log: Callable[[], Log]) -> None:
    """Be the guard, in a forked child."""
    descriptors.null_input_and_output()
    descriptors.close_all_but({ours.fileno(), *keys.descriptors})
    log = open_log()  # the master's may write to what is closed by now
    title.show_as(b"tcpserver/guard")
    secrecy.hide_memory()
    secrecy.leave_no_core()
    noted = signals.Signals(signal.SIGCHLD)
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    Guard(ours, noted, checks(log), keys, log).run()
